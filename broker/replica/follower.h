#pragma once
/*
 * Follows a primary's feed into a replica's store.
 *
 * Model: a thread asks, takes the answer over, and asks again; with nothing new the primary holds the request until there is.
 *   The primary may be at any of the addresses: one that is not reached, or is not the primary, is followed by the next. While
 *   the own store is the primary itself the thread is its *herald*: it tells its term to the others, and steps down when one of
 *   them knows a newer one. A deposed primary follows as soon as its lost changes are kept elsewhere (replica/diverged.h).
 *   A follower in step also takes over the revocation lists (replica/lists.h) and renews its certificate (replica/renewal.h).
 * Owns: thread, loop, connections. Borrows store, log, clock; no other thread of this process changes a replica's store.
 * Threads: start and stop from the one that owns the handle; status from any.
 * Errors: are logged when they change and told by the status; it never gives up.
 * Units and limits: a wait of FR_FOLLOWER_WAIT_MS, messages of FR_FEED_MESSAGE_MAX.
 * Trust: the primary's certificate must be of the federation and name its broker; messages are read as a stranger's.
 */
#include "base/addr.h"
#include "base/log.h"
#include "store/feed.h"

#define FR_FOLLOWER_WAIT_MS 1000 /* so far behind the truth is what is told of the lag */

struct fr_follower;

struct fr_follower_options {
    struct fr_store *store;
    const struct fr_log *log;
    const struct fr_clock *clock;
    const char *url; /* as configured, for people; all strings are copied */
    const char *host;
    uint16_t port;
    const struct fr_addr *addrs;
    size_t n_addrs;
    const char *chain, *key, *ca; /* files, read at each new connection */
};

enum fr_err fr_follower_start(const struct fr_follower_options *options, struct fr_diag *diag,
                              struct fr_follower **out);
/* Ends the thread: a message being taken over is finished. NULL is fine. */
void fr_follower_stop(struct fr_follower *follower);

struct fr_follower_status {
    bool is_connected; /* the last request was answered by a primary */
    int64_t in_step_s; /* when this store last held all that the primary had; 0: never */
    uint64_t primary;  /* the primary's last entry, as it last said */
    uint64_t entries;  /* taken over */
    uint64_t rows;     /* of images and entries */
    uint64_t images;   /* begun */
    uint64_t faults;   /* requests that came to nothing */
    char why[512];     /* of the last fault; "" when there is none now */
};
void fr_follower_read(struct fr_follower *follower, struct fr_follower_status *out);
