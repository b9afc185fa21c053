#pragma once
/*
 * A part of a batch of devices, as the operation device.batch takes it, and what becomes of each of its lines.
 *
 * Model: a line is a row of FR_BATCH_ROW bytes: what is asked ('p' put, 'd' delete, 'c' claim, 'r' release to the holder of the NetID, for a
 *   week, 'x' a line that was not understood), NetID (3; 0: whichever, with 'd'), DevEUI (8), big endian. What becomes of it is a letter, in the reply and in the store; a letter stands for
 *   a word and a status as HTTP has them. Each line stands for itself: one that is refused changes nothing of the others.
 *   A part is done in the order of its DevEUIs (lines about the same one in the order they came in), slice by slice: that order is
 *   the table's, so a page is written once and not once for each of its rows. In the reply a capital letter says that it came to
 *   this when the part was sent before, with the same key, and a space that the line was not done, because too many of a
 *   member's lines before it were other members' devices: `next` says from where on in that order, for a request with that as its `from`.
 * Units and limits: FR_BATCH_PART rows in a part, FR_BATCH_ROWS of them in one transaction, FR_BATCH_TAKEN before it stops.
 */
#include "store/idempotency.h"

#define FR_BATCH_ROW 12
#define FR_BATCH_ROWS FR_IDEM_LINES
#define FR_BATCH_PART FR_IDEM_PART
#define FR_BATCH_TAKEN 1000

struct fr_batch_result {
    char letter;
    const char *word;
    unsigned status;
};

extern const struct fr_batch_result fr_batch_results[]; /* ends with a letter 0 */

/* NULL: no such letter. */
const struct fr_batch_result *fr_batch_result_find(char letter);
