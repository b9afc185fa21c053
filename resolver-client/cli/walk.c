#include "resolver_cli/walk.h"

#include "base/json_out.h"
#include "names/eui.h"

#include <stdarg.h>

enum { JSON_MAX = 256 * 1024 };

bool fr_walk_is_over(const struct fr_walk *walk)
{
    return walk->n > 0 && walk->steps[walk->n - 1].state == FR_STEP_WRONG;
}

/* The place for one more step; NULL when there is none for it. */
static struct fr_step *add(struct fr_walk *walk, const char *name, enum fr_step_state state)
{
    size_t room = FR_WALK_STEPS - (state == FR_STEP_WRONG ? 0 : 1);
    if (fr_walk_is_over(walk) || walk->n >= room) return NULL;
    struct fr_step *step = &walk->steps[walk->n++];
    *step = (struct fr_step){.name = name, .state = state};
    return step;
}

/* Cut when too long. */
__attribute__((format(printf, 2, 0))) static void say(struct fr_step *step, const char *fmt,
                                                      va_list args)
{
    if (step) (void)vsnprintf(step->seen, sizeof step->seen, fmt, args);
}

void fr_walk_right(struct fr_walk *walk, const char *name, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    say(add(walk, name, FR_STEP_RIGHT), fmt, args);
    va_end(args);
}

void fr_walk_doubt(struct fr_walk *walk, const char *name, const char *fmt, ...)
{
    va_list args;
    struct fr_step *step = add(walk, name, FR_STEP_DOUBT);
    if (step) walk->code = FR_EXIT_WARNINGS;
    va_start(args, fmt);
    say(step, fmt, args);
    va_end(args);
}

void fr_walk_wrong(struct fr_walk *walk, enum fr_exit code, const char *name, const char *fmt, ...)
{
    va_list args;
    struct fr_step *step = add(walk, name, FR_STEP_WRONG);
    if (step) walk->code = code;
    va_start(args, fmt);
    say(step, fmt, args);
    va_end(args);
}

void fr_walk_fail(struct fr_walk *walk, const char *name, enum fr_err err,
                  const struct fr_diag *diag)
{
    const char *where = diag->where, *what = diag->what[0] ? diag->what : fr_err_text(err);
    fr_walk_wrong(walk, fr_exit_from_err(err), name, "%s%s%s", where, where[0] ? ": " : "", what);
    if (diag->hint[0]) fr_walk_todo(walk, "%s", diag->hint);
}

void fr_walk_todo(struct fr_walk *walk, const char *fmt, ...)
{
    va_list args;
    if (walk->n == 0) return;
    struct fr_step *step = &walk->steps[walk->n - 1];
    va_start(args, fmt);
    (void)vsnprintf(step->todo, sizeof step->todo, fmt, args); /* cut when too long */
    va_end(args);
}

static const char *const TEXT_WORDS[] = {"ok", "check", "WRONG"};
static const char *const JSON_WORDS[] = {"right", "doubt", "wrong"};

static enum fr_step_state worst(const struct fr_walk *walk)
{
    enum fr_step_state state = FR_STEP_RIGHT;
    for (size_t i = 0; i < walk->n; i++)
        if (walk->steps[i].state > state) state = walk->steps[i].state;
    return state;
}

/* A terminal gets no control characters of a peer. */
static void put_plain(FILE *out, const char *text)
{
    for (; *text; text++)
        (void)fputc((unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text, out);
}

static void print_text(const struct fr_walk *walk, FILE *out)
{
    for (size_t i = 0; i < walk->n; i++) {
        const struct fr_step *s = &walk->steps[i];
        (void)fprintf(out, "%-6s %-12s ", TEXT_WORDS[s->state], s->name);
        put_plain(out, s->seen);
        (void)fputc('\n', out);
        if (!s->todo[0]) continue;
        (void)fprintf(out, "%-6s %-12s → ", "", "");
        put_plain(out, s->todo);
        (void)fputc('\n', out);
    }
}

static enum fr_err print_json(const struct fr_walk *walk, const char *key, const char *value,
                              FILE *out)
{
    struct fr_buf text = FR_BUF_INIT(JSON_MAX);
    struct fr_json j = fr_json(&text);

    fr_json_object(&j);
    fr_json_put_str(&j, key, value);
    fr_json_put_str(&j, "result", JSON_WORDS[worst(walk)]);
    fr_json_key(&j, "steps");
    fr_json_array(&j);
    for (size_t i = 0; i < walk->n; i++) {
        const struct fr_step *s = &walk->steps[i];
        fr_json_object(&j);
        fr_json_put_str(&j, "step", s->name);
        fr_json_put_str(&j, "state", JSON_WORDS[s->state]);
        fr_json_put_str(&j, "seen", s->seen);
        fr_json_put_str(&j, "todo", s->todo[0] ? s->todo : NULL);
        fr_json_end(&j);
    }
    fr_json_end(&j);
    fr_json_end(&j);
    fr_buf_add_char(&text, '\n');
    enum fr_err err = fr_buf_err(&text);
    if (err == FR_OK) (void)fwrite(text.p, 1, text.n, out); /* the caller's flush tells */
    fr_buf_deinit(&text);
    return err;
}

enum fr_err fr_walk_print_of(const struct fr_walk *walk, const char *key, const char *value,
                             enum fr_output output, FILE *out)
{
    enum fr_err err = FR_OK;
    if (output == FR_OUTPUT_JSON)
        err = print_json(walk, key, value, out);
    else
        print_text(walk, out);
    if (err == FR_OK && (fflush(out) != 0 || ferror(out))) err = FR_E_IO;
    return err;
}

enum fr_err fr_walk_print(const struct fr_walk *walk, uint64_t deveui, enum fr_output output,
                          FILE *out)
{
    char eui[FR_EUI_TEXT];
    fr_eui_print(deveui, eui);
    return fr_walk_print_of(walk, "deveui", eui, output, out);
}
