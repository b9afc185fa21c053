#include "base/cli_internal.h"

#include "base/buf.h"

#include <string.h>

enum { PROSE_WIDTH = 96 };

bool fr_cli_path_is_under(const char *path, struct fr_span prefix)
{
    struct fr_span p = fr_span_str(path);

    if (prefix.n == 0) return true;
    if (p.n < prefix.n || !fr_span_equal(fr_span(p.p, prefix.n), prefix)) return false;
    return p.n == prefix.n || p.p[prefix.n] == ' ';
}

static void put_option(const struct fr_cli_option *o, FILE *out)
{
    struct fr_buf left = FR_BUF_INIT(256);

    if (o->letter != 0) {
        fr_buf_printf(&left, "-%c, ", o->letter);
    } else {
        fr_buf_add_str(&left, "    ");
    }
    fr_buf_printf(&left, "--%s%s%s", o->name, o->value != NULL ? " " : "",
                  o->value != NULL ? o->value : "");
    fprintf(out, "  %-30s  %s%s%s\n", fr_buf_str(&left), o->help,
            o->is_required ? " (required)" : "", o->is_repeatable ? " (may be repeated)" : "");
    fr_buf_deinit(&left);
}

static void put_options(const char *heading, const struct fr_cli_option *options,
                        const struct fr_cli_command *command, FILE *out)
{
    size_t n = 0;

    for (; options != NULL && options->name != NULL; options++) {
        if (!fr_cli_option_fits(options, command)) continue;
        if (n++ == 0) fprintf(out, "\n%s:\n", heading);
        put_option(options, out);
    }
}

/* Lines of at most PROSE_WIDTH bytes; an empty line stays, other breaks are blanks. */
static void put_prose(const char *text, FILE *out)
{
    size_t column = 0;

    fputc('\n', out);
    while (*text != '\0') {
        size_t n = strcspn(text, " \n");
        if (n > 0 && column > 0) {
            bool fits = column + 1 + n <= PROSE_WIDTH;
            fputc(fits ? ' ' : '\n', out);
            column = fits ? column + 1 : 0;
        }
        fwrite(text, 1, n, out);
        column += n;
        text += n;
        if (text[0] == '\n' && text[1] == '\n') {
            fputs("\n\n", out);
            column = 0;
        }
        if (*text != '\0') text++;
    }
    fputc('\n', out);
}

/* On the first page the options of every command are only named. */
static void put_option_names(const struct fr_cli_option *options, FILE *out)
{
    struct fr_buf text = FR_BUF_INIT(1024);

    fr_buf_add_str(&text, "options of every command:");
    for (const struct fr_cli_option *o = options; o != NULL && o->name != NULL; o++)
        fr_buf_printf(&text, "%s --%s", o == options ? "" : ",", o->name);
    fr_buf_add_char(&text, '.');
    put_prose(fr_buf_str(&text), out);
    fr_buf_deinit(&text);
}

const struct fr_cli_command *fr_cli_find_exact(const struct fr_cli_program *program,
                                               struct fr_span path)
{
    for (const struct fr_cli_command *const *t = program->tables; *t != NULL; t++) {
        for (const struct fr_cli_command *c = *t; c->path != NULL; c++) {
            if (fr_span_is(path, c->path)) return c;
        }
    }
    return NULL;
}

bool fr_cli_is_first_with(const struct fr_cli_program *program, const struct fr_cli_command *at,
                          size_t n)
{
    for (const struct fr_cli_command *const *t = program->tables; *t != NULL; t++) {
        for (const struct fr_cli_command *c = *t; c->path != NULL; c++) {
            if (c == at) return true;
            if (fr_cli_path_is_under(c->path, fr_span(at->path, n))) return false;
        }
    }
    return true;
}

const char *fr_cli_topic_summary(const struct fr_cli_program *program,
                                 const struct fr_cli_topic *topic)
{
    const struct fr_cli_command *c;

    if (topic->summary != NULL) return topic->summary;
    c = fr_cli_find_exact(program, fr_span_str(topic->word));
    return c != NULL ? c->summary : "";
}

bool fr_cli_option_fits(const struct fr_cli_option *option, const struct fr_cli_command *command)
{
    if (command == NULL || !option->is_for_changes) return true;
    if (command->has_no_trial && strcmp(option->name, "dry-run") == 0) return false;
    return !command->only_reads;
}

static void put_topics(const struct fr_cli_program *program, FILE *out)
{
    fprintf(out, "%s: %s\n\nusage: %s COMMAND [options]\n", program->name, program->summary,
            program->name);
    for (const struct fr_cli_topic *t = program->topics; t->word != NULL; t++) {
        if (t->heading != NULL) fprintf(out, "\n%s:\n", t->heading);
        fprintf(out, "  %-11s %s\n", t->word, fr_cli_topic_summary(program, t));
    }
}

void fr_cli_help_program(const struct fr_cli_program *program, struct fr_span prefix, FILE *out)
{
    int width = 0;

    if (prefix.n == 0 && program->topics != NULL) {
        put_topics(program, out);
        put_option_names(program->globals, out);
        fprintf(out, "%s WORD --help goes on from here; so does man %s-WORD.\n", program->name,
                program->name);
        return;
    }
    if (prefix.n == 0) fprintf(out, "%s: %s\n\n", program->name, program->summary);
    fprintf(out, "usage: %s %.*s%s[options]\n\ncommands:\n", program->name, (int)prefix.n,
            prefix.n > 0 ? (const char *)prefix.p : "", prefix.n > 0 ? " COMMAND " : "COMMAND ");
    for (int pass = 0; pass < 2; pass++) { /* first the width, then the lines */
        for (const struct fr_cli_command *const *table = program->tables; *table != NULL; table++) {
            for (const struct fr_cli_command *c = *table; c->path != NULL; c++) {
                if (!fr_cli_path_is_under(c->path, prefix)) continue;
                int n = (int)strlen(c->path);
                if (pass == 0 && n > width) width = n;
                if (pass == 1) fprintf(out, "  %-*s  %s\n", width, c->path, c->summary);
            }
        }
    }
    if (prefix.n == 0) put_options("options of every command", program->globals, NULL, out);
    fprintf(out, "\n%s COMMAND --help explains one command, with an example.\n", program->name);
}

void fr_cli_help_command(const struct fr_cli_program *program, const struct fr_cli_command *command,
                         FILE *out)
{
    bool has_options = program->globals != NULL || command->options != NULL;

    fprintf(out, "usage: %s%s%s%s%s%s\n\n%s\n", program->name, command->path[0] != '\0' ? " " : "",
            command->path, has_options ? " [options]" : "", command->args != NULL ? " " : "",
            command->args != NULL ? command->args : "", command->summary);
    if (command->details != NULL) put_prose(command->details, out);
    put_options("options", command->options, command, out);
    put_options("options of every command", program->globals, command, out);
    fprintf(out, "\n  -h, --help                      explain\n");
    if (command->path[0] == '\0')
        fprintf(out, "      --version                   print the version\n");
    if (command->example != NULL) fprintf(out, "\nexample:\n  %s\n", command->example);
}
