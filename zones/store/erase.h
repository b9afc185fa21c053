#pragma once
/*
 * Taking a person's or a device's traces out of the journal, for a request that data-protection law gives a right to.
 *
 * Model: an *erasure* goes through the journal in parts, each a durable commit, and rewrites the records that carry what is to go: of a
 *   device the facts about it (the devices, releases and conflicts of that EUI), of a member the organisation and contacts in the facts
 *   about it. Records, their numbers, who and when stay. Rows are the caller's to change first; the records of `since` and later are
 *   left alone, so that replicas and secondaries still learn what that change did.
 * Owns: nothing. Errors: the store's. Threads: one at a time.
 */
#include "store/change.h"

#define FR_ERASE_DEVICES_MAX 100

struct fr_erasure {
    const uint64_t *euis; /* ascending; of devices … */
    size_t n;
    const char *member; /* … or of this member */
    uint64_t since;     /* records from here on stay as they are */
    /* the erasure's own; start from zeros */
    uint64_t at;
    uint64_t facts, records; /* taken out or rewritten; in so many records */
};

/* About budget_ms of it. */
enum fr_err fr_erase_step(struct fr_store *store, struct fr_erasure *erasure, unsigned budget_ms,
                          bool *done);
