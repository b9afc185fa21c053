#include "base/diag.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

/* Texts may quote a peer: an escape sequence must not reach an operator's terminal or break a
 * log line. */
static void make_printable(char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f) *text = '?';
    }
}

enum fr_err fr_diag_fail(struct fr_diag *diag, enum fr_err err, const char *fmt, ...)
{
    va_list args;

    if (diag == NULL) return err;
    diag->where[0] = '\0';
    diag->hint[0] = '\0';
    va_start(args, fmt);
    (void)vsnprintf(diag->what, sizeof diag->what, fmt, args); /* cut when too long, on purpose */
    va_end(args);
    make_printable(diag->what);
    return err;
}

void fr_diag_where(struct fr_diag *diag, const char *file, size_t line, size_t column)
{
    if (diag == NULL) return;
    if (line > 0 && column > 0) {
        (void)snprintf(diag->where, sizeof diag->where, "%s:%zu:%zu", file, line, column);
    } else if (line > 0) {
        (void)snprintf(diag->where, sizeof diag->where, "%s:%zu", file, line);
    } else {
        (void)snprintf(diag->where, sizeof diag->where, "%s", file);
    }
    make_printable(diag->where);
}

void fr_diag_hint(struct fr_diag *diag, const char *fmt, ...)
{
    va_list args;

    if (diag == NULL) return;
    va_start(args, fmt);
    (void)vsnprintf(diag->hint, sizeof diag->hint, fmt, args);
    va_end(args);
    make_printable(diag->hint);
}

void fr_diag_print(const struct fr_diag *diag, enum fr_err err, char *out, size_t size)
{
    bool has_what = diag != NULL && diag->what[0] != '\0';
    bool has_where = has_what && diag->where[0] != '\0';
    bool has_hint = has_what && diag->hint[0] != '\0';

    (void)snprintf(out, size, "%s%s%s%s%s%s", has_where ? diag->where : "", has_where ? ": " : "",
                   has_what ? diag->what : fr_err_text(err), has_hint ? " (" : "",
                   has_hint ? diag->hint : "", has_hint ? ")" : "");
}
