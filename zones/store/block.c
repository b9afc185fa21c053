#include "store/block.h"

#include "base/hex.h"
#include "base/mem.h"
#include "base/parse.h"
#include "store/member.h"
#include "store/policy.h"
#include "store/rows.h"
#include "store/tables.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define KEY_SIZE 9

/* --- text --- */

static uint64_t mask_of(uint8_t bits)
{
    return bits == 0 ? 0 : UINT64_MAX << (64 - bits);
}

enum fr_err fr_block_parse(struct fr_span text, struct fr_diag *diag, uint64_t *base, uint8_t *bits)
{
    struct fr_span eui, count;
    uint64_t from = 0, n = 0;

    enum fr_err err = fr_span_cut(text, '/', &eui, &count) ? FR_OK : FR_E_MALFORMED;
    if (err == FR_OK) err = fr_hex_parse_u64(eui, 16, &from);
    if (err == FR_OK) err = fr_parse_u64(count, 1, 64, &n);
    if (err) {
        (void)fr_diag_fail(diag, err, "\"%.*s\" is not a block of EUIs", (int)(text.n & 0x3f),
                           (const char *)text.p);
        fr_diag_hint(diag, "write the first EUI and the bits all have: 70b3d57ed0000000/36");
        return err;
    }
    if ((from & ~mask_of((uint8_t)n)) != 0)
        return fr_diag_fail(diag, FR_E_INVALID,
                            "%016" PRIx64 "/%" PRIu64 ": there are bits behind the first %" PRIu64,
                            from, n, n);
    *base = from;
    *bits = (uint8_t)n;
    return FR_OK;
}

void fr_block_print(uint64_t base, uint8_t bits, char out[FR_BLOCK_TEXT])
{
    snprintf(out, FR_BLOCK_TEXT, "%016" PRIx64 "/%u", base, (unsigned)(bits & 0x7f));
}

/* --- rows --- */

static struct fr_span block_key(uint64_t base, uint8_t bits, uint8_t out[KEY_SIZE])
{
    struct fr_wr w = fr_wr(out, KEY_SIZE);

    fr_wr_u64(&w, base);
    fr_wr_u8(&w, bits);
    return fr_wr_done(&w);
}

static enum fr_err read_row(struct fr_span key, struct fr_span value, struct fr_block_row *out)
{
    struct fr_rd r = fr_rd(key);
    struct fr_block_row row = {.base = fr_rd_u64(&r), .bits = fr_rd_u8(&r)};

    enum fr_err err = fr_rd_end(&r);
    if (err == FR_OK) err = fr_block_read(value, &row);
    if (err == FR_OK) *out = row;
    return err;
}

static enum fr_err get(struct fr_snap *snap, uint64_t base, uint8_t bits, struct fr_block_row *out)
{
    uint8_t bytes[KEY_SIZE];
    struct fr_span value, key = block_key(base, bits, bytes);

    enum fr_err err = fr_txn_get(snap->txn, FR_TABLE_BLOCKS, key, &value);
    return err ? err : read_row(key, value, out);
}

enum fr_err fr_block_covers(struct fr_snap *snap, const char *member, uint64_t base, uint8_t bits)
{
    struct fr_block_row row;
    enum fr_err err = FR_E_NOT_FOUND;

    for (uint8_t shorter = 1; err == FR_E_NOT_FOUND && shorter <= bits; shorter++)
        err = get(snap, base & mask_of(shorter), shorter, &row);
    return err == FR_OK && strcmp(row.member, member) != 0 ? FR_E_NOT_FOUND : err;
}

struct visit {
    fr_block_fn fn;
    void *data;
    const char *member;
};

static enum fr_err visit_row(void *data, struct fr_span key, struct fr_span value)
{
    const struct visit *v = data;
    struct fr_block_row row;

    enum fr_err err = read_row(key, value, &row);
    if (err) return err;
    if (v->member != NULL && strcmp(v->member, row.member) != 0) return FR_OK;
    return v->fn(v->data, &row);
}

enum fr_err fr_block_each(struct fr_snap *snap, const char *member, fr_block_fn fn, void *data)
{
    struct visit v = {fn, data, member};

    return fr_snap_visit(snap, FR_TABLE_BLOCKS, (struct fr_span){0}, visit_row, &v);
}

/* --- changes --- */

/* The first block at or above `base`: inside the new one when it begins before the new one's end. */
static enum fr_err first_from(struct fr_snap *snap, uint64_t base, struct fr_block_row *out)
{
    struct fr_cursor *cursor = NULL;
    struct fr_span key, value;
    uint8_t bytes[KEY_SIZE];

    enum fr_err err = fr_cursor_open(snap->txn, FR_TABLE_BLOCKS, &cursor);
    if (err) return err;
    err = fr_cursor_seek(cursor, block_key(base, 0, bytes), &key, &value);
    if (err == FR_OK) err = read_row(key, value, out);
    fr_cursor_close(cursor);
    return err;
}

/* FR_OK: *out shares EUIs with the block. */
static enum fr_err find_overlap(struct fr_snap *snap, uint64_t base, uint8_t bits,
                                struct fr_block_row *out)
{
    uint64_t last = base | ~mask_of(bits);

    enum fr_err err = first_from(snap, base, out);
    if (err == FR_OK && out->base <= last) return FR_OK;
    if (err && err != FR_E_NOT_FOUND) return err;
    for (uint8_t shorter = 1; shorter < bits; shorter++) {
        err = get(snap, base & mask_of(shorter), shorter, out);
        if (err != FR_E_NOT_FOUND) return err;
    }
    return FR_E_NOT_FOUND;
}

