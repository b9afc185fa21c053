#pragma once
/* The hunt for one Join Server: follows its trail (trail.h) by asking the brokers of a federation and
 * public DNS, or looks for it (or for a network) in the public trees, one after the other.
 *
 * Model: one question at a time. A broker that cannot answer ends the hunt; a public server that cannot
 *   costs its step only, which may take half of the time left. A public tree that has the name but no
 *   server to it is left for the next one.
 * Owns: itself until its end, its trail and its question. Threads: the loop's. Errors: FR_E_NOMEM,
 *   FR_E_LIMIT from its start; everything later is its end.
 * Units: ms on the loop's clock. */

#include "resolver/cache.h"
#include "resolver/doh.h"

struct fedroam;
struct fr_hunt;

enum { FR_HUNT_STEP_MIN_MS = 20 };

/* Valid during the call, but for the place, which the receiver owns. */
struct fr_hunt_end {
    enum fedroam_result result;
    struct fr_place *place;           /* FOUND */
    uint32_t ttl_s;                   /* UNKNOWN */
    const char *reason;               /* UNKNOWN; may be "" */
    const struct fr_judgement *fault; /* every other result */
};

struct fr_hunter {
    /* Once, from the loop, never from inside a call; the hunt is gone then. */
    void (*done)(void *data, const struct fr_hunt_end *end);
    /* When the last of those who wait gives up; negative: nobody waits, it may end. */
    int64_t (*until_ms)(void *data);
    void *data;
};

/* `key` says what is looked for, and with whom: a federation, or FR_PUBLIC_TREES. */
enum fr_err fr_hunt_start(struct fedroam *f, struct fr_cache_key key,
                          const struct fr_hunter *hunter, struct fr_hunt **out);

/* Ends it without its call. NULL is legal. */
void fr_hunt_cancel(struct fr_hunt *h);
