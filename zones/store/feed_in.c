#include "base/wire.h"
#include "store/feed_message.h"
#include "store/feed_priv.h"

#include <inttypes.h>
#include <string.h>

#define CLEAR_AT_ONCE 20000

/* How far an image is lies in meta as base (8), its term (4), table (4), last key. */
static enum fr_err read_image(struct fr_txn *txn, struct fr_feed_cursor *out, bool *has_image)
{
    struct fr_feed_cursor image = {0};
    struct fr_span value;

    *has_image = false;
    enum fr_err err = fr_txn_get(txn, FR_DB_META, FR_SPAN_LIT(FR_META_IMAGE), &value);
    if (err) return err == FR_E_NOT_FOUND ? FR_OK : err;
    struct fr_rd r = fr_rd(value);
    image.base = fr_rd_u64(&r);
    image.base_term = fr_rd_u32(&r);
    image.table = fr_rd_u32(&r);
    size_t n = fr_rd_left(&r);
    if (n > sizeof image.key) return FR_E_MALFORMED;
    image.key_n = (uint16_t)n;
    fr_rd_bytes(&r, image.key, n);
    err = fr_rd_end(&r);
    if (err) return err;
    *has_image = true;
    *out = image;
    return FR_OK;
}

static enum fr_err write_image(struct fr_txn *txn, const struct fr_feed_cursor *image)
{
    uint8_t bytes[16 + sizeof image->key];
    struct fr_wr w = fr_wr(bytes, sizeof bytes);

    fr_wr_u64(&w, image->base);
    fr_wr_u32(&w, image->base_term);
    fr_wr_u32(&w, image->table);
    fr_wr_bytes(&w, image->key, image->key_n);
    return fr_txn_put(txn, FR_DB_META, FR_SPAN_LIT(FR_META_IMAGE), fr_wr_done(&w));
}

enum fr_err fr_feed_ask_of(struct fr_snap *snap, struct fr_feed_ask *out)
{
    struct fr_feed_ask ask = {0};
    struct fr_feed_state state;

    enum fr_err err = fr_feed_get(snap, &state);
    if (err == FR_OK) err = read_image(snap->txn, &ask.image, &ask.wants_image);
    if (err) return err;
    ask.have = state.head;
    ask.term = state.term;
    ask.is_part = state.has_image;
    ask.n_forks = state.n_forks;
    memcpy(ask.forks, state.forks, sizeof ask.forks);
    *out = ask;
    return FR_OK;
}

/* --- is it for us --- */

static enum fr_err check_head(const struct fr_store *store, const struct fr_feed_state *state,
                              const struct fr_feed_message_head *head, struct fr_diag *diag)
{
    if (head->schema != FR_STORE_SCHEMA)
        return fr_diag_fail(diag, FR_E_SCHEMA,
                            "the primary's store has version %" PRIu32
                            ", this one %d: both brokers "
                            "must be of one release",
                            head->schema, FR_STORE_SCHEMA);
    if (strcmp(head->federation, store->federation) != 0)
        return fr_diag_fail(diag, FR_E_CONFLICT, "the feed is of the federation %s, not of %s",
                            head->federation, store->federation);
    if (head->term < state->term)
        return fr_diag_fail(diag, FR_E_CONFLICT,
                            "the feed is of term %" PRIu32 ", but term %" PRIu32
                            " has begun: another broker is the primary",
                            head->term, state->term);
    if (state->role != FR_ROLE_REPLICA)
        return fr_diag_fail(diag, FR_E_CONFLICT, "this store is no replica but %s",
                            fr_role_text(state->role));
    if (head->kind != FR_FEED_DIFFERENT || head->term > state->term) return FR_OK;
    (void)fr_diag_fail(diag, FR_E_CONFLICT,
                       "the primary is at %" PRIu64 " and does not have what is here up to %" PRIu64
                       ": it has gone back",
                       head->head.position, state->head.position);
    fr_diag_hint(diag, "promote this broker, or make the replica anew");
    return FR_E_CONFLICT;
}

static enum fr_err take_term(struct fr_txn *txn, const struct fr_feed_message_head *head)
{
    uint8_t bytes[FR_FORKS_SIZE];
    struct fr_wr w = fr_wr(bytes, sizeof bytes);

    fr_feed_forks_write(&w, head->forks, head->n_forks);
    enum fr_err err = fr_txn_put(txn, FR_DB_META, FR_SPAN_LIT(FR_META_FORKS), fr_wr_done(&w));
    return err ? err : fr_meta_put_u64(txn, FR_META_TERM, head->term);
}

/* --- rows --- */

/* Rows of meta without which this store could not be read again. */
static bool is_sound_meta(const struct fr_store *store, const struct fr_row_op *op)
{
    const bool is_number = op->value.n == 8;

    if (fr_span_is(op->key, "federation"))
        return op->act == FR_ROW_PUT && fr_span_is(op->value, store->federation);
    if (fr_span_is(op->key, "sequence")) return op->act == FR_ROW_PUT && is_number;
    if (fr_span_is(op->key, "generation"))
        return op->act == FR_ROW_PUT && is_number && op->value.p[7] <= 1;
    return op->act != FR_ROW_DROP;
}

