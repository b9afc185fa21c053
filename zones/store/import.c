#include "store/import.h"

#include "base/mem.h"
#include "names/eui.h"
#include "store/import_state.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum fr_err fr_import_fault(struct fr_import_fault *fault, enum fr_err err, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(fault->why, sizeof fault->why, fmt, args);
    va_end(args);
    fault->err = err;
    return err;
}

enum fr_err fr_import_new(const struct fr_import_options *options, struct fr_import **out)
{
    struct fr_import *import = fr_calloc(1, sizeof *import);

    if (import == NULL) return FR_E_NOMEM;
    import->options = *options;
    snprintf(import->name, sizeof import->name, "%s", options->name);
    *out = import;
    return FR_OK;
}

void fr_import_free(struct fr_import *import)
{
    if (import == NULL) return;
    fr_free(import);
}

enum fr_err fr_import_add(struct fr_import *import, uint64_t eui, size_t line,
                          struct fr_import_fault *fault)
{
    if (import->options.device == NULL) return FR_OK;
    fault->err = import->options.device(import->options.data, eui, line, &import->ended);
    import->is_ended = fault->err != FR_OK;
    return fault->err;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

/* The first field of a list's line: up to a comma or semicolon, blanks and one pair of quotes taken off. */
static struct fr_span first_field(struct fr_span line)
{
    size_t n = 0;

    while (n < line.n && line.p[n] != ',' && line.p[n] != ';') n++;
    struct fr_span field = fr_span_trim((struct fr_span){line.p, n});
    if (field.n >= 2 && field.p[0] == '"' && field.p[field.n - 1] == '"')
        field = (struct fr_span){field.p + 1, field.n - 2};
    return field;
}

static bool is_heading(struct fr_span line)
{
    struct fr_span field = first_field(line);

    return fr_span_equal_nocase(field, FR_SPAN_LIT("deveui")) ||
           fr_span_equal_nocase(field, FR_SPAN_LIT("dev_eui"));
}

static enum fr_err take_list_line(struct fr_import *import, struct fr_span line,
                                  struct fr_import_fault *fault)
{
    struct fr_span field = first_field(line);
    uint64_t eui;

    if (fr_eui_parse(field, &eui) != FR_OK)
        return fr_import_fault(fault, FR_E_MALFORMED, "\"%.*s\" is not a DevEUI (16 hex digits)",
                               (int)(field.n > 40 ? 40 : field.n), (const char *)field.p);
    return fr_import_add(import, eui, import->line, fault);
}

/* A list's line is one word, or a first field; a record has several words. Directives and "@" are of master files only. */
static enum fr_import_form guess_form(struct fr_span line)
{
    struct fr_span field = first_field(line);

    if (line.p[0] == '$' || line.p[0] == '@' || is_blank(line.p[0])) {
        struct fr_span word = fr_span_trim(field);
        uint64_t eui;
        return fr_eui_parse(word, &eui) == FR_OK ? FR_IMPORT_LIST : FR_IMPORT_MASTER;
    }
    for (size_t i = 0; i < field.n; i++)
        if (is_blank(field.p[i])) return FR_IMPORT_MASTER;
    return FR_IMPORT_LIST;
}

static bool is_plain(struct fr_span line)
{
    for (size_t i = 0; i < line.n; i++)
        if (line.p[i] < 0x20 ? line.p[i] != '\t' : line.p[i] == 0x7f) return false;
    return true;
}

static enum fr_err take_line(struct fr_import *import, struct fr_span line,
                             struct fr_import_fault *fault)
{
    if (line.n > 0 && line.p[line.n - 1] == '\r') line.n--;
    if (import->line == 1 && fr_span_starts(line, "\xef\xbb\xbf"))
        line = (struct fr_span){line.p + 3, line.n - 3};
    if (!is_plain(line))
        return fr_import_fault(fault, FR_E_MALFORMED, "control characters: not a text file");
    struct fr_span trimmed = fr_span_trim(line);
    bool is_comment = trimmed.n > 0 && (trimmed.p[0] == ';' || trimmed.p[0] == '#');
    if (import->depth == 0 && (trimmed.n == 0 || is_comment)) return FR_OK;
    if (import->form == FR_IMPORT_UNDECIDED) {
        bool is_first_of_list = is_heading(line);
        import->form = is_first_of_list ? FR_IMPORT_LIST : guess_form(line);
        if (is_first_of_list) return FR_OK;
    }
    return import->form == FR_IMPORT_LIST ? take_list_line(import, line, fault)
                                          : fr_import_master_line(import, line, fault);
}

/* Decides what a faulty line means: the end, or one line left out. */
static enum fr_err settle(struct fr_import *import, const struct fr_import_fault *fault,
                          struct fr_diag *diag)
{
    size_t line = fault->line ? fault->line : import->line;

