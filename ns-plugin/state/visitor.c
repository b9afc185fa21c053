#include "state/state.h"

#include "base/mem.h"
#include "state/state_priv.h"

#include <string.h>

#define VISITOR_KEY_MAX (FR_FED_MAX + 1 + 3 + 8)
#define VISITOR_MAX 64

/* "federation", 0, NetID, DevAddr */
static struct fr_span visitor_key(uint8_t out[VISITOR_KEY_MAX], const char *federation,
                                  uint32_t netid, uint32_t dev_addr)
{
    struct fr_wr w = fr_wr(out, VISITOR_KEY_MAX);

    fr_wr_bytes(&w, federation, strlen(federation) + 1);
    fr_wr_u24(&w, netid);
    fr_wr_u32(&w, dev_addr);
    return fr_wr_done(&w);
}

/* "federation", 0, NetID, DevEUI */
static struct fr_span carried_key(uint8_t out[VISITOR_KEY_MAX], const char *federation,
                                  uint32_t netid, uint64_t dev_eui)
{
    struct fr_wr w = fr_wr(out, VISITOR_KEY_MAX);

    fr_wr_bytes(&w, federation, strlen(federation) + 1);
    fr_wr_u24(&w, netid);
    fr_wr_u64(&w, dev_eui);
    return fr_wr_done(&w);
}

static void visitor_write(struct fr_wr *w, const struct fr_visitor *v)
{
    fr_wr_u8(w, FR_ROW_VERSION);
    fr_wr_u64(w, v->dev_eui);
    fr_wr_u8(w, (uint8_t)(v->has_key | v->is_1_1 << 1));
    fr_wr_bytes(w, v->key, 16);
    fr_wr_u32(w, v->fcnt_up);
    fr_wr_u64(w, (uint64_t)v->until_s);
}

static enum fr_err visitor_read(struct fr_span row, struct fr_visitor *v)
{
    struct fr_rd r = fr_rd(row);
    uint8_t version = fr_rd_u8(&r);

    v->dev_eui = fr_rd_u64(&r);
    uint8_t flags = fr_rd_u8(&r);
    v->has_key = flags & 1;
    v->is_1_1 = flags & 2;
    fr_rd_bytes(&r, v->key, 16);
    v->fcnt_up = fr_rd_u32(&r);
    v->until_s = (int64_t)fr_rd_u64(&r);
    enum fr_err err = fr_rd_end(&r);
    return err == FR_OK && version != FR_ROW_VERSION ? FR_E_SCHEMA : err;
}

static enum fr_err drop_by_device(struct fr_txn *txn, const char *federation, uint32_t netid,
                                  uint64_t dev_eui)
{
    uint8_t carried[VISITOR_KEY_MAX], key[VISITOR_KEY_MAX];
    struct fr_span by_device = carried_key(carried, federation, netid, dev_eui), row;

    enum fr_err err = fr_txn_get(txn, FR_ST_CARRIED, by_device, &row);
    if (err) return err;
    struct fr_rd r = fr_rd(row);
    uint32_t dev_addr = fr_rd_u32(&r);
    err = fr_rd_end(&r);
    if (err) return err;
    err = fr_txn_delete(txn, FR_ST_CARRIED, by_device);
    if (err) return err;
    err = fr_txn_delete(txn, FR_ST_VISITORS, visitor_key(key, federation, netid, dev_addr));
    return err == FR_E_NOT_FOUND ? FR_OK : err; /* another device got that address meanwhile */
}

enum fr_err fr_state_save_visitor(struct fr_state *state, const struct fr_visitor *visitor)
{
    uint8_t key[VISITOR_KEY_MAX], row[VISITOR_MAX], addr[4];
    struct fr_wr w = fr_wr(row, sizeof row);
    struct fr_txn *txn = NULL;

    visitor_write(&w, visitor);
    enum fr_err err = fr_txn_write(state->db, &txn);
    if (err) return err;
    /* A new join ends the one before. */
    err = drop_by_device(txn, visitor->federation, visitor->home_netid, visitor->dev_eui);
    if (err != FR_OK && err != FR_E_NOT_FOUND) goto out;
    err = fr_txn_put(txn, FR_ST_VISITORS,
                     visitor_key(key, visitor->federation, visitor->home_netid, visitor->dev_addr),
                     fr_wr_done(&w));
    if (err) goto out;
    err = fr_txn_put(txn, FR_ST_CARRIED,
                     carried_key(key, visitor->federation, visitor->home_netid, visitor->dev_eui),
                     fr_state_key_addr(addr, visitor->dev_addr));
    if (err) goto out;
    err = fr_txn_commit(txn);
    txn = NULL;
out:
    fr_txn_end(txn);
    fr_secret_zero(row, sizeof row);
    return err;
}

