#pragma once
/*
 * What was done of a batch, under the key that its sender gave it: so that a batch that was cut short, or whose answer was lost, can
 * be sent again and does nothing twice.
 *
 * Model: a batch is done in *parts*, lines that follow each other, and a part in *slices*, each in the transaction of what it changed.
 *   A part's lines are done in another order than they came in (the same order for the same lines): a slice says where in that order it
 *   begins, what became of each of its lines, and of the part how many lines it has, a digest of what they asked for, and whether it was
 *   the last. An id stands for a member and its key. Slices are kept for the day (UTC) they were made on and the one after it, so a key
 *   holds for 24 hours at least.
 * Owns: nothing. Errors: FR_E_NOT_FOUND; FR_E_CONFLICT: that slice is there already, or its part was divided in another way; the store's.
 * Units and limits: lines are counted from 0; FR_IDEM_LINES of them in one slice, FR_IDEM_PART in one part.
 * Trust: id and digest are hashes, results our own words' letters; keys and lines behind them are a member's.
 */
#include "base/span.h"
#include "base/wire.h"
#include "store/change.h"

#define FR_IDEM_ID_SIZE 16
#define FR_IDEM_LINES 8192
#define FR_IDEM_PART (64 * FR_IDEM_LINES)

struct fr_idem_slice {
    uint32_t first, of; /* the part: its first line, how many lines it has */
    uint32_t at, n;     /* the slice: where in the part's order it begins, how many lines it has */
    bool is_last;       /* the part is the batch's last */
    uint8_t digest[FR_DIGEST_SIZE]; /* of the part */
    char results[FR_IDEM_LINES];    /* one letter for each line */
};

/* The slice at `at` of the part that begins with line `first`. */
enum fr_err fr_idem_get(struct fr_snap *snap, const uint8_t id[FR_IDEM_ID_SIZE], int64_t now_s,
                        uint32_t first, uint32_t at, struct fr_idem_slice *out);

/* Adds a slice; later ones of a batch go to the day of its first one. Takes away some of what is over. */
enum fr_err fr_idem_put(struct fr_change *change, const uint8_t id[FR_IDEM_ID_SIZE],
                        const struct fr_idem_slice *slice);

/* A slice as it is stored; results are kept as runs. Inside of the store, and for its tests. */
enum fr_err fr_idem_read(struct fr_span value, struct fr_idem_slice *slice);
void fr_idem_write(struct fr_wr *w, const struct fr_idem_slice *slice);
#define FR_IDEM_VALUE_MAX (1 + 4 + 4 + 4 + 1 + FR_DIGEST_SIZE + 3 * FR_IDEM_LINES)
