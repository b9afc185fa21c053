/* Rows of JoinEUIs. See rows.h; the pieces are rows.c's. */
#include "store/rows.h"
#include "store/rows_parts.h"

#include <string.h>

#define FORM_SERVERS 2 /* any number of servers; the first form had one, by its addresses */
#define FIRST_ADDRS_MAX 2

static void read_first_form(struct fr_rd *r, struct fr_joineui_row *row)
{
    struct fr_addr addrs[FIRST_ADDRS_MAX] = {0};
    struct fr_join_server *server = &row->servers[0];
    uint8_t n = 0;

    fr_row_read_addrs(r, addrs, FIRST_ADDRS_MAX, &n);
    if (fr_rd_err(r) != FR_OK || n == 0) return;
    *server = (struct fr_join_server){.service = FR_OWNER_LWNS,
                                      .port = addrs[0].port,
                                      .order = FR_JOIN_ORDER,
                                      .preference = FR_JOIN_PREFERENCE_HTTPS,
                                      .priority = 1};
    for (uint8_t i = 0; i < n; i++) server->ips[server->n_ips++] = addrs[i].ip;
    row->n_servers = 1;
}

static void read_ip(struct fr_rd *r, struct fr_ip *out)
{
    out->family = fr_rd_u8(r);
    if (out->family != 4 && out->family != 6) fr_rd_fail(r, FR_E_MALFORMED);
    fr_rd_bytes(r, out->b, out->family == 4 ? 4 : 16);
}

/* By a name, or by one or two addresses of different families. */
static bool is_whole(const struct fr_join_server *server)
{
    if (server->port == 0) return false;
    if (server->host[0] != '\0') return server->n_ips == 0;
    return server->n_ips == 1 ||
           (server->n_ips == 2 && server->ips[0].family != server->ips[1].family);
}

static void read_server(struct fr_rd *r, struct fr_join_server *out)
{
    uint8_t service = fr_rd_u8(r);

    if (service > FR_OWNER_LWN) fr_rd_fail(r, FR_E_MALFORMED);
    out->service = service;
    fr_row_read_text(r, out->host, FR_JOIN_HOST_MAX);
    out->n_ips = fr_rd_u8(r);
    if (out->n_ips > 2) fr_rd_fail(r, FR_E_MALFORMED);
    for (uint8_t i = 0; i < out->n_ips && fr_rd_err(r) == FR_OK; i++) read_ip(r, &out->ips[i]);
    out->port = fr_rd_u16(r);
    out->order = fr_rd_u16(r);
    out->preference = fr_rd_u16(r);
    out->priority = fr_rd_u16(r);
    out->weight = fr_rd_u16(r);
    if (fr_rd_err(r) == FR_OK && !is_whole(out)) fr_rd_fail(r, FR_E_MALFORMED);
}

enum fr_err fr_joineui_read(struct fr_span value, struct fr_joineui_row *row)
{
    struct fr_rd r = fr_rd(value);
    struct fr_joineui_row got = {.base = row->base, .nibbles = row->nibbles};

    uint8_t form = fr_rd_u8(&r);
    if (form != FR_ROW_FORM && form != FORM_SERVERS) fr_rd_fail(&r, FR_E_UNSUPPORTED);
    fr_row_read_text(&r, got.member, FR_MEMBER_ID_MAX);
    if (form == FR_ROW_FORM) {
        read_first_form(&r, &got);
    } else {
        got.n_servers = fr_rd_u8(&r);
        if (got.n_servers > FR_JOIN_SERVERS_MAX) fr_rd_fail(&r, FR_E_MALFORMED);
        for (uint8_t i = 0; i < got.n_servers && fr_rd_err(&r) == FR_OK; i++)
            read_server(&r, &got.servers[i]);
    }
    got.changed_s = fr_row_read_time(&r);
    enum fr_err err = fr_rd_end(&r);
    if (err == FR_OK) *row = got;
    return err;
}

static void write_server(struct fr_wr *w, const struct fr_join_server *server)
{
    fr_wr_u8(w, (uint8_t)server->service);
    fr_row_write_text(w, server->host);
    fr_wr_u8(w, server->n_ips);
    for (uint8_t i = 0; i < server->n_ips; i++) {
        fr_wr_u8(w, server->ips[i].family);
        fr_wr_bytes(w, server->ips[i].b, server->ips[i].family == 4 ? 4 : 16);
    }
    fr_wr_u16(w, server->port);
    fr_wr_u16(w, server->order);
    fr_wr_u16(w, server->preference);
    fr_wr_u16(w, server->priority);
    fr_wr_u16(w, server->weight);
}

void fr_joineui_write(struct fr_wr *w, const struct fr_joineui_row *row)
{
    fr_wr_u8(w, FORM_SERVERS);
    fr_row_write_text(w, row->member);
    fr_wr_u8(w, row->n_servers);
    for (uint8_t i = 0; i < row->n_servers; i++) write_server(w, &row->servers[i]);
    fr_row_write_time(w, row->changed_s);
}
