/* What a command did and what is to be done next: lines under a few headings, as text or as JSON.
 *
 * Owns     Copies of what it is told; fr_report_free.
 * Threads  One. Errors: sticky, given by fr_report_print: FR_E_NOMEM, FR_E_IO.
 * Limits   FR_REPORT_LINES lines; more are left out. */
#pragma once

#include "base/buf.h"
#include "base/cli.h"

#define FR_REPORT_LINES 256

struct fr_report {
    size_t n;
    struct fr_report_line {
        const char *key; /* a literal: "wrote" */
        char *text;
    } lines[FR_REPORT_LINES];
    bool is_out_of_memory;
};

void fr_report_add(struct fr_report *report, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
size_t fr_report_count(const struct fr_report *report, const char *key);

/* Text: "key  text" a line. JSON: {"key": [texts…], …} in the order of the keys (ends with NULL), with
 * an empty list where a key has no line, and "changed". */
enum fr_err fr_report_print(const struct fr_report *report, const char *const *keys, bool changed,
                            const struct fr_cli *cli);
void fr_report_free(struct fr_report *report);
