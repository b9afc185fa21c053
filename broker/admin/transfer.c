#include "admin/transfer.h"

#include "base/hex.h"
#include "store/rows.h"

#include <stdio.h>
#include <string.h>

#define LEFT_SIZE (2 + FR_PRIMARY_LEFT_MAX * (FR_PRIMARY_LEFT_TEXT + 48))
#define CHANGE_SIZE 12

static void add_u16(struct fr_buf *out, size_t v)
{
    const uint8_t bytes[2] = {(uint8_t)(v >> 8), (uint8_t)v};
    fr_buf_add(out, bytes, sizeof bytes);
}

void fr_transfer_write(struct fr_buf *out, const struct fr_primary_state *state,
                       const struct fr_primary_left *left, const struct fr_transfer_change *changes,
                       size_t n)
{
    uint8_t bytes[LEFT_SIZE];
    struct fr_wr w = fr_wr(bytes, sizeof bytes);
    fr_primary_state_write(&w, state);
    struct fr_span part = fr_wr_done(&w);
    add_u16(out, part.n);
    fr_buf_add_span(out, part);
    w = fr_wr(bytes, sizeof bytes);
    if (left) fr_primary_left_write(&w, left);
    part = fr_wr_done(&w);
    add_u16(out, part.n);
    fr_buf_add_span(out, part);
    for (size_t i = 0; i < n; i++) {
        w = fr_wr(bytes, CHANGE_SIZE);
        fr_wr_u8(&w, changes[i].is_gone);
        fr_wr_u24(&w, changes[i].netid);
        fr_wr_u64(&w, changes[i].eui);
        fr_buf_add_span(out, fr_wr_done(&w));
    }
}

enum fr_err fr_transfer_read(struct fr_span body, struct fr_transfer_body *out)
{
    struct fr_rd r = fr_rd(body);
    struct fr_span state = fr_rd_span(&r, fr_rd_u16(&r));
    struct fr_span left = fr_rd_span(&r, fr_rd_u16(&r));
    enum fr_err err = fr_rd_err(&r);
    if (!err) err = fr_primary_state_read(state, &out->state);
    out->has_left = left.n > 0;
    out->left.n = 0;
    if (!err && out->has_left) err = fr_primary_left_read(left, &out->left);
    if (err) return err;
    if (fr_rd_left(&r) % CHANGE_SIZE) return FR_E_MALFORMED;
    out->n = fr_rd_left(&r) / CHANGE_SIZE;
    out->changes = fr_rd(fr_rd_rest(&r));
    return out->n > FR_TRANSFER_CHANGES_MAX ? FR_E_LIMIT : FR_OK;
}

enum fr_err fr_transfer_next(struct fr_transfer_body *body, struct fr_transfer_change *out)
{
    struct fr_rd *r = &body->changes;
    uint8_t is_gone = fr_rd_u8(r);
    if (is_gone > 1) fr_rd_fail(r, FR_E_MALFORMED);
    *out = (struct fr_transfer_change){.is_gone = is_gone == 1};
    out->netid = fr_rd_u24(r);
    out->eui = fr_rd_u64(r);
    return fr_rd_err(r);
}

void fr_transfer_leave(struct fr_primary_left *left, const char *name, const char *why)
{
    if (left->n == FR_PRIMARY_LEFT_MAX) return;
    (void)snprintf(left->items[left->n].name, sizeof left->items[0].name, "%s", name);
    (void)snprintf(left->items[left->n].why, sizeof left->items[0].why, "%s", why);
    left->n++;
}

enum fr_err fr_primary_body_write(struct fr_buf *out, struct fr_span secret, struct fr_span ca)
{
    add_u16(out, secret.n);
    fr_buf_add_span(out, secret);
    fr_buf_add_span(out, ca);
    return fr_buf_err(out);
}

enum fr_err fr_primary_body_read(struct fr_span body, struct fr_span *secret, struct fr_span *ca)
{
    struct fr_rd r = fr_rd(body);
    *secret = *ca = (struct fr_span){0};
    if (body.n == 0) return FR_OK;
    *secret = fr_rd_span(&r, fr_rd_u16(&r));
    *ca = fr_rd_rest(&r);
    return fr_rd_err(&r);
}

enum fr_err fr_primary_key_path(const char *state, const uint8_t id[FR_PRIMARY_KEY_ID_SIZE],
                                char out[FR_PRIMARY_KEY_PATH_MAX])
{
    char digits[2 * FR_PRIMARY_KEY_ID_SIZE + 1];
    fr_hex_print(id, FR_PRIMARY_KEY_ID_SIZE, digits);
    int n = snprintf(out, FR_PRIMARY_KEY_PATH_MAX, "%s/transfer/%s.key", state, digits);
    return n < 0 || n >= FR_PRIMARY_KEY_PATH_MAX ? FR_E_LIMIT : FR_OK;
}
