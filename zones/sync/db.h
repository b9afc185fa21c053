#pragma once
/*
 * A database that is read, and only read: one query at a time, row by row.
 *
 * Model: opened in a transaction that sees one moment. query begins; next gives rows until FR_E_CLOSED; a new query ends the
 *   one before. Parameters are texts and stand as $1, $2, … in the SQL. A cell is a text or NULL, borrowed until the next call.
 * Owns: connection and statement, until fr_sync_db_close.
 * Threads: one; blocks, for at most the time given on opening. libpq looks at its own environment variables (PGSSLMODE, …).
 * Errors: FR_E_UNAVAILABLE (not reached, or lost), FR_E_SCHEMA (a table or column is not there), FR_E_PERM (no right to read),
 *   FR_E_TIMEOUT, FR_E_BUSY (locked by somebody who changes tables), FR_E_INVALID (connection string), FR_E_IO, FR_E_NOMEM.
 * Units and limits: FR_SYNC_CELLS columns; memory for one row.
 * Trust: rows are what others typed: checked by whoever takes them. A connection string never shows up in a message.
 */
#include "base/diag.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FR_SYNC_CELLS 20

struct fr_sync_db;

struct fr_sync_db_kind {
    bool is_sqlite;
    enum fr_err (*query)(struct fr_sync_db *db, const char *sql, const char *const *params,
                         size_t n, struct fr_diag *diag);
    enum fr_err (*next)(struct fr_sync_db *db, struct fr_diag *diag,
                        const char *cells[FR_SYNC_CELLS]);
    void (*close)(struct fr_sync_db *db);
};

struct fr_sync_db {
    const struct fr_sync_db_kind *kind;
};

enum fr_err fr_sync_db_open_postgresql(const char *dsn, uint32_t timeout_ms, struct fr_diag *diag,
                                       struct fr_sync_db **out);
enum fr_err fr_sync_db_open_sqlite(const char *path, uint32_t timeout_ms, struct fr_diag *diag,
                                   struct fr_sync_db **out);
static inline void fr_sync_db_close(struct fr_sync_db *db) /* NULL is fine */
{
    if (db) db->kind->close(db);
}
