#include "store/idempotency.h"

#include "base/mem.h"
#include "store/rows_parts.h"
#include "store/tables.h"

#include <string.h>

#define KEY_SIZE (4 + FR_IDEM_ID_SIZE + 4)
#define DAY_S 86400
#define SWEPT_AT_ONCE 64

/* Slices of a part have its lines' numbers between them, so the sum is nobody else's. */
static struct fr_span slice_key(uint32_t day, const uint8_t id[FR_IDEM_ID_SIZE], uint32_t first_at,
                                uint8_t out[KEY_SIZE])
{
    struct fr_wr w = fr_wr(out, KEY_SIZE);

    fr_wr_u32(&w, day);
    fr_wr_bytes(&w, id, FR_IDEM_ID_SIZE);
    fr_wr_u32(&w, first_at);
    return fr_wr_done(&w);
}

/* --- the row --- */

static void read_runs(struct fr_rd *r, struct fr_idem_slice *slice)
{
    for (uint32_t at = 0; at < slice->n && fr_rd_err(r) == FR_OK;) {
        uint32_t n = fr_rd_u16(r);
        uint8_t letter = fr_rd_u8(r);
        if (n == 0 || n > slice->n - at) {
            fr_rd_fail(r, FR_E_MALFORMED);
            return;
        }
        memset(slice->results + at, letter, n);
        at += n;
    }
}

enum fr_err fr_idem_read(struct fr_span value, struct fr_idem_slice *slice)
{
    struct fr_rd r = fr_rd(value);

    fr_row_read_form(&r);
    slice->n = fr_rd_u32(&r);
    slice->at = fr_rd_u32(&r);
    slice->of = fr_rd_u32(&r);
    slice->is_last = fr_rd_u8(&r) != 0;
    fr_rd_bytes(&r, slice->digest, sizeof slice->digest);
    if (slice->n > FR_IDEM_LINES || slice->of > FR_IDEM_PART || slice->at > slice->of ||
        slice->n > slice->of - slice->at)
        fr_rd_fail(&r, FR_E_MALFORMED);
    read_runs(&r, slice);
    return fr_rd_end(&r);
}

void fr_idem_write(struct fr_wr *w, const struct fr_idem_slice *slice)
{
    fr_wr_u8(w, FR_ROW_FORM);
    fr_wr_u32(w, slice->n);
    fr_wr_u32(w, slice->at);
    fr_wr_u32(w, slice->of);
    fr_wr_u8(w, slice->is_last);
    fr_wr_bytes(w, slice->digest, sizeof slice->digest);
    for (uint32_t at = 0; at < slice->n;) {
        uint32_t end = at + 1;
        while (end < slice->n && slice->results[end] == slice->results[at]) end++;
        fr_wr_u16(w, (uint16_t)(end - at));
        fr_wr_u8(w, (uint8_t)slice->results[at]);
        at = end;
    }
}

/* --- the table --- */

static enum fr_err get(struct fr_txn *txn, uint32_t day, const uint8_t id[FR_IDEM_ID_SIZE],
                       uint32_t first, uint32_t at, struct fr_idem_slice *out)
{
    uint8_t bytes[KEY_SIZE];
    struct fr_span value;

    enum fr_err err =
        fr_txn_get(txn, FR_TABLE_IDEMPOTENCY, slice_key(day, id, first + at, bytes), &value);
    if (err) return err;
    out->first = first;
    err = fr_idem_read(value, out);
    return !err && out->at != at ? FR_E_CONFLICT : err;
}

/* Slices of yesterday's batches stay together on their day. */
static enum fr_err find_day(struct fr_txn *txn, uint32_t today, const uint8_t id[FR_IDEM_ID_SIZE],
                            uint32_t *out)
{
    uint8_t bytes[KEY_SIZE];
    struct fr_span value;

    for (uint32_t back = 0; back < 2; back++) {
        struct fr_span key = slice_key(today - back, id, 0, bytes);
        enum fr_err err = fr_txn_get(txn, FR_TABLE_IDEMPOTENCY, key, &value);
        if (err == FR_OK) *out = today - back;
        if (err != FR_E_NOT_FOUND) return err;
    }
    return FR_E_NOT_FOUND;
}

enum fr_err fr_idem_get(struct fr_snap *snap, const uint8_t id[FR_IDEM_ID_SIZE], int64_t now_s,
                        uint32_t first, uint32_t at, struct fr_idem_slice *out)
{
    uint32_t day;

    enum fr_err err = find_day(snap->txn, (uint32_t)(now_s / DAY_S), id, &day);
    return err ? err : get(snap->txn, day, id, first, at, out);
}

struct over {
    uint32_t today;
    size_t n;
    uint8_t keys[SWEPT_AT_ONCE][KEY_SIZE];
};

static enum fr_err collect_over(void *data, struct fr_span key, struct fr_span value)
{
    struct over *over = data;
    struct fr_rd r = fr_rd(key);

    (void)value;
    uint32_t day = fr_rd_u32(&r);
    if (key.n != KEY_SIZE) return FR_E_MALFORMED;
    if (day + 2 > over->today || over->n == SWEPT_AT_ONCE) return FR_E_CLOSED;
    memcpy(over->keys[over->n++], key.p, KEY_SIZE);
    return FR_OK;
}

/* The oldest days come first. */
static enum fr_err sweep(struct fr_change *change, uint32_t today)
{
    struct over over = {.today = today};
    struct fr_snap *snap = fr_change_snap(change);

    enum fr_err err =
        fr_snap_visit(snap, FR_TABLE_IDEMPOTENCY, (struct fr_span){0}, collect_over, &over);
    if (err == FR_E_CLOSED) err = FR_OK;
    for (size_t i = 0; err == FR_OK && i < over.n; i++) {
        struct fr_span key = fr_span(over.keys[i], KEY_SIZE);
        err = fr_txn_delete(fr_change_txn(change), FR_TABLE_IDEMPOTENCY, key);
        if (err == FR_OK)
            err = fr_change_note(change, FR_FACT_IDEMPOTENCY, key, (struct fr_span){0});
    }
    return err;
}

enum fr_err fr_idem_put(struct fr_change *change, const uint8_t id[FR_IDEM_ID_SIZE],
                        const struct fr_idem_slice *slice)
{
    struct fr_txn *txn = fr_change_txn(change);
    uint32_t today = (uint32_t)(fr_change_now(change) / DAY_S), day = today;
    uint8_t bytes[KEY_SIZE];
    struct fr_span there;

    enum fr_err err = find_day(txn, today, id, &day);
    if (err && err != FR_E_NOT_FOUND) return err;
    struct fr_span key = slice_key(day, id, slice->first + slice->at, bytes);
    err = fr_txn_get(txn, FR_TABLE_IDEMPOTENCY, key, &there);
    if (err != FR_E_NOT_FOUND) return err ? err : FR_E_CONFLICT;
    uint8_t *value = fr_malloc(FR_IDEM_VALUE_MAX);
    if (value == NULL) return FR_E_NOMEM;
    struct fr_wr w = fr_wr(value, FR_IDEM_VALUE_MAX);
    fr_idem_write(&w, slice);
    err = fr_change_put(change, FR_TABLE_IDEMPOTENCY, FR_FACT_IDEMPOTENCY, key, fr_wr_done(&w));
    fr_free(value);
    return err ? err : sweep(change, today);
}
