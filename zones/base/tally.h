#pragma once
/* Counts per key, for "so many at once from each of them": places that are taken and given back.
 *
 * Model: a key is there while its count is above 0, so the table is as large as what is open.
 * Owns: a copy of each key. Threads: one at a time. Errors: FR_E_NOMEM; a count at its limit.
 * Units and limits: keys of at most FR_TALLY_KEY bytes.
 * Trust: keys may be a peer's choice; the hash is keyed with random bytes. */

#include "base/err.h"
#include "base/span.h"

#define FR_TALLY_KEY 40

struct fr_tally;

enum fr_err fr_tally_new(struct fr_tally **out);
void fr_tally_free(struct fr_tally *tally); /* NULL is legal */

/* One more of key. FR_E_LIMIT when there are `max` already; FR_E_NOMEM; both change nothing. */
enum fr_err fr_tally_take(struct fr_tally *tally, struct fr_span key, unsigned max);

/* One less; key has been taken before. */
void fr_tally_give(struct fr_tally *tally, struct fr_span key);

unsigned fr_tally_count(const struct fr_tally *tally, struct fr_span key);
size_t fr_tally_keys(const struct fr_tally *tally);
