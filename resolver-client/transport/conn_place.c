#include "base/wire.h"
#include "transport/http_conn.h"

/* How many connections one address may have. Of IPv6 the first 64 bits count: that is what one customer has. */

#define KEY_MAX 9

static struct fr_span key_of(const struct fr_ip *ip, uint8_t room[KEY_MAX])
{
    struct fr_wr w = fr_wr(room, KEY_MAX);

    fr_wr_u8(&w, ip->family);
    fr_wr_bytes(&w, ip->b, ip->family == 6 ? 8 : 4);
    return fr_wr_done(&w);
}

enum fr_err fr_conn_take_place(struct fr_http_conn *c)
{
    struct fr_http_server *s = c->server;
    uint8_t room[KEY_MAX];

    if (c->peer.is_unix || c->conf.per_address == 0) return FR_OK;
    enum fr_err err =
        fr_tally_take(s->addresses, key_of(&c->peer.addr.ip, room), c->conf.per_address);
    if (err == FR_E_LIMIT) s->counters.limit_address++;
    c->has_place = err == FR_OK;
    return err;
}

void fr_conn_give_place(struct fr_http_conn *c)
{
    uint8_t room[KEY_MAX];

    if (c->has_place) fr_tally_give(c->server->addresses, key_of(&c->peer.addr.ip, room));
    c->has_place = false;
}
