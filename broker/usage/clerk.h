#pragma once
/*
 * The clerk of one federation: a thread that brings what workers count and note to disk, so that
 * none of them waits for it.
 *
 * Model: once a minute, at the turn of the UTC day and at the end it adds the counts of look-ups to
 *   the store (store/lookups.h); counts the store does not take are kept for the next time. Once a
 *   day it drops days older than the policy stats.keep. Where a query log is set, it writes what
 *   workers noted, each second or sooner.
 * Owns: its thread and the query log's file. Borrows usage, store, log and clock.
 * Threads: starts one. start, set_log, stop are for one thread; counters for any.
 * Errors: FR_E_NOMEM, FR_E_CREATE (the query log; diag).
 * Units and limits: a crash loses at most the last minute's counts and the last second's notes.
 */
#include "store/store.h"
#include "usage/query_file.h"
#include "usage/usage.h"

struct fr_clerk;

struct fr_clerk_options {
    struct fr_usage *usage;
    struct fr_store *store;
    const struct fr_log *log;
    const struct fr_clock *clock; /* NULL: the system's */
    unsigned flush_ms;            /* between additions to the store; 0: a minute */
};

enum fr_err fr_clerk_start(const struct fr_clerk_options *options, struct fr_clerk **out);

/* The query log from now on; NULL: none. On failure it stays as it was. */
enum fr_err fr_clerk_set_log(struct fr_clerk *clerk, const struct fr_query_file_conf *conf,
                             struct fr_diag *diag);

struct fr_clerk_counters {
    uint64_t lines, lines_lost;   /* of the query log */
    uint64_t counts, counts_lost; /* look-ups added to the store; not counted for want of room */
};
struct fr_clerk_counters fr_clerk_counters(struct fr_clerk *clerk);

/* Writes what there is, and ends the thread. NULL is fine. */
void fr_clerk_stop(struct fr_clerk *clerk);