/* What a primary may say: nothing about rows of this machine, and never that the federation is another. */
static bool is_allowed(const struct fr_store *store, const struct fr_row_op *op, bool is_image)
{
    if (fr_feed_is_local(op->table, op->key) || (is_image && op->act != FR_ROW_PUT)) return false;
    return op->table != FR_DB_META || is_sound_meta(store, op);
}

static enum fr_err apply_ops(const struct fr_store *store, struct fr_txn *txn, struct fr_span ops,
                             bool is_image, uint64_t *rows, struct fr_row_op *last)
{
    struct fr_row_op op = {0};
    enum fr_err err = FR_OK;

    while (err == FR_OK) {
        err = fr_row_op_next(&ops, FR_TABLE_COUNT, &op);
        if (err) break;
        if (!is_allowed(store, &op, is_image)) return FR_E_MALFORMED;
        err = fr_row_op_apply(txn, &op);
        *last = op;
        (*rows)++;
    }
    return err == FR_E_NOT_FOUND ? FR_OK : err;
}

/* --- entries --- */

static enum fr_err apply_entry(const struct fr_store *store, struct fr_txn *txn, struct fr_rd *r,
                               const struct fr_feed_message_head *head, struct fr_feed_place *at,
                               uint64_t *rows)
{
    struct fr_feed_entry entry = {.position = fr_rd_u64(r)};
    struct fr_row_op last;

    struct fr_span value = fr_rd_span(r, fr_rd_u32(r));
    enum fr_err err = fr_rd_err(r);
    if (err == FR_OK) err = fr_feed_entry_read(value, &entry);
    if (err) return err;
    if (entry.position != at->position + 1 || entry.term < at->term || entry.term > head->term)
        return FR_E_MALFORMED;
    err = apply_ops(store, txn, entry.ops, false, rows, &last);
    if (err == FR_OK) err = fr_feed_add(txn, &entry);
    *at = (struct fr_feed_place){entry.position, entry.term};
    return err;
}

static enum fr_err apply_entries(const struct fr_store *store, struct fr_txn *txn,
                                 struct fr_span body, struct fr_feed_applied *out)
{
    struct fr_feed_place at = out->state.head;
    struct fr_rd r = fr_rd(body);
    enum fr_err err = FR_OK;

    while (err == FR_OK && fr_rd_left(&r) > 0) {
        err = apply_entry(store, txn, &r, &out->head, &at, &out->rows);
        out->entries++;
    }
    out->is_behind = at.position < out->head.head.position;
    return err;
}

/* --- an image --- */

/* All rows of all tables go; the name of the federation stays, since a store without one does not open. */
static enum fr_err clear_meta(struct fr_txn *txn)
{
    struct fr_cursor *cursor = NULL;
    uint8_t from[FR_DB_KEY_MAX] = {0};
    size_t n = 1;
    struct fr_span key, value;
    enum fr_err err = FR_OK;

    while (err == FR_OK) {
        bool is_kept = false;
        err = fr_cursor_open(txn, FR_DB_META, &cursor);
        if (err) break;
        err = fr_cursor_seek(cursor, fr_span(from, n), &key, &value);
        if (err == FR_OK && n == key.n && memcmp(from, key.p, n) == 0)
            err = fr_cursor_next(cursor, &key, &value);
        if (err == FR_OK) {
            n = key.n;
            memcpy(from, key.p, n);
            is_kept = fr_feed_is_local(FR_DB_META, key) || fr_span_is(key, "federation");
        }
        fr_cursor_close(cursor);
        if (err == FR_OK && !is_kept) err = fr_txn_delete(txn, FR_DB_META, fr_span(from, n));
    }
    if (err != FR_E_NOT_FOUND) return err;
    err = fr_meta_put_u64(txn, "generation", 0);
    if (err == FR_OK) err = fr_meta_put_u64(txn, "sequence", 0);
    return err;
}

static enum fr_err end(struct fr_txn *txn, enum fr_err err)
{
    if (err == FR_OK) return fr_txn_commit(txn);
    fr_txn_end(txn);
    return err;
}

static enum fr_err clear_some(struct fr_store *store, uint32_t table, bool *left)
{
    struct fr_txn *txn = NULL;
    enum fr_err err = fr_txn_write_local(store->db, &txn);

    return err ? err : end(txn, fr_txn_drop_some(txn, table, CLEAR_AT_ONCE, left));
}

