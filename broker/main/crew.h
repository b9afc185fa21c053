#pragma once
/*
 * The workers of one configuration. A reload makes a new crew beside the old one, which then
 * drains.
 *
 * Model: new (everything is bound, nothing runs) → start → stop → free.
 * Owns: its configuration, acceptor and workers. Borrows the federations, which outlive it.
 * Threads: main's. Errors: those of worker.h.
 */

#include "main/worker.h"

struct fr_crew;

struct fr_crew_options {
    struct fr_broker_conf *conf;  /* taken over on success, then zeroed */
    struct fr_fed *const *feds;   /* conf->n_federations, in its order; the array is copied */
    const struct fr_doors *doors; /* of this configuration; for the call to new */
    const struct fr_log *log;
    const struct fr_clock *clock;
    struct fr_loop *main_loop;
};

enum fr_err fr_crew_new(const struct fr_crew_options *options, struct fr_diag *diag,
                        struct fr_crew **out);
/* Fails only when not one thread can be started. */
enum fr_err fr_crew_start(struct fr_crew *crew);

const struct fr_broker_conf *fr_crew_conf(const struct fr_crew *crew);
size_t fr_crew_n_feds(const struct fr_crew *crew);
struct fr_fed *const *fr_crew_feds(const struct fr_crew *crew);
unsigned fr_crew_sessions(const struct fr_crew *crew); /* TLS sessions kept */

/* Gives the federation's present ident to every worker. */
void fr_crew_spread_ident(struct fr_crew *crew, const struct fr_fed *fed);

/* Counters of all workers together. */
struct fr_crew_counts {
    struct fr_http_server_counters http;
    struct fr_fed_counts *feds; /* one for each federation of the crew */
};
typedef void (*fr_crew_counted_fn)(void *data, struct fr_crew_counts *counts);

/* Asks every worker; `counted` runs on main's loop when the last has answered, so it also proves
 * that they all turn. FR_E_NOMEM. */
enum fr_err fr_crew_count(struct fr_crew *crew, fr_crew_counted_fn counted, void *data);

/* Drains; on_stopped runs on main's loop, with the final counters; then free. Nothing may be asked
 * of it after this. */
void fr_crew_stop(struct fr_crew *crew, uint32_t drain_ms,
                  void (*on_stopped)(void *data, struct fr_crew *crew,
                                     const struct fr_crew_counts *last),
                  void *data);

/* Never started, or stopped. NULL is legal. */
void fr_crew_free(struct fr_crew *crew);

void fr_http_counts_add(struct fr_http_server_counters *sum,
                        const struct fr_http_server_counters *more);
