/* The questions a load run asks: which DevEUIs, and the DNS message for each.
 *
 * Model: DevEUIs come from a file or from a range; each question picks one at random, or, for the
 * miss ratio, any 64-bit number (which a zone of millions does not hold). The message is a template
 * whose 16 digits are replaced: type A, ID 0, no EDNS.
 * Owns: the numbers read from a file. Threads: one. Trust: the file is the user's. */
#pragma once

#include "base/diag.h"
#include "base/span.h"
#include <stddef.h>
#include <stdint.h>

struct fr_questions {
    uint64_t *euis; /* NULL: the range */
    size_t n;
    uint64_t first;    /* of the range */
    uint32_t miss_ppm; /* questions in a million that nobody has an answer to */
    uint64_t random;   /* state */
    uint8_t wire[300]; /* the message */
    size_t wire_n;
};

/* From first to first + n - 1. FR_E_INVALID: no federation name, or n is 0. */
enum fr_err fr_questions_range(struct fr_questions *q, const char *federation, uint64_t first,
                               uint64_t n, uint32_t miss_ppm, struct fr_diag *diag);

/* One DevEUI a line, up to a comma, blank or the end; a first line that holds none is a heading.
 * FR_E_MALFORMED with the line, those of base/file.h. */
enum fr_err fr_questions_file(struct fr_questions *q, const char *federation, const char *path,
                              uint32_t miss_ppm, struct fr_diag *diag);

void fr_questions_deinit(struct fr_questions *q);

/* The next message; valid until the next call. */
struct fr_span fr_questions_next(struct fr_questions *q);
