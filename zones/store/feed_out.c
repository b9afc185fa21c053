#include "base/hex.h"
#include "base/parse.h"
#include "store/feed_message.h"
#include "store/feed_priv.h"

#include <inttypes.h>
#include <string.h>

#define MAGIC "FRF1"
#define WHOLE_MAX (64 * 1024 * 1024)      /* a transaction that is longer comes in parts */
#define IMAGE_TABLES (FR_TABLE_COUNT + 1) /* meta is the last */

static uint32_t image_table(uint32_t index)
{
    return index == FR_TABLE_COUNT ? FR_DB_META : index;
}

/* --- the head --- */

static void write_head(const struct fr_snap *snap, const struct fr_feed_state *state,
                       enum fr_feed_kind kind, int64_t now_ms, struct fr_buf *out)
{
    uint8_t bytes[64 + FR_FEDERATION_MAX + FR_FORKS_SIZE];
    struct fr_wr w = fr_wr(bytes, sizeof bytes);
    const char *federation = snap->store->federation;

    fr_wr_bytes(&w, MAGIC, 4);
    fr_wr_u8(&w, (uint8_t)kind);
    fr_wr_u32(&w, FR_STORE_SCHEMA);
    fr_wr_u8(&w, (uint8_t)strlen(federation));
    fr_wr_bytes(&w, federation, strlen(federation));
    fr_wr_u32(&w, state->term);
    fr_wr_u64(&w, state->head.position);
    fr_wr_u32(&w, state->head.term);
    fr_wr_u64(&w, state->sequence);
    fr_wr_u64(&w, now_ms < 0 ? 0 : (uint64_t)now_ms);
    fr_feed_forks_write(&w, state->forks, state->n_forks);
    if (fr_wr_err(&w)) out->err = fr_wr_err(&w);
    fr_buf_add_span(out, fr_wr_done(&w));
}

enum fr_err fr_feed_head_read(struct fr_span message, struct fr_feed_message_head *out,
                              struct fr_span *rest)
{
    struct fr_rd r = fr_rd(message);
    struct fr_feed_message_head head = {0};

    if (!fr_span_is(fr_rd_span(&r, 4), MAGIC)) fr_rd_fail(&r, FR_E_UNSUPPORTED);
    uint8_t kind = fr_rd_u8(&r);
    if (kind > FR_FEED_DIFFERENT) fr_rd_fail(&r, FR_E_MALFORMED);
    head.kind = kind;
    head.schema = fr_rd_u32(&r);
    struct fr_span federation = fr_rd_span(&r, fr_rd_u8(&r));
    if (fr_rd_err(&r) == FR_OK &&
        !fr_span_copy(federation, head.federation, sizeof head.federation))
        fr_rd_fail(&r, FR_E_MALFORMED);
    head.term = fr_rd_u32(&r);
    head.head.position = fr_rd_u64(&r);
    head.head.term = fr_rd_u32(&r);
    head.sequence = fr_rd_u64(&r);
    head.now_ms = (int64_t)(fr_rd_u64(&r) & INT64_MAX);
    fr_feed_forks_read(&r, head.forks, &head.n_forks);
    struct fr_span left = fr_rd_rest(&r);
    enum fr_err err = fr_rd_err(&r);
    if (err) return err;
    *out = head;
    *rest = left;
    return FR_OK;
}

/* --- entries --- */

/* Whole transactions, so that a replica's readers see each of them at once or not yet. */
static enum fr_err write_entries(struct fr_snap *snap, uint64_t after, size_t room,
                                 struct fr_buf *out)
{
    struct fr_feed_entry entry = {0};
    struct fr_cursor *cursor = NULL;
    struct fr_span key, value;
    uint8_t bytes[8], size[4];
    const size_t before = out->n;

    enum fr_err err = fr_cursor_open(snap->txn, FR_TABLE_FEED, &cursor);
    if (err) return err;
    err = fr_cursor_seek(cursor, fr_feed_key(after + 1, bytes), &key, &value);
    while (err == FR_OK && (out->n == before || out->n + value.n <= room ||
                            (entry.has_more && out->n + value.n <= WHOLE_MAX))) {
        err = fr_feed_entry_read(value, &entry);
        if (err) break;
        struct fr_wr w = fr_wr(size, sizeof size);
        fr_wr_u32(&w, (uint32_t)value.n);
        fr_buf_add_span(out, key);
        fr_buf_add_span(out, fr_wr_done(&w));
        fr_buf_add_span(out, value);
        err = fr_cursor_next(cursor, &key, &value);
    }
    fr_cursor_close(cursor);
    return err == FR_E_NOT_FOUND ? FR_OK : err;
}

/* --- a slice of an image --- */

struct slice {
    struct fr_buf *out;
    size_t before, room;
    uint32_t table;
    bool is_full;
};

static enum fr_err write_row(struct slice *slice, struct fr_span key, struct fr_span value)
{
    const struct fr_row_op op = {FR_ROW_PUT, image_table(slice->table), key, value};

