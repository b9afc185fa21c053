/* Rows about transfers: primaries, their state, what they left out. See rows.h; the pieces are rows.c's. */
#include "store/rows.h"
#include "store/rows_parts.h"

#include <string.h>

static bool read_bool(struct fr_rd *r)
{
    uint8_t b = fr_rd_u8(r);

    if (b > 1) fr_rd_fail(r, FR_E_MALFORMED);
    return b == 1;
}

static uint8_t read_count(struct fr_rd *r, uint8_t max)
{
    uint8_t n = fr_rd_u8(r);

    if (n > max) fr_rd_fail(r, FR_E_MALFORMED);
    return n > max ? 0 : n;
}

static void read_addr(struct fr_rd *r, struct fr_addr *out)
{
    out->ip.family = fr_rd_u8(r);
    if (out->ip.family != 4 && out->ip.family != 6) fr_rd_fail(r, FR_E_MALFORMED);
    fr_rd_bytes(r, out->ip.b, out->ip.family == 4 ? 4 : 16);
    out->port = fr_rd_u16(r);
}

static void write_addr(struct fr_wr *w, const struct fr_addr *addr)
{
    fr_wr_u8(w, addr->ip.family);
    fr_wr_bytes(w, addr->ip.b, addr->ip.family == 4 ? 4 : 16);
    fr_wr_u16(w, addr->port);
}

enum fr_err fr_primary_read(struct fr_span value, struct fr_primary_row *row)
{
    struct fr_rd r = fr_rd(value);
    struct fr_primary_row got = {0};

    memcpy(got.member, row->member, sizeof got.member);
    memcpy(got.zone, row->zone, sizeof got.zone);
    fr_row_read_form(&r);
    got.n_addrs = read_count(&r, FR_PRIMARY_ADDRS_MAX);
    for (uint8_t i = 0; i < got.n_addrs; i++) read_addr(&r, &got.addrs[i]);
    got.n_netids = read_count(&r, FR_PRIMARY_NETIDS_MAX);
    for (uint8_t i = 0; i < got.n_netids; i++) got.netids[i] = fr_rd_u24(&r);
    fr_row_read_text(&r, got.key_name, FR_DNS_NAME_MAX);
    fr_row_read_text(&r, got.key_algorithm, sizeof got.key_algorithm - 1);
    fr_rd_bytes(&r, got.key_id, sizeof got.key_id);
    got.has_tls = read_bool(&r);
    got.has_pin = read_bool(&r);
    fr_row_read_text(&r, got.tls_name, FR_DNS_NAME_MAX);
    fr_rd_bytes(&r, got.pin, sizeof got.pin);
    fr_row_read_text(&r, got.ca, FR_PRIMARY_CA_MAX);
    got.refresh_min_s = fr_rd_u32(&r);
    got.refresh_max_s = fr_rd_u32(&r);
    got.max_gone = fr_rd_u8(&r);
    got.asks = fr_rd_u32(&r);
    got.asks_full = read_bool(&r);
    got.has_leave = read_bool(&r);
    got.leave_gone = fr_rd_u64(&r);
    got.created_s = fr_row_read_time(&r);
    enum fr_err err = fr_rd_end(&r);
    if (err == FR_OK) *row = got;
    return err;
}

void fr_primary_write(struct fr_wr *w, const struct fr_primary_row *row)
{
    fr_wr_u8(w, FR_ROW_FORM);
    fr_wr_u8(w, row->n_addrs);
    for (uint8_t i = 0; i < row->n_addrs; i++) write_addr(w, &row->addrs[i]);
    fr_wr_u8(w, row->n_netids);
    for (uint8_t i = 0; i < row->n_netids; i++) fr_wr_u24(w, row->netids[i]);
    fr_row_write_text(w, row->key_name);
    fr_row_write_text(w, row->key_algorithm);
    fr_wr_bytes(w, row->key_id, sizeof row->key_id);
    fr_wr_u8(w, row->has_tls);
    fr_wr_u8(w, row->has_pin);
    fr_row_write_text(w, row->tls_name);
    fr_wr_bytes(w, row->pin, sizeof row->pin);
    fr_row_write_text(w, row->ca);
    fr_wr_u32(w, row->refresh_min_s);
    fr_wr_u32(w, row->refresh_max_s);
    fr_wr_u8(w, row->max_gone);
    fr_wr_u32(w, row->asks);
    fr_wr_u8(w, row->asks_full);
    fr_wr_u8(w, row->has_leave);
    fr_wr_u64(w, row->leave_gone);
    fr_row_write_time(w, row->created_s);
}

