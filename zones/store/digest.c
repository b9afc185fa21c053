#include "store/digest.h"

#include "base/hex.h"
#include "base/mem.h"
#include "base/siphash.h"
#include "base/wire.h"
#include "store/feed_priv.h"

#include <string.h>

static const struct fr_siphash_key key_a = {"fedroam digest a"}, key_b = {"fedroam digest b"};

/* Each row's hash is taken together with the sum of those before, so that their order counts. */
struct digest {
    uint64_t a, b, rows;
    uint32_t table;
    struct fr_buf row;
};

static void mix(struct digest *d, struct fr_span row)
{
    uint8_t bytes[24];
    struct fr_wr w = fr_wr(bytes, sizeof bytes);

    fr_wr_u64(&w, d->a);
    fr_wr_u64(&w, fr_siphash(&key_a, row));
    fr_wr_u64(&w, fr_siphash(&key_b, row));
    d->a = fr_siphash(&key_a, fr_wr_done(&w));
    w = fr_wr(bytes, 8);
    fr_wr_u64(&w, d->b);
    d->b = fr_siphash(&key_b, fr_span(bytes, sizeof bytes));
}

static enum fr_err add_row(void *data, struct fr_span key, struct fr_span value)
{
    struct digest *d = data;
    const struct fr_row_op op = {FR_ROW_PUT, d->table, key, value};

    if (fr_feed_is_local(d->table, key)) return FR_OK;
    fr_buf_reset(&d->row);
    fr_row_op_write(&d->row, &op);
    enum fr_err err = fr_buf_err(&d->row);
    if (err) return err;
    mix(d, fr_buf_span(&d->row));
    d->rows++;
    return FR_OK;
}

static void print(const struct digest *d, const char *name, struct fr_table_digest *out)
{
    *out = (struct fr_table_digest){.table = name, .rows = d->rows};
    fr_hex_print_u64(d->a, 16, out->digest);
    fr_hex_print_u64(d->b, 16, out->digest + 16);
}

static enum fr_err digest_table(struct fr_snap *snap, uint32_t table, const char *name,
                                struct digest *all, fr_digest_fn fn, void *data)
{
    struct digest d = {.table = table, .row = FR_BUF_INIT(FR_TAP_MAX)};
    struct fr_table_digest told;

    enum fr_err err = fr_snap_visit(snap, table, (struct fr_span){0}, add_row, &d);
    fr_buf_deinit(&d.row);
    if (err) return err;
    print(&d, name, &told);
    mix(all, fr_span_str(told.digest));
    all->rows += d.rows;
    return fn(data, &told);
}

enum fr_err fr_store_digest(struct fr_snap *snap, fr_digest_fn fn, void *data)
{
    struct digest all = {0};
    struct fr_table_digest told;
    enum fr_err err = FR_OK;

    for (uint32_t t = 0; err == FR_OK && t < FR_TABLE_COUNT; t++) {
        if (t == FR_TABLE_LOOKUPS || t == FR_TABLE_FEED) continue;
        err = digest_table(snap, t, fr_store_table_name(t), &all, fn, data);
    }
    if (err == FR_OK) err = digest_table(snap, FR_DB_META, "meta", &all, fn, data);
    if (err) return err;
    print(&all, "all", &told);
    return fn(data, &told);
}