    if (fr_feed_is_local(op.table, key)) return FR_OK;
    if (slice->out->n > slice->before && slice->out->n + key.n + value.n + 8 > slice->room) {
        slice->is_full = true;
        return FR_OK;
    }
    fr_row_op_write(slice->out, &op);
    return fr_buf_err(slice->out);
}

static enum fr_err write_table(struct fr_snap *snap, struct slice *slice, struct fr_span after)
{
    struct fr_cursor *cursor = NULL;
    struct fr_span key, value;

    if (image_table(slice->table) == FR_TABLE_LOOKUPS || image_table(slice->table) == FR_TABLE_FEED)
        return FR_OK;
    enum fr_err err = fr_cursor_open(snap->txn, image_table(slice->table), &cursor);
    if (err) return err;
    err = after.n > 0 ? fr_cursor_seek(cursor, after, &key, &value)
                      : fr_cursor_first(cursor, &key, &value);
    if (err == FR_OK && after.n > 0 && fr_span_equal(key, after))
        err = fr_cursor_next(cursor, &key, &value);
    while (err == FR_OK && !slice->is_full) {
        err = write_row(slice, key, value);
        if (err == FR_OK && !slice->is_full) err = fr_cursor_next(cursor, &key, &value);
    }
    fr_cursor_close(cursor);
    return err == FR_E_NOT_FOUND ? FR_OK : err;
}

static enum fr_err write_slice(struct fr_snap *snap, const struct fr_feed_cursor *image,
                               size_t room, struct fr_buf *out)
{
    uint8_t bytes[14];
    struct fr_wr w = fr_wr(bytes, sizeof bytes);
    struct fr_span after = fr_span(image->key, image->key_n);
    enum fr_err err = FR_OK;

    fr_wr_u64(&w, image->base);
    fr_wr_u32(&w, image->base_term);
    fr_wr_u8(&w, image->table == 0 && image->key_n == 0);
    size_t last_at = out->n + w.at;
    fr_wr_u8(&w, 0);
    fr_buf_add_span(out, fr_wr_done(&w));
    struct slice slice = {.out = out, .before = out->n, .room = room, .table = image->table};
    while (err == FR_OK && slice.table < IMAGE_TABLES) {
        err = write_table(snap, &slice, after);
        if (slice.is_full) break;
        after = (struct fr_span){0};
        slice.table++;
    }
    if (err == FR_OK) err = fr_buf_err(out);
    if (err == FR_OK) out->p[last_at] = !slice.is_full;
    return err;
}

/* --- which of them --- */

/* May an image that began there go on? The entries since must still be there. */
static bool is_base_kept(struct fr_snap *snap, const struct fr_feed_cursor *image)
{
    uint32_t term = 0;

    return image->base != 0 && image->table < IMAGE_TABLES &&
           fr_feed_term_at(snap, image->base, &term) == FR_OK && term == image->base_term;
}

static enum fr_err choose(struct fr_snap *snap, const struct fr_feed_state *state,
                          const struct fr_feed_ask *ask, enum fr_feed_kind *out)
{
    uint32_t term = 0;

    *out = FR_FEED_IMAGE;
    if (ask->wants_image || ask->have.position == 0) return FR_OK;
    *out = FR_FEED_DIFFERENT;
    if (ask->have.position > state->head.position) return FR_OK;
    enum fr_err err = fr_feed_term_at(snap, ask->have.position, &term);
    if (err == FR_E_NOT_FOUND) { /* too long ago */
        *out = FR_FEED_IMAGE;
        return FR_OK;
    }
    if (err == FR_OK && term == ask->have.term) *out = FR_FEED_ENTRIES;
    return err;
}

enum fr_err fr_feed_has_news(struct fr_snap *snap, const struct fr_feed_ask *ask, bool *out)
{
    enum fr_feed_kind kind = FR_FEED_ENTRIES;
    struct fr_feed_state state;

    enum fr_err err = fr_feed_get(snap, &state);
    if (err == FR_OK) err = choose(snap, &state, ask, &kind);
    if (err) return err;
    *out = kind != FR_FEED_ENTRIES || state.head.position != ask->have.position ||
           state.term != ask->term;
    return FR_OK;
}

enum fr_err fr_feed_write(struct fr_snap *snap, const struct fr_feed_ask *ask, int64_t now_ms,
                          size_t room, struct fr_buf *out)
{
    enum fr_feed_kind kind = FR_FEED_ENTRIES;
    struct fr_feed_cursor image = ask->image;
    struct fr_feed_state state;

    enum fr_err err = fr_feed_get(snap, &state);
    if (err == FR_OK && !ask->is_herald) err = choose(snap, &state, ask, &kind);
    if (err) return err;
    write_head(snap, &state, kind, now_ms, out);
    if (ask->is_herald) return fr_buf_err(out);
    if (kind == FR_FEED_ENTRIES) err = write_entries(snap, ask->have.position, room, out);
    if (kind == FR_FEED_IMAGE && !(ask->wants_image && is_base_kept(snap, &image)))
        image = (struct fr_feed_cursor){.base = state.head.position, .base_term = state.head.term};
    if (kind == FR_FEED_IMAGE) err = write_slice(snap, &image, room, out);
    return err ? err : fr_buf_err(out);
}

