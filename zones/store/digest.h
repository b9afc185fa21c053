#pragma once
/*
 * Whether two stores hold the same: a digest of each table.
 *
 * Model: of one snapshot; keys and values in order. What is local to a machine (look-up counts, the feed's entries, its own
 *   role) is left out, so that a replica that has caught up with its primary has the same digests.
 * Threads: the snap's. Errors: db/txn.h's.
 * Units: 128 bits, against accidents and not against people who look for two stores of one digest.
 */
#include "store/store.h"

#define FR_DIGEST_TEXT 33

struct fr_table_digest {
    const char *table;
    uint64_t rows;
    char digest[FR_DIGEST_TEXT];
};
typedef enum fr_err (*fr_digest_fn)(void *data, const struct fr_table_digest *table);

/* One call for each table, then one named "all". */
enum fr_err fr_store_digest(struct fr_snap *snap, fr_digest_fn fn, void *data);
