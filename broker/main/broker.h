#pragma once
/*
 * The whole broker of one process: federations, the crew that serves them, health and metrics;
 * start, reload, stop.
 *
 * Model: everything here happens on main's loop. A reload reads the file anew: federations that
 *   stay keep their store and writer, new ones are opened, a new crew takes over and the old one
 *   drains, then federations that went are closed. A file that cannot be used changes nothing.
 *   `log` and `admin` are read at start only.
 * Owns: all of it. Borrows the loop, the log and the path. Threads: main's.
 * Errors: with a diag for people; FR_E_CONFIG for the file.
 */

#include "main/crew.h"
#include "transport/loop.h"

struct fr_broker;

struct fr_broker_options {
    struct fr_loop *loop; /* with posts enabled */
    const char *path;     /* of broker.yaml */
    const struct fr_log *log;
    const struct fr_clock *clock;
    const struct fr_passphrase *passphrase; /* unlocks issuing keys; may be NULL */
};

/* Serves when it returns. conf is taken over on success, then zeroed. */
enum fr_err fr_broker_start(const struct fr_broker_options *options, struct fr_broker_conf *conf,
                            struct fr_diag *diag, struct fr_broker **out);

/* FR_E_BUSY while stopping. */
enum fr_err fr_broker_reload(struct fr_broker *broker, struct fr_diag *diag);

/* Stops accepting, drains, then on_stopped. */
void fr_broker_stop(struct fr_broker *broker, void (*on_stopped)(void *data), void *data);

/* After on_stopped. Finishes changes in progress. NULL is legal. */
void fr_broker_free(struct fr_broker *broker);

/* Opens and checks everything a configuration names, and lets go of it again. */
enum fr_err fr_broker_check(const struct fr_broker_conf *conf, struct fr_diag *diag);

/* For health.h: what is to be told. */
/* NULL: it is ready for look-ups of every federation. Static text. */
const char *fr_broker_why_unready(const struct fr_broker *broker);

struct fr_broker_counts {
    struct fr_http_server_counters http; /* of all workers, gone ones included */
    unsigned sessions;                   /* TLS sessions kept */
    size_t n_feds;
    struct fr_fed *const *feds;
    const struct fr_fed_counts *fed_counts; /* gone workers included */
    size_t workers;
    unsigned reloads, reloads_refused;
    uint64_t notifies_dropped;  /* NOTIFY messages over the limit */
    uint64_t transfers_dropped; /* secondaries' questions and connections over the limit */
};
typedef void (*fr_broker_counted_fn)(void *data, const struct fr_broker_counts *counts);

/* FR_E_BUSY while stopping, FR_E_NOMEM; else `counted` is called once every worker has answered. */
enum fr_err fr_broker_count(struct fr_broker *broker, fr_broker_counted_fn counted, void *data);
