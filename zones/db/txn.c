#include "db/txn.h"

#include "base/mem.h"
#include "base/wire.h"
#include "db/env.h"

struct fr_txn {
    struct fr_db *db;
    MDB_txn *mdb;
    bool is_write;
    bool is_nested;
    bool is_live; /* counted in db->live */
};

struct fr_cursor {
    MDB_cursor *mdb;
};

static MDB_val val(struct fr_span s)
{
    return (MDB_val){s.n, (void *)(uintptr_t)s.p};
}

static struct fr_span span(MDB_val v)
{
    return (struct fr_span){v.mv_data, v.mv_size};
}

static MDB_dbi dbi(const struct fr_txn *txn, uint32_t table)
{
    return table == FR_DB_META ? txn->db->meta : txn->db->tables[table];
}

/* The map may only be replaced while nothing in this process looks at it: those who begin count themselves, the one who
 * replaces it waits for nobody but gives up when somebody counts. */
static bool enter(struct fr_db *db)
{
    atomic_fetch_add(&db->live, 1);
    if (!atomic_load(&db->is_resizing)) return true;
    atomic_fetch_sub(&db->live, 1);
    return false;
}

static void leave(struct fr_db *db)
{
    atomic_fetch_sub(&db->live, 1);
}

/* Another process wrote past the size of our map: take its size over. */
static int adopt_map_size(struct fr_db *db)
{
    bool expected = false;
    int rc = MDB_MAP_RESIZED;

    if (!atomic_compare_exchange_strong(&db->is_resizing, &expected, true)) return rc;
    if (atomic_load(&db->live) == 0) rc = mdb_env_set_mapsize(db->env, 0);
    atomic_store(&db->is_resizing, false);
    return rc;
}

static int begin_once(struct fr_txn *txn)
{
    if (!enter(txn->db)) return MDB_MAP_RESIZED;
    int rc = txn->mdb != NULL
                 ? mdb_txn_renew(txn->mdb)
                 : mdb_txn_begin(txn->db->env, NULL, txn->is_write ? 0 : MDB_RDONLY, &txn->mdb);
    if (rc != 0)
        leave(txn->db);
    else
        txn->is_live = true;
    return rc;
}

/* Begins or renews, curing what can be cured once. */
static int begin(struct fr_txn *txn)
{
    int rc = begin_once(txn);

    if (rc == MDB_MAP_RESIZED && adopt_map_size(txn->db) == 0) rc = begin_once(txn);
    if (rc == MDB_READERS_FULL && fr_db_clear_dead_readers(txn->db) > 0) rc = begin_once(txn);
    return rc;
}

static enum fr_err new_txn(struct fr_db *db, bool is_write, struct fr_txn **out)
{
    if (is_write && db->is_read_only) return FR_E_PERM;
    struct fr_txn *txn = fr_calloc(1, sizeof *txn);
    if (txn == NULL) return FR_E_NOMEM;
    txn->db = db;
    txn->is_write = is_write;
    int rc = begin(txn);
    if (rc != 0) {
        fr_free(txn);
        return fr_db_err(rc);
    }
    *out = txn;
    return FR_OK;
}

enum fr_err fr_txn_read(struct fr_db *db, struct fr_txn **out)
{
    return new_txn(db, false, out);
}

enum fr_err fr_txn_write(struct fr_db *db, struct fr_txn **out)
{
    return new_txn(db, true, out);
}

enum fr_err fr_txn_nested(struct fr_txn *parent, struct fr_txn **out)
{
    struct fr_txn *txn = fr_calloc(1, sizeof *txn);

    if (txn == NULL) return FR_E_NOMEM;
    txn->db = parent->db;
    txn->is_write = true;
    txn->is_nested = true;
    int rc = mdb_txn_begin(parent->db->env, parent->mdb, 0, &txn->mdb);
    if (rc != 0) {
        fr_free(txn);
        return fr_db_err(rc);
    }
    *out = txn;
    return FR_OK;
}

static void gone(struct fr_txn *txn)
{
    if (txn->is_live) leave(txn->db);
    txn->is_live = false;
}

void fr_txn_reset(struct fr_txn *txn)
{
    if (!txn->is_live) return;
    mdb_txn_reset(txn->mdb);
    gone(txn);
}

enum fr_err fr_txn_renew(struct fr_txn *txn)
{
    return fr_db_err(begin(txn));
}

uint64_t fr_txn_id(const struct fr_txn *txn)
{
    return mdb_txn_id(txn->mdb);
}

enum fr_err fr_txn_commit(struct fr_txn *txn)
{
    int rc = mdb_txn_commit(txn->mdb); /* frees it also when it fails */

    gone(txn);
    fr_free(txn);
    return fr_db_err(rc);
}

void fr_txn_end(struct fr_txn *txn)
{
    if (txn == NULL) return;
    if (txn->mdb != NULL) mdb_txn_abort(txn->mdb);
    gone(txn);
    fr_free(txn);
}

