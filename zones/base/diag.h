#pragma once
/* One sentence for a human about one failure: where, what, and what to do.
 *
 * Model: a plain value on the caller's stack (`struct fr_diag diag = {0};`), filled where the
 * fault is known, printed once at the boundary. Every function here accepts a NULL diag and then
 * only returns.
 * Units and limits: texts are cut at their array's size, never refused. Trust: a peer's bytes
 * may be given as %s arguments; control characters are replaced by '?' when stored. */

#include "base/err.h"
#include <stddef.h>

struct fr_diag {
    char where[256]; /* "file:line:column", or what was being worked on; may be empty */
    char what[512];  /* the fault; empty = nothing set */
    char hint[256];  /* what to do about it; may be empty */
};

/* Stores the sentence (replacing an earlier one, its place and hint) and returns `err`, so that
 * a fault is one line: `return fr_diag_fail(diag, FR_E_INVALID, "NetID %s has non-zero RFU
 * bits", text);` */
enum fr_err fr_diag_fail(struct fr_diag *diag, enum fr_err err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Adds the place to a sentence already stored; line 0 and column 0 are left out. */
void fr_diag_where(struct fr_diag *diag, const char *file, size_t line, size_t column);

/* Adds what to do about it. */
void fr_diag_hint(struct fr_diag *diag, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* "where: what (hint)" into out, always terminated; the text of `err` stands in for a diag that
 * is NULL or empty. */
void fr_diag_print(const struct fr_diag *diag, enum fr_err err, char *out, size_t size);
