#include "sync/db.h"

#include "base/mem.h"

#include <sqlite3.h>

struct sqlite {
    struct fr_sync_db base;
    sqlite3 *db;
    sqlite3_stmt *statement;
};

static void lite_close(struct fr_sync_db *db)
{
    struct sqlite *s = (struct sqlite *)db;
    (void)sqlite3_finalize(s->statement);
    (void)sqlite3_close(s->db);
    fr_free(s);
}

static enum fr_err fail(struct sqlite *s, struct fr_diag *diag)
{
    enum fr_err err = FR_E_IO;
    switch (sqlite3_errcode(s->db)) {
    case SQLITE_ERROR: err = FR_E_SCHEMA; break;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: err = FR_E_BUSY; break;
    case SQLITE_CANTOPEN: err = FR_E_UNAVAILABLE; break;
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_READONLY: err = FR_E_PERM; break;
    case SQLITE_NOMEM: err = FR_E_NOMEM; break;
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT: err = FR_E_MALFORMED; break;
    default: break;
    }
    return fr_diag_fail(diag, err, "SQLite: %s", sqlite3_errmsg(s->db));
}

static enum fr_err lite_query(struct fr_sync_db *db, const char *sql, const char *const *params,
                              size_t n, struct fr_diag *diag)
{
    struct sqlite *s = (struct sqlite *)db;
    (void)sqlite3_finalize(s->statement);
    s->statement = NULL;
    if (sqlite3_prepare_v2(s->db, sql, -1, &s->statement, NULL) != SQLITE_OK) return fail(s, diag);
    if (sqlite3_column_count(s->statement) > FR_SYNC_CELLS) return FR_E_LIMIT;
    for (size_t i = 0; i < n; i++)
        if (sqlite3_bind_text(s->statement, (int)i + 1, params[i], -1, SQLITE_STATIC) != SQLITE_OK)
            return fail(s, diag);
    return FR_OK;
}

static enum fr_err lite_next(struct fr_sync_db *db, struct fr_diag *diag,
                             const char *cells[FR_SYNC_CELLS])
{
    struct sqlite *s = (struct sqlite *)db;
    const int status = sqlite3_step(s->statement);
    if (status == SQLITE_DONE) return FR_E_CLOSED;
    if (status != SQLITE_ROW) return fail(s, diag);
    const int n = sqlite3_column_count(s->statement);
    for (int i = 0; i < FR_SYNC_CELLS; i++)
        cells[i] = i < n ? (const char *)sqlite3_column_text(s->statement, i) : NULL;
    return FR_OK;
}

static const struct fr_sync_db_kind kind = {
    .is_sqlite = true, .query = lite_query, .next = lite_next, .close = lite_close};

enum fr_err fr_sync_db_open_sqlite(const char *path, uint32_t timeout_ms, struct fr_diag *diag,
                                   struct fr_sync_db **out)
{
    struct sqlite *s = fr_calloc(1, sizeof *s);
    if (!s) return FR_E_NOMEM;
    s->base.kind = &kind;
    enum fr_err err = FR_OK;
    if (sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK) {
        err = fail(s, diag);
        fr_diag_where(diag, path, 0, 0);
    }
    if (!err) (void)sqlite3_busy_timeout(s->db, timeout_ms < 10000 ? (int)timeout_ms : 10000);
    /* One moment for the check of the tables and the reading. */
    if (!err && sqlite3_exec(s->db, "BEGIN", NULL, NULL, NULL) != SQLITE_OK) err = fail(s, diag);
    if (err) {
        lite_close(&s->base);
        return err;
    }
    *out = &s->base;
    return FR_OK;
}
