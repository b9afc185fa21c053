#include "db/tap.h"

#include "base/wire.h"
#include "db/env.h"

#include <string.h>

#define META_CODE 0xff

void fr_db_set_tap(struct fr_db *db, const struct fr_db_tap *tap)
{
    db->has_tap = tap != NULL;
    if (tap != NULL) db->tap = *tap;
}

void fr_row_op_write(struct fr_buf *out, const struct fr_row_op *op)
{
    uint8_t head[4], size[4];
    struct fr_wr h = fr_wr(head, sizeof head), s = fr_wr(size, sizeof size);

    fr_wr_u8(&h, (uint8_t)op->act);
    fr_wr_u8(&h, op->table == FR_DB_META ? META_CODE : (uint8_t)op->table);
    fr_wr_u16(&h, (uint16_t)op->key.n);
    fr_buf_add_span(out, fr_wr_done(&h));
    fr_buf_add_span(out, op->key);
    if (op->act != FR_ROW_PUT) return;
    fr_wr_u32(&s, (uint32_t)op->value.n);
    fr_buf_add_span(out, fr_wr_done(&s));
    fr_buf_add_span(out, op->value);
}

enum fr_err fr_row_op_next(struct fr_span *ops, size_t n_tables, struct fr_row_op *out)
{
    struct fr_row_op op = {0};

    if (ops->n == 0) return FR_E_NOT_FOUND;
    struct fr_rd r = fr_rd(*ops);
    uint8_t act = fr_rd_u8(&r);
    uint8_t table = fr_rd_u8(&r);
    if (act > FR_ROW_DROP || (table != META_CODE && table >= n_tables))
        fr_rd_fail(&r, FR_E_MALFORMED);
    op.act = act;
    op.table = table == META_CODE ? FR_DB_META : table;
    op.key = fr_rd_span(&r, fr_rd_u16(&r));
    if (op.key.n < 1 || op.key.n > FR_DB_KEY_MAX) fr_rd_fail(&r, FR_E_MALFORMED);
    if (act == FR_ROW_PUT) op.value = fr_rd_span(&r, fr_rd_u32(&r));
    struct fr_span rest = fr_rd_rest(&r);
    enum fr_err err = fr_rd_err(&r);
    if (err) return err;
    *out = op;
    *ops = rest;
    return FR_OK;
}

static enum fr_err drop_through(struct fr_txn *txn, uint32_t table, struct fr_span last)
{
    uint8_t bytes[FR_DB_KEY_MAX];
    struct fr_cursor *cursor = NULL;
    struct fr_span key, value;
    enum fr_err err = FR_OK;

    while (err == FR_OK) {
        err = fr_cursor_open(txn, table, &cursor);
        if (err) break;
        err = fr_cursor_first(cursor, &key, &value);
        size_t n = err == FR_OK ? key.n : 0;
        if (n > 0) memcpy(bytes, key.p, n);
        fr_cursor_close(cursor);
        if (err) break;
        size_t least = n < last.n ? n : last.n;
        int order = memcmp(bytes, last.p, least);
        if (order > 0 || (order == 0 && n > last.n)) return FR_OK;
        err = fr_txn_delete(txn, table, fr_span(bytes, n));
    }
    return err == FR_E_NOT_FOUND ? FR_OK : err;
}

enum fr_err fr_row_op_apply(struct fr_txn *txn, const struct fr_row_op *op)
{
    enum fr_err err = FR_OK;

    switch (op->act) {
    case FR_ROW_PUT: return fr_txn_put(txn, op->table, op->key, op->value);
    case FR_ROW_DELETE:
        err = fr_txn_delete(txn, op->table, op->key);
        return err == FR_E_NOT_FOUND ? FR_OK : err;
    case FR_ROW_DROP: return drop_through(txn, op->table, op->key);
    }
    return FR_E_MALFORMED;
}