static enum fr_err check_member(struct fr_change *change, const char *member, struct fr_diag *diag)
{
    struct fr_member_row row;

    enum fr_err err = fr_member_get(fr_change_snap(change), member, &row);
    if (err == FR_E_NOT_FOUND) return fr_diag_fail(diag, err, "there is no member %s", member);
    if (err == FR_OK && row.state == FR_MEMBER_REMOVED)
        return fr_diag_fail(diag, FR_E_CONFLICT, "member %s was removed", member);
    return err;
}

static enum fr_err count_block(void *data, const struct fr_block_row *row)
{
    (void)row;
    ++*(size_t *)data;
    return FR_OK;
}

enum fr_err fr_block_add(struct fr_change *change, const char *member, uint64_t base, uint8_t bits,
                         struct fr_diag *diag)
{
    struct fr_snap *snap = fr_change_snap(change);
    struct fr_block_row row, fresh = {.created_s = fr_change_now(change)};
    uint8_t key[KEY_SIZE], bytes[FR_ROW_MAX];
    struct fr_wr w = fr_wr(bytes, sizeof bytes);
    char text[FR_BLOCK_TEXT];
    size_t n = 0;

    enum fr_err err = check_member(change, member, diag);
    if (err) return err;
    err = find_overlap(snap, base, bits, &row);
    if (err == FR_OK) {
        if (row.base == base && row.bits == bits && strcmp(row.member, member) == 0) return FR_OK;
        fr_block_print(row.base, row.bits, text);
        return fr_diag_fail(diag, FR_E_CONFLICT, "it overlaps %s, which is %s's", text, row.member);
    }
    if (err != FR_E_NOT_FOUND) return err;
    err = fr_block_each(snap, member, count_block, &n);
    if (err) return err;
    if (n >= FR_BLOCKS_MAX)
        return fr_diag_fail(diag, FR_E_LIMIT, "%s has %d blocks already", member, FR_BLOCKS_MAX);
    (void)fr_span_copy(fr_span_str(member), fresh.member, sizeof fresh.member);
    fr_block_write(&w, &fresh);
    return fr_change_put(change, FR_TABLE_BLOCKS, FR_FACT_BLOCK, block_key(base, bits, key),
                         fr_wr_done(&w));
}

static enum fr_err take(struct fr_change *change, uint64_t base, uint8_t bits)
{
    uint8_t bytes[KEY_SIZE];
    struct fr_span key = block_key(base, bits, bytes);

    enum fr_err err = fr_txn_delete(fr_change_txn(change), FR_TABLE_BLOCKS, key);
    return err ? err : fr_change_note(change, FR_FACT_BLOCK, key, (struct fr_span){0});
}

enum fr_err fr_block_remove(struct fr_change *change, const char *member, uint64_t base,
                            uint8_t bits, struct fr_diag *diag)
{
    struct fr_block_row row;
    char text[FR_BLOCK_TEXT];

    enum fr_err err = get(fr_change_snap(change), base, bits, &row);
    if (err == FR_OK && strcmp(row.member, member) != 0) err = FR_E_NOT_FOUND;
    if (err == FR_E_NOT_FOUND) {
        fr_block_print(base, bits, text);
        return fr_diag_fail(diag, err, "%s has no block %s", member, text);
    }
    return err ? err : take(change, base, bits);
}

static enum fr_err find_first(void *data, const struct fr_block_row *row)
{
    *(struct fr_block_row *)data = *row;
    return FR_E_EXISTS; /* ends the walk: a row must not go while a cursor stands on it */
}

enum fr_err fr_block_forget(struct fr_change *change, const char *member)
{
    struct fr_block_row row;
    enum fr_err err = FR_OK;

    do {
        err = fr_block_each(fr_change_snap(change), member, find_first, &row);
        if (err != FR_E_EXISTS) return err;
        err = take(change, row.base, row.bits);
    } while (err == FR_OK);
    return err;
}

/* --- what a member may publish --- */

static enum fr_err add_range(void *data, const struct fr_block_row *row)
{
    struct fr_blocks *blocks = data;

    if (blocks->n == blocks->room) {
        size_t room = blocks->room ? blocks->room * 2 : 16;
        void *ranges = fr_reallocarray(blocks->ranges, room, sizeof *blocks->ranges);
        if (ranges == NULL) return FR_E_NOMEM;
        blocks->ranges = ranges;
        blocks->room = room;
    }
    blocks->ranges[blocks->n].first = row->base;
    blocks->ranges[blocks->n++].last = row->base | ~mask_of(row->bits);
    return FR_OK;
}

enum fr_err fr_blocks_load(struct fr_snap *snap, const char *member, struct fr_blocks *out)
{
    struct fr_blocks blocks = {0};
    uint32_t bind = 0;

    enum fr_err err = fr_policy_get(snap, FR_POLICY_BLOCKS, &bind);
    if (err == FR_OK) err = fr_block_each(snap, member, add_range, &blocks);
    if (err) {
        fr_blocks_deinit(&blocks);
        return err;
    }
    blocks.is_bound = blocks.n > 0 || bind == FR_BLOCKS_REQUIRED;
    fr_blocks_deinit(out);
    *out = blocks;
    return FR_OK;
}

bool fr_blocks_allow(const struct fr_blocks *blocks, uint64_t eui)
{
    size_t low = 0, high = blocks->n;

    if (!blocks->is_bound) return true;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (eui < blocks->ranges[mid].first)
            high = mid;
        else if (eui > blocks->ranges[mid].last)
            low = mid + 1;
        else
            return true;
    }
    return false;
}

void fr_blocks_deinit(struct fr_blocks *blocks)
{
    fr_free(blocks->ranges);
    *blocks = (struct fr_blocks){0};
}
