#pragma once
/* Results for stdout: a table, or one record, as aligned text or as JSON, from one description.
 *
 * Model: columns first, then cells in column order (a row is full after the last column), then
 * one print. Errors are sticky and come out of the print. Owns: copies of every cell. Units and
 * limits: at most 64 columns; held in memory, so not for millions of rows. Trust: control
 * characters in cells are shown as '?', JSON is escaped. */

#include "base/cli.h"
#include "base/err.h"
#include <stdint.h>

struct fr_table;

struct fr_column {
    const char *key;   /* JSON key; also the name in a text record */
    const char *title; /* heading in a text table; NULL = key */
    bool is_right;     /* numbers */
};

/* The columns end with {NULL} and are borrowed until free. */
enum fr_err fr_table_new(const struct fr_column *columns, struct fr_table **out);
void fr_table_free(struct fr_table *t);

void fr_table_text(struct fr_table *t, const char *text); /* NULL = none */
void fr_table_textf(struct fr_table *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void fr_table_uint(struct fr_table *t, uint64_t v);
void fr_table_bool(struct fr_table *t, bool v); /* text: yes, no */
void fr_table_none(struct fr_table *t);         /* text: "-", JSON: null */
/* text: comma separated, JSON: array */
void fr_table_texts(struct fr_table *t, const char *const *items, size_t n);
size_t fr_table_rows(const struct fr_table *t); /* full rows */

/* Text: headings and aligned rows (nothing at all when empty); JSON: an array of objects; CSV: a
 * line of keys, then the rows (RFC 4180, lines end with LF).
 * FR_E_IO when writing fails. */
enum fr_err fr_table_print(const struct fr_table *t, enum fr_output output, FILE *out);

/* Only the first row. Text: one "key  value" line each; JSON: one object. */
enum fr_err fr_table_print_record(const struct fr_table *t, enum fr_output output, FILE *out);