enum fr_err fr_primary_state_read(struct fr_span value, struct fr_primary_state *out)
{
    struct fr_rd r = fr_rd(value);
    struct fr_primary_state got = {0};

    fr_row_read_form(&r);
    got.has_serial = read_bool(&r);
    got.serial = fr_rd_u32(&r);
    got.refresh_s = fr_rd_u32(&r);
    got.retry_s = fr_rd_u32(&r);
    got.expire_s = fr_rd_u32(&r);
    got.contact_s = fr_row_read_time(&r);
    got.taken_s = fr_row_read_time(&r);
    got.full_s = fr_row_read_time(&r);
    got.taken = fr_rd_u64(&r);
    got.left_out = fr_rd_u64(&r);
    got.is_plain = read_bool(&r);
    got.is_held = read_bool(&r);
    got.held_serial = fr_rd_u32(&r);
    got.held_gone = fr_rd_u64(&r);
    got.held_of = fr_rd_u64(&r);
    got.asks = fr_rd_u32(&r);
    got.failed_s = fr_row_read_time(&r);
    fr_row_read_text(&r, got.fault, FR_PRIMARY_FAULT_MAX);
    enum fr_err err = fr_rd_end(&r);
    if (err == FR_OK) *out = got;
    return err;
}

void fr_primary_state_write(struct fr_wr *w, const struct fr_primary_state *state)
{
    fr_wr_u8(w, FR_ROW_FORM);
    fr_wr_u8(w, state->has_serial);
    fr_wr_u32(w, state->serial);
    fr_wr_u32(w, state->refresh_s);
    fr_wr_u32(w, state->retry_s);
    fr_wr_u32(w, state->expire_s);
    fr_row_write_time(w, state->contact_s);
    fr_row_write_time(w, state->taken_s);
    fr_row_write_time(w, state->full_s);
    fr_wr_u64(w, state->taken);
    fr_wr_u64(w, state->left_out);
    fr_wr_u8(w, state->is_plain);
    fr_wr_u8(w, state->is_held);
    fr_wr_u32(w, state->held_serial);
    fr_wr_u64(w, state->held_gone);
    fr_wr_u64(w, state->held_of);
    fr_wr_u32(w, state->asks);
    fr_row_write_time(w, state->failed_s);
    fr_row_write_text(w, state->fault);
}

enum fr_err fr_primary_left_read(struct fr_span value, struct fr_primary_left *out)
{
    struct fr_rd r = fr_rd(value);

    fr_row_read_form(&r);
    out->n = read_count(&r, FR_PRIMARY_LEFT_MAX);
    for (uint8_t i = 0; i < out->n; i++) {
        fr_row_read_text(&r, out->items[i].name, FR_PRIMARY_LEFT_TEXT);
        fr_row_read_text(&r, out->items[i].why, sizeof out->items[i].why - 1);
    }
    enum fr_err err = fr_rd_end(&r);
    if (err) out->n = 0;
    return err;
}

void fr_primary_left_write(struct fr_wr *w, const struct fr_primary_left *left)
{
    fr_wr_u8(w, FR_ROW_FORM);
    fr_wr_u8(w, left->n);
    for (uint8_t i = 0; i < left->n; i++) {
        fr_row_write_text(w, left->items[i].name);
        fr_row_write_text(w, left->items[i].why);
    }
}