/* --- asking --- */

void fr_feed_ask_print(const struct fr_feed_ask *ask, struct fr_buf *out)
{
    char key[2 * sizeof ask->image.key + 1];

    fr_buf_printf(out, "have=%" PRIu64 ".%" PRIu32 "&term=%" PRIu32, ask->have.position,
                  ask->have.term, ask->term);
    for (size_t i = 0; i < ask->n_forks; i++)
        fr_buf_printf(out, "%s%" PRIu32 ".%" PRIu64 ".%" PRIu64,
                      i > 0 ? "," : "&forks=", ask->forks[i].term, ask->forks[i].position,
                      ask->forks[i].sequence);
    if (ask->is_herald) fr_buf_add_str(out, "&herald=1");
    if (ask->is_part) fr_buf_add_str(out, "&part=1");
    if (!ask->wants_image || ask->is_herald) return;
    fr_hex_print(ask->image.key, ask->image.key_n, key);
    fr_buf_printf(out, "&image=%" PRIu64 ".%" PRIu32 ".%" PRIu32 ".%s", ask->image.base,
                  ask->image.base_term, ask->image.table, key);
}

/* The next of the numbers that dots part. */
static enum fr_err take_number(struct fr_span *text, uint64_t max, uint64_t *out)
{
    struct fr_span digits, rest;

    (void)fr_span_cut(*text, '.', &digits, &rest);
    enum fr_err err = fr_parse_u64(digits, 0, max, out);
    *text = rest;
    return err ? FR_E_MALFORMED : FR_OK;
}

static enum fr_err parse_image(struct fr_span text, struct fr_feed_cursor *out)
{
    uint64_t term = 0, table = 0;

    enum fr_err err = take_number(&text, UINT64_MAX, &out->base);
    if (err == FR_OK) err = take_number(&text, UINT32_MAX, &term);
    if (err == FR_OK) err = take_number(&text, IMAGE_TABLES - 1, &table);
    if (err || text.n % 2 != 0 || text.n > 2 * sizeof out->key) return FR_E_MALFORMED;
    out->base_term = (uint32_t)term;
    out->table = (uint32_t)table;
    out->key_n = (uint16_t)(text.n / 2);
    if (text.n == 0) return FR_OK;
    return fr_hex_parse(text, out->key, out->key_n) == FR_OK ? FR_OK : FR_E_MALFORMED;
}

static enum fr_err parse_place(struct fr_span text, struct fr_feed_place *out)
{
    uint64_t term = 0;

    enum fr_err err = take_number(&text, UINT64_MAX, &out->position);
    if (err == FR_OK) err = take_number(&text, UINT32_MAX, &term);
    out->term = (uint32_t)term;
    return err == FR_OK && text.n == 0 ? FR_OK : FR_E_MALFORMED;
}

static enum fr_err parse_forks(struct fr_span text, struct fr_feed_ask *out)
{
    struct fr_span part;
    uint64_t term = 0;

    while (text.n > 0) {
        (void)fr_span_cut(text, ',', &part, &text);
        if (out->n_forks == FR_FEED_FORKS) return FR_E_MALFORMED;
        struct fr_feed_fork *fork = &out->forks[out->n_forks++];
        enum fr_err err = take_number(&part, UINT32_MAX, &term);
        if (err == FR_OK) err = take_number(&part, UINT64_MAX, &fork->position);
        if (err == FR_OK) err = take_number(&part, UINT64_MAX, &fork->sequence);
        if (err || part.n > 0) return FR_E_MALFORMED;
        fork->term = (uint32_t)term;
    }
    return FR_OK;
}

/* Parameters it does not know belong to whoever carries the ask. */
enum fr_err fr_feed_ask_parse(struct fr_span query, struct fr_feed_ask *out)
{
    struct fr_feed_ask ask = {0};
    struct fr_span pair, name, value;
    enum fr_err err = FR_OK;
    bool has_have = false;
    uint64_t term = 0;

    while (query.n > 0 && err == FR_OK) {
        (void)fr_span_cut(query, '&', &pair, &query);
        (void)fr_span_cut(pair, '=', &name, &value);
        if (fr_span_is(name, "have")) {
            err = parse_place(value, &ask.have);
            has_have = true;
        } else if (fr_span_is(name, "term")) {
            err = take_number(&value, UINT32_MAX, &term);
        } else if (fr_span_is(name, "image")) {
            err = parse_image(value, &ask.image);
            ask.wants_image = true;
        } else if (fr_span_is(name, "forks")) {
            err = parse_forks(value, &ask);
        } else if (fr_span_is(name, "herald")) {
            ask.is_herald = true;
        } else if (fr_span_is(name, "part")) {
            ask.is_part = true;
        }
    }
    ask.term = (uint32_t)term;
    if (err || !has_have) return FR_E_MALFORMED;
    *out = ask;
    return FR_OK;
}
