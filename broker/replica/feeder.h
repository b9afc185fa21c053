#pragma once
/*
 * The primary's side of the feed on one worker: GET /api/v1/feed.
 *
 * Model: a request says what its replica has (store/feed_message.h) and how long it would wait for news; it is answered with
 *   the next message when there is some. Nothing is remembered between requests but at the desk. A request of a newer term
 *   deposes this primary. The gate has let in only who has the right `replica`.
 * Owns: exchanges that wait. Borrows store, desk, loop, log.
 * Threads: the worker's. A first request and a newer term write to the store from here, once.
 * Errors: 400 (no such ask), 503 (not the primary, too many wait, or the store failed).
 * Units and limits: FR_FEEDER_WAITING requests wait, FR_FEEDER_WAIT_MS at most; messages of about FR_FEEDER_ROOM bytes.
 * Trust: the query is a peer's bytes.
 */
#include "base/log.h"
#include "replica/desk.h"
#include "transport/http_server.h"

#define FR_FEEDER_WAITING 64
#define FR_FEEDER_WAIT_MS 30000
#define FR_FEEDER_ROOM (1024 * 1024)

struct fr_feeder;

struct fr_feeder_options {
    struct fr_store *store;
    struct fr_feed_desk *desk;
    struct fr_loop *loop;
    const struct fr_log *log;
    const struct fr_clock *clock;
    void (*on_idle)(void *data); /* nothing waits any more */
    void *data;
};

enum fr_err fr_feeder_new(const struct fr_feeder_options *options, struct fr_feeder **out);
void fr_feeder_free(struct fr_feeder *feeder); /* nothing waits; NULL is fine */

/* Answers x, now or later. `who`: its certificate's row, for the call. */
void fr_feeder_request(struct fr_feeder *feeder, struct fr_http_exchange *x,
                       const struct fr_cert_row *who);

/* Answers what waits, and from now on at once. */
void fr_feeder_stop(struct fr_feeder *feeder);
unsigned fr_feeder_waiting(const struct fr_feeder *feeder);

struct fr_feeder_counters {
    uint64_t messages, bytes;
};
const struct fr_feeder_counters *fr_feeder_counters(const struct fr_feeder *feeder);