enum fr_err fr_txn_get(struct fr_txn *txn, uint32_t table, struct fr_span key, struct fr_span *out)
{
    MDB_val k = val(key), v;
    int rc = mdb_get(txn->mdb, dbi(txn, table), &k, &v);

    if (rc == 0) *out = span(v);
    return fr_db_err(rc);
}

static enum fr_err put(struct fr_txn *txn, uint32_t table, struct fr_span key, struct fr_span value,
                       unsigned flags)
{
    MDB_val k = val(key), v = val(value);

    return fr_db_err(mdb_put(txn->mdb, dbi(txn, table), &k, &v, flags));
}

enum fr_err fr_txn_put(struct fr_txn *txn, uint32_t table, struct fr_span key, struct fr_span value)
{
    return put(txn, table, key, value, 0);
}

enum fr_err fr_txn_insert(struct fr_txn *txn, uint32_t table, struct fr_span key,
                          struct fr_span value)
{
    return put(txn, table, key, value, MDB_NOOVERWRITE);
}

enum fr_err fr_txn_append(struct fr_txn *txn, uint32_t table, struct fr_span key,
                          struct fr_span value)
{
    return put(txn, table, key, value, MDB_APPEND);
}

enum fr_err fr_txn_delete(struct fr_txn *txn, uint32_t table, struct fr_span key)
{
    MDB_val k = val(key);

    return fr_db_err(mdb_del(txn->mdb, dbi(txn, table), &k, NULL));
}

enum fr_err fr_txn_count(struct fr_txn *txn, uint32_t table, uint64_t *out)
{
    MDB_stat stat;
    int rc = mdb_stat(txn->mdb, dbi(txn, table), &stat);

    if (rc == 0) *out = stat.ms_entries;
    return fr_db_err(rc);
}

enum fr_err fr_txn_drop_some(struct fr_txn *txn, uint32_t table, size_t limit, bool *left)
{
    MDB_cursor *cursor = NULL;
    MDB_val k, v;

    int rc = mdb_cursor_open(txn->mdb, dbi(txn, table), &cursor);
    if (rc != 0) return fr_db_err(rc);
    for (size_t i = 0; rc == 0 && i < limit; i++) {
        rc = mdb_cursor_get(cursor, &k, &v, MDB_FIRST);
        if (rc == 0) rc = mdb_cursor_del(cursor, 0);
    }
    if (rc == 0) rc = mdb_cursor_get(cursor, &k, &v, MDB_FIRST);
    mdb_cursor_close(cursor);
    if (rc != 0 && rc != MDB_NOTFOUND) return fr_db_err(rc);
    *left = rc == 0;
    return FR_OK;
}

enum fr_err fr_txn_set_schema(struct fr_txn *txn, uint32_t schema)
{
    uint8_t bytes[4];
    struct fr_wr w = fr_wr(bytes, sizeof bytes);

    fr_wr_u32(&w, schema);
    enum fr_err err = fr_txn_put(txn, FR_DB_META, FR_SPAN_LIT("schema"), fr_wr_done(&w));
    if (err == FR_OK) txn->db->schema = schema;
    return err;
}

enum fr_err fr_cursor_open(struct fr_txn *txn, uint32_t table, struct fr_cursor **out)
{
    struct fr_cursor *cursor = fr_calloc(1, sizeof *cursor);

    if (cursor == NULL) return FR_E_NOMEM;
    int rc = mdb_cursor_open(txn->mdb, dbi(txn, table), &cursor->mdb);
    if (rc != 0) {
        fr_free(cursor);
        return fr_db_err(rc);
    }
    *out = cursor;
    return FR_OK;
}

static enum fr_err step(struct fr_cursor *cursor, MDB_val k, MDB_cursor_op op, struct fr_span *key,
                        struct fr_span *value)
{
    MDB_val v;
    int rc = mdb_cursor_get(cursor->mdb, &k, &v, op);

    if (rc == 0) {
        *key = span(k);
        *value = span(v);
    }
    return fr_db_err(rc);
}

enum fr_err fr_cursor_seek(struct fr_cursor *cursor, struct fr_span key, struct fr_span *found,
                           struct fr_span *value)
{
    return step(cursor, val(key), MDB_SET_RANGE, found, value);
}

enum fr_err fr_cursor_first(struct fr_cursor *cursor, struct fr_span *key, struct fr_span *value)
{
    return step(cursor, (MDB_val){0}, MDB_FIRST, key, value);
}

enum fr_err fr_cursor_last(struct fr_cursor *cursor, struct fr_span *key, struct fr_span *value)
{
    return step(cursor, (MDB_val){0}, MDB_LAST, key, value);
}

enum fr_err fr_cursor_next(struct fr_cursor *cursor, struct fr_span *key, struct fr_span *value)
{
    return step(cursor, (MDB_val){0}, MDB_NEXT, key, value);
}

void fr_cursor_close(struct fr_cursor *cursor)
{
    if (cursor == NULL) return;
    mdb_cursor_close(cursor->mdb);
    fr_free(cursor);
}
