#pragma once
/*
 * One LMDB environment: a directory with data.mdb and lock.mdb, opened once per process and shared by any number of processes.
 *
 * Model: an environment holds named *tables* (plain key → value, keys in byte order) that the caller lists when it opens it
 *   and then names by their index in that list. Work happens in transactions (db/txn.h). The table "meta" always exists; its
 *   row "schema" says which version of the caller's layout the files have.
 * Owns: the handle, its descriptors and the map. Nothing read through it outlives its transaction.
 * Threads: the handle may be used by any thread; see db/txn.h for transactions. Opening and closing are for one thread.
 *   Never fork with an open environment.
 * Errors: FR_E_NOT_FOUND (no environment there and `create` is false), FR_E_SCHEMA (schema older or newer than wanted),
 *   FR_E_CONFIG (network file system), FR_E_CONFLICT (already open in this process, or held from another PID namespace: LMDB's locks do not
 *   reach across those), FR_E_PERM, FR_E_IO, FR_E_NOMEM, FR_E_BUSY (every reader slot is taken), FR_E_MALFORMED
 *   (not an LMDB file, or damaged). The diag says what and what to do.
 * Units and limits: map_size in bytes of address space (the file grows only as it is used); keys 1…511 bytes; at most
 *   FR_DB_TABLES_MAX tables; FR_DB_READERS_DEFAULT readers at a time.
 * Trust: the files belong to the service user (0600) and are trusted as structure; values are decoded by the caller, strictly.
 */
#include "base/diag.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FR_DB_TABLES_MAX 30
#define FR_DB_KEY_MAX 511
#define FR_DB_MAP_DEFAULT (1ULL << 40) /* 1 TiB of address space */
#define FR_DB_READERS_DEFAULT 510

struct fr_db;

struct fr_db_options {
    const char *dir; /* must exist */
    const char *const
        *tables; /* names, borrowed for the call; index = table number; "meta" is not listed */
    size_t n_tables;
    uint32_t schema;          /* the version this program reads and writes */
    uint64_t map_size;        /* 0: FR_DB_MAP_DEFAULT */
    bool create;              /* make the files and tables that are not there */
    bool is_read_only;        /* no write transactions; the lock file is still written to */
    bool accept_older;        /* open an older schema all the same (for an upgrade) */
    const char *upgrade_hint; /* what to run when the schema is older; NULL: no hint */
};

enum fr_err fr_db_open(const struct fr_db_options *options, struct fr_diag *diag,
                       struct fr_db **out);

/* Every transaction must have ended. NULL is fine. */
void fr_db_close(struct fr_db *db);

/* Schema version found in the files (= wanted, unless accept_older). */
uint32_t fr_db_schema(const struct fr_db *db);

/* Number of the last committed transaction of any process: moves with every commit. Costs no system call (~10 ns). */
uint64_t fr_db_last_txn(const struct fr_db *db);

struct fr_db_info {
    uint64_t map_size; /* bytes of address space */
    uint64_t used;     /* bytes of the file in use, free pages included */
    uint64_t last_txn;
    uint32_t readers; /* slots in use */
    uint32_t readers_max;
};
enum fr_err fr_db_read_info(struct fr_db *db, struct fr_db_info *out);

/* Frees reader slots of processes that died. Called at open; a daemon calls it now and then. Returns how many were freed. */
unsigned fr_db_clear_dead_readers(struct fr_db *db);

/*
 * Hot copy: writes a compact, consistent copy of the environment to dir/data.mdb of an existing directory, mode 0600,
 * synced to disk. FR_E_EXISTS when there is one already; on another failure the partial file is removed.
 */
enum fr_err fr_db_copy(struct fr_db *db, const char *dir, struct fr_diag *diag);

/*
 * Writes the environment anew without its free pages, in the place of the old files: gives space back to the file system, and old bytes
 * are gone with the old pages. Nobody may have it open, in this process or another: FR_E_BUSY. Needs as much free space as is in use.
 * *before and *after: bytes on disk. On failure, and when cut short, the old file is there.
 */
enum fr_err fr_db_compact(const char *dir, struct fr_diag *diag, uint64_t *before, uint64_t *after);
