#include "db/txn.h"

#include "base/mem.h"
#include "base/wire.h"
#include "db/env.h"

#include <string.h>

struct fr_txn {
    struct fr_db *db;
    MDB_txn *mdb;
    bool is_write;
    bool is_nested;
    bool is_live;      /* counted in db->live */
    struct tape *tape; /* what the tap is to be told, shared with nested ones; NULL: nothing */
    size_t tape_mark;  /* nested: where it was at the beginning */
};

/* The writes of one transaction, until they are told. */
struct tape {
    struct fr_buf ops;
    bool is_telling; /* the tap's own writes are not its news */
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

enum fr_err fr_txn_write_local(struct fr_db *db, struct fr_txn **out)
{
    return new_txn(db, true, out);
}

/* --- the tap --- */

static void tape_free(struct tape *tape)
{
    if (tape == NULL) return;
    fr_buf_deinit(&tape->ops);
    fr_free(tape);
}

enum fr_err fr_txn_write(struct fr_db *db, struct fr_txn **out)
{
    struct fr_txn *txn = NULL;
    bool is_wanted = false;

    enum fr_err err = new_txn(db, true, &txn);
    if (err) return err;
    if (db->has_tap) err = db->tap.begin(db->tap.data, txn, &is_wanted);
    if (err == FR_OK && is_wanted) {
        txn->tape = fr_calloc(1, sizeof *txn->tape);
        if (txn->tape == NULL) err = FR_E_NOMEM;
    }
    if (err) {
        fr_txn_end(txn);
        return err;
    }
    if (txn->tape != NULL) fr_buf_init(&txn->tape->ops, FR_TAP_MAX);
    *out = txn;
    return FR_OK;
}

/* Noted before it is done: what is written may lie in the page that the write moves. */
static bool tape_note(struct fr_txn *txn, const struct fr_row_op *op, size_t *before)
{
    const struct fr_db_tap *tap = &txn->db->tap;

    if (txn->tape == NULL || txn->tape->is_telling || !tap->is_told(tap->data, op->table, op->key))
        return false;
    *before = txn->tape->ops.n;
    fr_row_op_write(&txn->tape->ops, op);
    return true;
}

static enum fr_err tape_tell(struct fr_txn *txn, bool is_last)
{
    const struct fr_db_tap *tap = &txn->db->tap;
    struct tape *tape = txn->tape;

    enum fr_err err = fr_buf_err(&tape->ops);
    if (err || tape->ops.n == 0) return err;
    tape->is_telling = true;
    err = tap->told(tap->data, txn, fr_buf_span(&tape->ops), is_last);
    tape->is_telling = false;
    fr_buf_reset(&tape->ops);
    return err;
}

/* A long transaction tells its writes as it goes; a nested one may still be undone. */
static enum fr_err tape_done(struct fr_txn *txn, bool is_noted, size_t before, enum fr_err err)
{
    if (!is_noted) return err;
    if (err) {
        fr_buf_cut(&txn->tape->ops, before);
        return err;
    }
    if (txn->is_nested || txn->tape->ops.n < FR_TAP_PART) return fr_buf_err(&txn->tape->ops);
    return tape_tell(txn, false);
}

enum fr_err fr_txn_nested(struct fr_txn *parent, struct fr_txn **out)
{
    struct fr_txn *txn = fr_calloc(1, sizeof *txn);

    if (txn == NULL) return FR_E_NOMEM;
    txn->db = parent->db;
    txn->is_write = true;
    txn->is_nested = true;
    txn->tape = parent->tape;
    txn->tape_mark = txn->tape != NULL ? txn->tape->ops.n : 0;
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
    bool has_news = txn->tape != NULL && !txn->is_nested;
    enum fr_err err = has_news ? tape_tell(txn, true) : FR_OK;

    if (err) {
        fr_txn_end(txn);
        return err;
    }
    int rc = mdb_txn_commit(txn->mdb); /* frees it also when it fails */
    gone(txn);
    if (has_news) tape_free(txn->tape);
    if (txn->tape != NULL && txn->is_nested && rc != 0) fr_buf_cut(&txn->tape->ops, txn->tape_mark);
    fr_free(txn);
    return fr_db_err(rc);
}

void fr_txn_end(struct fr_txn *txn)
{
    if (txn == NULL) return;
    if (txn->mdb != NULL) mdb_txn_abort(txn->mdb);
    gone(txn);
    if (txn->tape != NULL && txn->is_nested)
        fr_buf_cut(&txn->tape->ops, txn->tape_mark);
    else
        tape_free(txn->tape);
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
    const struct fr_row_op op = {FR_ROW_PUT, table, key, value};
    MDB_val k = val(key), v = val(value);
    size_t before = 0;
    bool is_noted = tape_note(txn, &op, &before);

    return tape_done(txn, is_noted, before,
                     fr_db_err(mdb_put(txn->mdb, dbi(txn, table), &k, &v, flags)));
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
    const struct fr_row_op op = {FR_ROW_DELETE, table, key, {NULL, 0}};
    MDB_val k = val(key);
    size_t before = 0;
    bool is_noted = tape_note(txn, &op, &before);

    return tape_done(txn, is_noted, before,
                     fr_db_err(mdb_del(txn->mdb, dbi(txn, table), &k, NULL)));
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
    uint8_t last[FR_DB_KEY_MAX];
    MDB_cursor *cursor = NULL;
    MDB_val k, v;
    size_t n = 0;

    int rc = mdb_cursor_open(txn->mdb, dbi(txn, table), &cursor);
    if (rc != 0) return fr_db_err(rc);
    for (size_t i = 0; rc == 0 && i < limit; i++) {
        rc = mdb_cursor_get(cursor, &k, &v, MDB_FIRST);
        if (rc != 0) break;
        n = k.mv_size < sizeof last ? k.mv_size : sizeof last;
        memcpy(last, k.mv_data, n);
        rc = mdb_cursor_del(cursor, 0);
    }
    if (rc == 0) rc = mdb_cursor_get(cursor, &k, &v, MDB_FIRST);
    mdb_cursor_close(cursor);
    if (rc != 0 && rc != MDB_NOTFOUND) return fr_db_err(rc);
    *left = rc == 0;
    if (n == 0) return FR_OK;
    const struct fr_row_op op = {FR_ROW_DROP, table, fr_span(last, n), {NULL, 0}};
    bool is_noted = tape_note(txn, &op, &n);
    return tape_done(txn, is_noted, n, FR_OK);
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

enum fr_err fr_cursor_prev(struct fr_cursor *cursor, struct fr_span *key, struct fr_span *value)
{
    return step(cursor, (MDB_val){0}, MDB_PREV, key, value);
}

void fr_cursor_close(struct fr_cursor *cursor)
{
    if (cursor == NULL) return;
    mdb_cursor_close(cursor->mdb);
    fr_free(cursor);
}
