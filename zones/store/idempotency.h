#pragma once
/*
 * What was done of a batch, under the key that its sender gave it: so that a batch that was cut short, or whose answer was lost, can
 * be sent again and does nothing twice.
 *
 * Model: a batch is done in *parts*, each in the transaction of what it changed. A part says which lines it was, a digest of what
 *   they asked for, what became of each, and whether it was the last. An id stands for a member and its key. Parts are kept for the
 *   day (UTC) they were made on and the one after it, so a key holds for 24 hours at least.
 * Owns: nothing. Errors: FR_E_NOT_FOUND; FR_E_CONFLICT: that part is there already; the store's.
 * Units and limits: lines are counted from 0; FR_IDEM_LINES of them in one part.
 * Trust: id and digest are hashes, results our own words' letters; keys and lines behind them are a member's.
 */
#include "base/span.h"
#include "base/wire.h"
#include "store/change.h"

#define FR_IDEM_ID_SIZE 16
#define FR_IDEM_LINES 8192

struct fr_idem_part {
    uint32_t first, n; /* lines */
    bool is_last;
    uint8_t digest[FR_DIGEST_SIZE];
    char results[FR_IDEM_LINES]; /* one letter for each line */
};

/* The part that begins with this line. */
enum fr_err fr_idem_get(struct fr_snap *snap, const uint8_t id[FR_IDEM_ID_SIZE], int64_t now_s,
                        uint32_t first, struct fr_idem_part *out);

/* Adds a part; a later part of a batch goes to the day of its first one. Takes away some of what is over. */
enum fr_err fr_idem_put(struct fr_change *change, const uint8_t id[FR_IDEM_ID_SIZE],
                        const struct fr_idem_part *part);

/* A part as it is stored; results are kept as runs. Inside of the store, and for its tests. */
enum fr_err fr_idem_read(struct fr_span value, struct fr_idem_part *part);
void fr_idem_write(struct fr_wr *w, const struct fr_idem_part *part);
#define FR_IDEM_VALUE_MAX (1 + 4 + 1 + FR_DIGEST_SIZE + 3 * FR_IDEM_LINES)