    if (fault->err == FR_OK) return FR_OK;
    if (import->is_ended) {
        if (diag != NULL) *diag = import->ended;
        return fault->err;
    }
    if (import->options.bad != NULL) import->options.bad(import->options.data, line, fault->why);
    if (import->options.keep_going && fault->err != FR_E_NOMEM) {
        import->left_out++;
        return FR_OK;
    }
    (void)fr_diag_fail(diag, fault->err, "%s", fault->why);
    fr_diag_where(diag, import->name, line, 0);
    return fault->err;
}

static enum fr_err end_line(struct fr_import *import, struct fr_span line, struct fr_diag *diag)
{
    struct fr_import_fault fault = {0};

    import->line++;
    if (import->is_over_long || line.n > FR_IMPORT_LINE_MAX)
        (void)fr_import_fault(&fault, FR_E_MALFORMED, "a line of more than %d bytes",
                              FR_IMPORT_LINE_MAX);
    else
        (void)take_line(import, line, &fault);
    import->is_over_long = false;
    import->n_held = 0;
    return settle(import, &fault, diag);
}

/* Keeps the start of a line for the next feed. */
static void hold(struct fr_import *import, struct fr_span part)
{
    size_t room = FR_IMPORT_LINE_MAX + 1 - import->n_held;

    if (part.n > room) {
        import->is_over_long = true;
        part.n = room;
    }
    if (part.n > 0) memcpy(import->held + import->n_held, part.p, part.n);
    import->n_held += part.n;
}

enum fr_err fr_import_feed(struct fr_import *import, struct fr_span bytes, struct fr_diag *diag)
{
    while (bytes.n > 0) {
        const uint8_t *end = memchr(bytes.p, '\n', bytes.n);
        struct fr_span part = {bytes.p, end ? (size_t)(end - bytes.p) : bytes.n};
        if (end == NULL) {
            hold(import, part);
            return FR_OK;
        }
        bytes = (struct fr_span){end + 1, bytes.n - part.n - 1};
        if (import->n_held > 0) {
            hold(import, part);
            part = (struct fr_span){import->held, import->n_held};
        }
        enum fr_err err = end_line(import, part, diag);
        if (err) return err;
    }
    return FR_OK;
}

enum fr_err fr_import_end(struct fr_import *import, struct fr_diag *diag)
{
    struct fr_import_fault fault = {0};

    if (import->n_held > 0) {
        enum fr_err err = end_line(import, (struct fr_span){import->held, import->n_held}, diag);
        if (err) return err;
    }
    (void)fr_import_master_end(import, &fault);
    return settle(import, &fault, diag);
}

size_t fr_import_addrs(const struct fr_import *import, const struct fr_addr **addrs)
{
    *addrs = import->addrs;
    return import->n_addrs;
}

size_t fr_import_lines(const struct fr_import *import)
{
    return import->line;
}

size_t fr_import_left_out(const struct fr_import *import)
{
    return import->left_out;
}
