#include "store/lookups.h"

#include "base/wire.h"
#include "db/tap.h"
#include "store/tables.h"

#include <string.h>

#define KEY_SIZE (4 + FR_MEMBER_ID_MAX + 1 + 3)
#define DROP_AT_ONCE 10000

static struct fr_span row_key(const struct fr_lookup_row *row, uint8_t out[KEY_SIZE])
{
    struct fr_wr w = fr_wr(out, KEY_SIZE);

    fr_wr_u32(&w, row->day);
    fr_wr_bytes(&w, row->visited, strlen(row->visited) + 1);
    fr_wr_u24(&w, row->netid);
    return fr_wr_done(&w);
}

static enum fr_err read_count(struct fr_span value, uint64_t *out)
{
    struct fr_rd r = fr_rd(value);
    uint64_t count = fr_rd_u64(&r);

    enum fr_err err = fr_rd_end(&r);
    if (err == FR_OK) *out = count;
    return err;
}

static enum fr_err read_row(struct fr_span key, struct fr_span value, struct fr_lookup_row *out)
{
    struct fr_rd r = fr_rd(key);
    struct fr_lookup_row row = {.day = fr_rd_u32(&r)};
    struct fr_span visited, tail;

    if (!fr_span_cut(fr_rd_span(&r, fr_rd_left(&r)), '\0', &visited, &tail) ||
        !fr_span_copy(visited, row.visited, sizeof row.visited))
        return FR_E_MALFORMED;
    r = fr_rd(tail);
    row.netid = fr_rd_u24(&r);
    enum fr_err err = fr_rd_end(&r);
    if (err == FR_OK) err = read_count(value, &row.count);
    if (err == FR_OK) *out = row;
    return err;
}

static enum fr_err add_row(struct fr_txn *txn, const struct fr_lookup_row *row)
{
    uint8_t bytes[KEY_SIZE], value[8];
    struct fr_wr w = fr_wr(value, sizeof value);
    struct fr_span key = row_key(row, bytes), there;
    uint64_t count = 0;

    enum fr_err err = fr_txn_get(txn, FR_TABLE_LOOKUPS, key, &there);
    if (err == FR_OK) err = read_count(there, &count);
    if (err && err != FR_E_NOT_FOUND) return err;
    fr_wr_u64(&w, count + row->count);
    return fr_txn_put(txn, FR_TABLE_LOOKUPS, key, fr_wr_done(&w));
}

enum fr_err fr_lookups_add(struct fr_store *store, const struct fr_lookup_row *rows, size_t n)
{
    struct fr_txn *txn = NULL;
    enum fr_err err = n > 0 ? fr_txn_write_local(store->db, &txn) : FR_OK;

    if (err || n == 0) return err;
    for (size_t i = 0; err == FR_OK && i < n; i++) err = add_row(txn, &rows[i]);
    if (err == FR_OK) return fr_txn_commit(txn);
    fr_txn_end(txn);
    return err;
}

/* The first key, if it is of a day before; FR_E_NOT_FOUND: there is none. */
static enum fr_err first_before(struct fr_txn *txn, uint32_t before_day, uint8_t out[KEY_SIZE],
                                size_t *n)
{
    struct fr_cursor *cursor = NULL;
    struct fr_span key, value;

    enum fr_err err = fr_cursor_open(txn, FR_TABLE_LOOKUPS, &cursor);
    if (err) return err;
    err = fr_cursor_first(cursor, &key, &value);
    if (err == FR_OK) {
        struct fr_rd r = fr_rd(key);
        if (fr_rd_u32(&r) >= before_day) err = FR_E_NOT_FOUND;
        if (key.n > KEY_SIZE) err = FR_E_MALFORMED;
    }
    if (err == FR_OK) {
        memcpy(out, key.p, key.n);
        *n = key.n;
    }
    fr_cursor_close(cursor);
    return err;
}

enum fr_err fr_lookups_drop(struct fr_store *store, uint32_t before_day, bool *left)
{
    uint8_t key[KEY_SIZE];
    struct fr_txn *txn = NULL;
    size_t n = 0, dropped = 0;
    enum fr_err err = fr_txn_write_local(store->db, &txn);

    if (err) return err;
    while (err == FR_OK && dropped < DROP_AT_ONCE) {
        err = first_before(txn, before_day, key, &n);
        if (err == FR_OK) err = fr_txn_delete(txn, FR_TABLE_LOOKUPS, fr_span(key, n));
        if (err == FR_OK) dropped++;
    }
    bool is_over = err == FR_E_NOT_FOUND;
    if (is_over) err = FR_OK;
    if (err || dropped == 0)
        fr_txn_end(txn);
    else
        err = fr_txn_commit(txn);
    if (err == FR_OK) *left = !is_over;
    return err;
}

enum fr_err fr_lookups_each(struct fr_snap *snap, uint32_t first, uint32_t last, fr_lookup_fn fn,
                            void *data)
{
    struct fr_cursor *cursor = NULL;
    struct fr_span key, value;
    uint8_t bytes[4];
    struct fr_wr w = fr_wr(bytes, sizeof bytes);
    struct fr_lookup_row row;

    fr_wr_u32(&w, first);
    enum fr_err err = fr_cursor_open(snap->txn, FR_TABLE_LOOKUPS, &cursor);
    if (err) return err;
    err = fr_cursor_seek(cursor, fr_wr_done(&w), &key, &value);
    while (err == FR_OK) {
        err = read_row(key, value, &row);
        if (err || row.day > last) break;
        err = fn(data, &row);
        if (err) goto out;
        err = fr_cursor_next(cursor, &key, &value);
    }
    if (err == FR_E_NOT_FOUND) err = FR_OK;
out:
    fr_cursor_close(cursor);
    return err;
}