/* Marks the image first: a store that is half empty must be known as one. */
static enum fr_err begin_image(struct fr_store *store, const struct fr_feed_cursor *image,
                               const struct fr_feed_message_head *head)
{
    struct fr_txn *txn = NULL;
    enum fr_err err = fr_txn_write_local(store->db, &txn);

    if (err) return err;
    err = write_image(txn, &(struct fr_feed_cursor){0});
    if (err == FR_OK) err = clear_meta(txn);
    if (err == FR_OK) err = take_term(txn, head);
    err = end(txn, err);
    for (uint32_t table = 0; err == FR_OK && table < FR_TABLE_COUNT; table++) {
        bool left = table != FR_TABLE_LOOKUPS;
        while (err == FR_OK && left) err = clear_some(store, table, &left);
    }
    if (err == FR_OK) err = fr_txn_write_local(store->db, &txn);
    if (err) return err;
    err = fr_meta_put_u64(txn, FR_META_BASE, image->base);
    if (err == FR_OK) err = fr_meta_put_u64(txn, FR_META_BASE_TERM, image->base_term);
    if (err == FR_OK) err = fr_meta_put_u64(txn, FR_META_BYTES, 0);
    if (err == FR_OK) err = write_image(txn, image);
    return end(txn, err);
}

/* Tables come in their order, the last row says where to go on. */
static enum fr_err note_slice(struct fr_txn *txn, struct fr_feed_cursor *image,
                              const struct fr_row_op *last, bool is_last, uint64_t head)
{
    if (is_last) {
        enum fr_err err = fr_txn_delete(txn, FR_DB_META, FR_SPAN_LIT(FR_META_IMAGE));
        return err ? err : fr_meta_put_u64(txn, FR_META_TARGET, head);
    }
    uint32_t table = last->table == FR_DB_META ? (uint32_t)FR_TABLE_COUNT : last->table;
    if (last->key.n == 0 || table < image->table) return FR_E_MALFORMED;
    image->table = table;
    image->key_n = (uint16_t)last->key.n;
    memcpy(image->key, last->key.p, last->key.n);
    return write_image(txn, image);
}

static enum fr_err apply_slice(struct fr_store *store, struct fr_span body,
                               struct fr_feed_applied *out)
{
    struct fr_feed_cursor told = {0}, image = {0};
    struct fr_row_op last = {0};
    struct fr_rd r = fr_rd(body);
    struct fr_txn *txn = NULL;
    bool has_image = false;

    told.base = fr_rd_u64(&r);
    told.base_term = fr_rd_u32(&r);
    bool is_first = fr_rd_u8(&r) != 0;
    bool is_last = fr_rd_u8(&r) != 0;
    struct fr_span ops = fr_rd_rest(&r);
    enum fr_err err = fr_rd_err(&r);
    if (err == FR_OK && told.base == 0) err = FR_E_MALFORMED;
    if (err == FR_OK && is_first) err = begin_image(store, &told, &out->head);
    if (err == FR_OK) err = fr_txn_write_local(store->db, &txn);
    if (err) return err;
    err = read_image(txn, &image, &has_image);
    if (err == FR_OK &&
        (!has_image || image.base != told.base || image.base_term != told.base_term))
        err = FR_E_MALFORMED; /* a slice of another image */
    if (err == FR_OK) err = apply_ops(store, txn, ops, true, &out->rows, &last);
    if (err == FR_OK) err = note_slice(txn, &image, &last, is_last, out->head.head.position);
    if (err == FR_OK) err = take_term(txn, &out->head);
    out->is_behind = true;
    return end(txn, err);
}

/* --- all of it --- */

static enum fr_err read_state(struct fr_store *store, struct fr_feed_state *out)
{
    struct fr_snap *snap = NULL;
    enum fr_err err = fr_snap_begin(store, &snap);

    if (err == FR_OK) err = fr_feed_get(snap, out);
    fr_snap_end(snap);
    return err;
}

static enum fr_err apply_in_one(struct fr_store *store, struct fr_span body,
                                struct fr_feed_applied *out)
{
    struct fr_txn *txn = NULL;
    enum fr_err err = FR_OK;

    if (body.n == 0 && out->head.kind == FR_FEED_ENTRIES && out->head.term == out->state.term)
        return FR_OK; /* nothing new: no transaction either */
    err = fr_txn_write_local(store->db, &txn);
    if (err) return err;
    if (out->head.kind == FR_FEED_ENTRIES) {
        err = apply_entries(store, txn, body, out);
        if (err == FR_OK) err = take_term(txn, &out->head);
    } else { /* histories differ: from the beginning, please */
        err = write_image(txn, &(struct fr_feed_cursor){0});
        out->is_behind = true;
    }
    return end(txn, err);
}

enum fr_err fr_feed_apply(struct fr_store *store, struct fr_span message, struct fr_diag *diag,
                          struct fr_feed_applied *out)
{
    struct fr_feed_applied applied = {0};
    struct fr_diag told = {0};
    struct fr_span body;

    enum fr_err err = fr_feed_head_read(message, &applied.head, &body);
    if (err == FR_OK) err = read_state(store, &applied.state);
    if (err == FR_OK) err = check_head(store, &applied.state, &applied.head, &told);
    if (err == FR_OK)
        err = applied.head.kind == FR_FEED_IMAGE ? apply_slice(store, body, &applied)
                                                 : apply_in_one(store, body, &applied);
    if (err == FR_OK) err = read_state(store, &applied.state);
    if (err == FR_OK)
        *out = applied;
    else if (told.what[0] != '\0' && diag != NULL)
        *diag = told;
    else
        (void)fr_diag_fail(diag, err, "the feed could not be taken over: %s", fr_err_text(err));
    return err;
}
