#pragma once
/*
 * A part of a batch of devices, as the operation device.batch takes it, and what becomes of each of its lines.
 *
 * Model: a line is a row of FR_BATCH_ROW bytes: what is asked ('p' put, 'd' delete, 'x' a line that was not understood), NetID (3;
 *   0: whichever, with 'd'), DevEUI (8), big endian. What becomes of it is a letter, in the reply and in the store; a letter stands for
 *   a word and a status as HTTP has them. Each line stands for itself: one that is refused changes nothing of the others.
 */
#include "store/idempotency.h"

#define FR_BATCH_ROW 12
#define FR_BATCH_ROWS FR_IDEM_LINES /* in one part */

struct fr_batch_result {
    char letter;
    const char *word;
    unsigned status;
};

extern const struct fr_batch_result fr_batch_results[]; /* ends with a letter 0 */

/* NULL: no such letter. */
const struct fr_batch_result *fr_batch_result_find(char letter);
