#pragma once
/*
 * How far the copies of a federation are that others hold: replicas of this primary, and DNS secondaries.
 *
 * Model: a replica is known by its live certificate with the right `replica`, also when it was never heard; a secondary when it asks.
 *   What is told is of this process: after its start nobody has been heard.
 * Owns: nothing. Threads: main's. Errors: of the store.
 */
#include "main/fed.h"

#define FR_COPIES_MAX 64

struct fr_copy {
    char name[FR_DOWNSTREAM_NAME_MAX + 1]; /* host of a replica, name of a secondary */
    bool is_heard;
    uint64_t at, behind; /* heard: entries of the feed, or changes of the zone */
    int64_t lag_s;       /* since it had all; 0: it has */
    int64_t silent_s;    /* since it was heard, or since this process began */
};

struct fr_copies {
    uint64_t head, sequence; /* what there is to have */
    size_t n_replicas, n_secondaries;
    struct fr_copy replicas[FR_COPIES_MAX], secondaries[FR_COPIES_MAX];
};

enum fr_err fr_copies_read(struct fr_fed *fed, struct fr_copies *out);

/* The inquiry broker.copies. */
void fr_copies_tell(struct fr_fed *fed, const struct fr_inquiry *inquiry);
