#pragma once
/*
 * How often each member looked up devices of each network, by day: for settling and for planning.
 *
 * Model: one row for a UTC day, the visited member who asked, and the home NetID of the devices
 *   found; no device is named. A broker adds what it counted once a minute. These are statistics, not
 *   changes: they are in no journal and move no sequence.
 * Owns: nothing. Threads: the snap's; add and drop begin their own write transaction and wait for the
 *   one before.
 * Errors: db/txn.h's; FR_E_FULL: the store is full, and nothing was added.
 * Units and limits: days since 1970; kept for the policy `stats.keep`.
 */
#include "store/store.h"

struct fr_lookup_row {
    uint32_t day;
    char visited[FR_MEMBER_ID_MAX + 1];
    uint32_t netid; /* home */
    uint64_t count;
};

/* Adds each row's count to what is there; all of them or none, durable. */
enum fr_err fr_lookups_add(struct fr_store *store, const struct fr_lookup_row *rows, size_t n);

/* Deletes days before this one, a bounded number of rows; *left: there are more. */
enum fr_err fr_lookups_drop(struct fr_store *store, uint32_t before_day, bool *left);

/* Rows of the days first to last, by day, visited, NetID. */
typedef enum fr_err (*fr_lookup_fn)(void *data, const struct fr_lookup_row *row);
enum fr_err fr_lookups_each(struct fr_snap *snap, uint32_t first, uint32_t last, fr_lookup_fn fn,
                            void *data);
