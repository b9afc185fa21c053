#pragma once
/*
 * One thread that serves: its own loop, listeners, connections, and for each federation a gate and
 * an answerer.
 *
 * Model: made and wired on main's thread, so that what cannot be had (a port, memory) is known
 *   before anything runs; then the thread runs its loop until stopped. Main speaks to it only by
 *   posting.
 * Owns: loop, server, gates, answerers, a reference of each ident. Borrows the federations' stores,
 *   the log and the clock.
 * Threads: new, start, post-ers (set_ident, sample, stop) and free are main's.
 * Errors: FR_E_NOMEM, those of the listeners (diag).
 * Trust: everything that comes over the listeners is a peer's.
 */

#include "main/conf.h"
#include "main/doors.h"
#include "main/fed.h"
#include "transport/http_server.h"
#include "transport/loop.h"

struct fr_worker;

struct fr_worker_options {
    const struct fr_broker_conf *conf; /* until free */
    struct fr_fed *const *feds;        /* conf->n_federations of them, in its order */
    const struct fr_doors *doors;      /* for the call to new */
    unsigned index;                    /* which of the doors' workers it is */
    struct fr_tls_acceptor *acceptor;  /* a reference is taken */
    const struct fr_log *log;
    const struct fr_clock *clock;
    struct fr_loop *main_loop; /* where call-backs go */
};

enum fr_err fr_worker_new(const struct fr_worker_options *options, struct fr_diag *diag,
                          struct fr_worker **out);
enum fr_err fr_worker_start(struct fr_worker *worker);

/* From the next handshake on. Takes a reference. Without memory the old one stays; FR_E_NOMEM. */
enum fr_err fr_worker_set_ident(struct fr_worker *worker, size_t fed, struct fr_ident *ident);

/* Its counters, copied on its own thread: on_sampled runs on main's loop with the sample filled. */
struct fr_worker_sample {
    struct fr_http_server_counters http;
    struct fr_fed_counts *feds; /* room for conf->n_federations, the caller's */
    void (*on_sampled)(struct fr_worker_sample *sample);
    void *data;
    struct fr_worker *worker; /* set here */
    struct fr_post post;      /* used here */
};
void fr_worker_sample(struct fr_worker *worker, struct fr_worker_sample *sample);

/* Stops accepting, drains, ends the thread; on_stopped on main's loop, after which free joins it.
 */
void fr_worker_stop(struct fr_worker *worker, uint32_t drain_ms,
                    void (*on_stopped)(void *data, struct fr_worker *worker), void *data);

/* The counters of a worker that has stopped. */
void fr_worker_last(const struct fr_worker *worker, struct fr_http_server_counters *http,
                    struct fr_fed_counts *feds);

/* Never started, or stopped. NULL is legal. */
void fr_worker_free(struct fr_worker *worker);
