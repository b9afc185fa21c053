#include "base/clock.h"
#include "base/wire.h"
#include "store/feed_priv.h"

#include <string.h>

#define FORM 1
#define ENTRY_HEAD (1 + 1 + 4 + 8 + 8)

struct fr_span fr_feed_key(uint64_t position, uint8_t out[8])
{
    struct fr_wr w = fr_wr(out, 8);

    fr_wr_u64(&w, position);
    return fr_wr_done(&w);
}

enum fr_err fr_feed_entry_read(struct fr_span value, struct fr_feed_entry *entry)
{
    struct fr_rd r = fr_rd(value);
    struct fr_feed_entry got = {.position = entry->position};

    if (fr_rd_u8(&r) != FORM) fr_rd_fail(&r, FR_E_UNSUPPORTED);
    uint8_t flags = fr_rd_u8(&r);
    if (flags > 1) fr_rd_fail(&r, FR_E_MALFORMED);
    got.has_more = flags != 0;
    got.term = fr_rd_u32(&r);
    got.when_s = (int64_t)(fr_rd_u64(&r) & INT64_MAX);
    got.sequence = fr_rd_u64(&r);
    got.ops = fr_rd_rest(&r);
    enum fr_err err = fr_rd_err(&r);
    if (err == FR_OK) *entry = got;
    return err;
}

bool fr_feed_is_local(uint32_t table, struct fr_span key)
{
    if (table == FR_TABLE_LOOKUPS || table == FR_TABLE_FEED) return true;
    return table == FR_DB_META && (fr_span_starts(key, FR_LOCAL_META) || fr_span_is(key, "schema"));
}

enum fr_err fr_feed_add(struct fr_txn *txn, const struct fr_feed_entry *entry)
{
    struct fr_buf value = FR_BUF_INIT(FR_TAP_MAX + ENTRY_HEAD);
    uint8_t head[ENTRY_HEAD], key[8];
    struct fr_wr w = fr_wr(head, sizeof head);
    uint64_t bytes = 0;

    fr_wr_u8(&w, FORM);
    fr_wr_u8(&w, entry->has_more);
    fr_wr_u32(&w, entry->term);
    fr_wr_u64(&w, entry->when_s < 0 ? 0 : (uint64_t)entry->when_s);
    fr_wr_u64(&w, entry->sequence);
    fr_buf_add_span(&value, fr_wr_done(&w));
    fr_buf_add_span(&value, entry->ops);
    enum fr_err err = fr_buf_err(&value);
    if (err == FR_OK)
        err = fr_txn_append(txn, FR_TABLE_FEED, fr_feed_key(entry->position, key),
                            fr_buf_span(&value));
    if (err == FR_OK) err = fr_feed_meta(txn, FR_META_BYTES, &bytes);
    if (err == FR_OK) err = fr_meta_put_u64(txn, FR_META_BYTES, bytes + value.n);
    fr_buf_deinit(&value);
    return err;
}

static enum fr_err begin(void *data, struct fr_txn *txn, bool *is_wanted)
{
    uint64_t role = 0, is_on = 0;

    (void)data;
    enum fr_err err = fr_feed_meta(txn, FR_META_ROLE, &role);
    if (err == FR_OK && role != FR_ROLE_PRIMARY) return FR_E_DENIED;
    if (err == FR_OK) err = fr_feed_meta(txn, FR_META_ON, &is_on);
    if (err == FR_OK) *is_wanted = is_on != 0;
    return err;
}

static bool is_told(void *data, uint32_t table, struct fr_span key)
{
    (void)data;
    return !fr_feed_is_local(table, key);
}

/* Where the operations of the next entry end: whole ones only. */
static enum fr_err cut_entry(struct fr_span ops, size_t *out)
{
    struct fr_span rest = ops;
    struct fr_row_op op;
    enum fr_err err = FR_OK;
    size_t n = 0;

    while (rest.n > 0) {
        err = fr_row_op_next(&rest, FR_TABLE_COUNT, &op);
        if (err) return err;
        if (n > 0 && ops.n - rest.n > FR_FEED_ENTRY) break;
        n = ops.n - rest.n;
    }
    *out = n;
    return FR_OK;
}

static enum fr_err told(void *data, struct fr_txn *txn, struct fr_span ops, bool is_last)
{
    struct fr_feed_entry entry = {.when_s = fr_clock_real_s(fr_clock_system())};
    struct fr_feed_place head;
    uint64_t term = 0;
    enum fr_err err = fr_feed_head(txn, &head);

    (void)data;
    if (err == FR_OK) err = fr_feed_meta(txn, FR_META_TERM, &term);
    if (err == FR_OK) err = fr_feed_meta(txn, "sequence", &entry.sequence);
    entry.term = (uint32_t)term;
    entry.position = head.position;
    while (err == FR_OK && ops.n > 0) {
        size_t n = 0;
        err = cut_entry(ops, &n);
        if (err) break;
        entry.position++;
        entry.ops = fr_span(ops.p, n);
        ops = fr_span(ops.p + n, ops.n - n);
        entry.has_more = ops.n > 0 || !is_last;
        err = fr_feed_add(txn, &entry);
    }
    return err;
}

void fr_feed_listen(struct fr_store *store)
{
    const struct fr_db_tap tap = {.data = store, .begin = begin, .is_told = is_told, .told = told};

    fr_db_set_tap(store->db, &tap);
}