enum fr_err fr_state_find_visitor(struct fr_state *state, const char *federation,
                                  uint32_t home_netid, uint32_t dev_addr, struct fr_visitor *out)
{
    uint8_t key[VISITOR_KEY_MAX];
    struct fr_visitor v = {.home_netid = home_netid, .dev_addr = dev_addr};
    struct fr_txn *txn = NULL;
    struct fr_span row;

    enum fr_err err = fr_txn_read(state->db, &txn);
    if (err) return err;
    err = fr_txn_get(txn, FR_ST_VISITORS, visitor_key(key, federation, home_netid, dev_addr), &row);
    if (err == FR_OK) err = visitor_read(row, &v);
    fr_txn_end(txn);
    if (err) return err;
    if (!fr_span_copy(fr_span_str(federation), v.federation, sizeof v.federation))
        return FR_E_RANGE;
    *out = v;
    return FR_OK;
}

enum fr_err fr_state_drop_visitor(struct fr_state *state, const char *federation,
                                  uint32_t home_netid, uint64_t dev_eui)
{
    struct fr_txn *txn = NULL;

    enum fr_err err = fr_txn_write(state->db, &txn);
    if (err) return err;
    err = drop_by_device(txn, federation, home_netid, dev_eui);
    if (err == FR_OK) {
        err = fr_txn_commit(txn);
        txn = NULL;
    }
    fr_txn_end(txn);
    return err;
}

/* The federation, NetID and address that a visitor's key says. */
static enum fr_err read_key(struct fr_span key, struct fr_visitor *v)
{
    struct fr_span name, rest;

    if (!fr_span_cut(key, '\0', &name, &rest)) return FR_E_MALFORMED;
    struct fr_rd r = fr_rd(rest);
    v->home_netid = fr_rd_u24(&r);
    v->dev_addr = fr_rd_u32(&r);
    if (!fr_span_copy(name, v->federation, sizeof v->federation)) return FR_E_MALFORMED;
    return fr_rd_end(&r);
}

/* One step: the key after `mark` and what is there; FR_E_NOT_FOUND at the end. */
static enum fr_err next_visitor(struct fr_txn *txn, struct fr_visitor_mark *mark,
                                struct fr_visitor *v)
{
    struct fr_cursor *cursor = NULL;
    struct fr_span key, row, from = fr_span(mark->key, mark->n);

    enum fr_err err = fr_cursor_open(txn, FR_ST_VISITORS, &cursor);
    if (err) return err;
    err = mark->n == 0 ? fr_cursor_first(cursor, &key, &row)
                       : fr_cursor_seek(cursor, from, &key, &row);
    if (err == FR_OK && mark->n > 0 && fr_span_equal(key, from)) {
        err = fr_cursor_next(cursor, &key, &row);
    }
    if (err == FR_OK && key.n > sizeof mark->key) err = FR_E_MALFORMED;
    if (err == FR_OK) err = read_key(key, v);
    if (err == FR_OK) err = visitor_read(row, v);
    if (err == FR_OK) {
        memcpy(mark->key, key.p, key.n);
        mark->n = key.n;
    }
    fr_cursor_close(cursor);
    return err;
}

enum fr_err fr_state_expire_visitors(struct fr_state *state, int64_t now_s, size_t limit,
                                     struct fr_visitor_mark *mark, size_t *ended, bool *is_done)
{
    struct fr_txn *txn = NULL;
    struct fr_visitor_mark at = *mark;
    struct fr_visitor v;
    size_t n = 0;

    enum fr_err err = fr_txn_write(state->db, &txn);
    if (err) return err;
    for (size_t i = 0; i < limit && err == FR_OK; i++) {
        err = next_visitor(txn, &at, &v);
        if (err != FR_OK || v.until_s > now_s) continue;
        err = drop_by_device(txn, v.federation, v.home_netid, v.dev_eui);
        n++;
    }
    bool is_end = err == FR_E_NOT_FOUND;
    if (err != FR_OK && !is_end) goto out;
    if (n > 0) {
        err = fr_txn_commit(txn);
        txn = NULL;
        if (err) goto out;
    }
    err = FR_OK;
    *mark = is_end ? (struct fr_visitor_mark){0} : at;
    *ended = n;
    *is_done = is_end;
out:
    fr_txn_end(txn);
    fr_secret_zero(&v, sizeof v);
    return err;
}
