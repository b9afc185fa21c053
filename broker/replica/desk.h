#pragma once
/*
 * Who follows this primary, and how far each has come.
 *
 * Model: each request of a replica says what it has on its disk; the desk remembers that by the host of its certificate. With
 *   `ack: replica` the writer waits here until one of them has the last entry.
 * Owns: its rows. Borrows the store. Threads: any.
 * Errors: of waiting: FR_E_UNAVAILABLE with a diag: nobody has confirmed in time.
 * Units and limits: FR_DESK_FOLLOWERS; one more takes the place of the one that was not heard for longest.
 */
#include "base/clock.h"
#include "store/cert.h"
#include "store/feed.h"

#define FR_DESK_FOLLOWERS 16

struct fr_feed_desk;

enum fr_err fr_feed_desk_new(struct fr_store *store, const struct fr_clock *clock,
                             struct fr_feed_desk **out);
void fr_feed_desk_free(struct fr_feed_desk *desk); /* NULL is fine */

/* A replica with this certificate has that on disk. */
void fr_feed_desk_note(struct fr_feed_desk *desk, const struct fr_cert_row *who,
                       const struct fr_feed_place *have);

/* Waits until a replica has the store's last entry. With limit_ms 0 nobody has to. */
enum fr_err fr_feed_desk_wait(struct fr_feed_desk *desk, struct fr_diag *diag);
void fr_feed_desk_set_limit(struct fr_feed_desk *desk, uint32_t limit_ms);

struct fr_desk_follower {
    char host[FR_HOST_MAX + 1];
    uint64_t position;
    int64_t silent_ms; /* since it was last heard */
    int64_t lag_ms;    /* since it last had all that there was; 0: it has */
};
struct fr_feed_desk_counters {
    size_t n;
    struct fr_desk_follower followers[FR_DESK_FOLLOWERS];
    uint64_t confirmed, unconfirmed; /* waits */
};
void fr_feed_desk_read(struct fr_feed_desk *desk, struct fr_feed_desk_counters *out);
