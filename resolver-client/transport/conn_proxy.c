#include "base/mem.h"
#include "base/prefix.h"
#include "transport/http_conn.h"
#include "transport/proxy_v2.h"

#include <string.h>

/* A connection from a proxy begins with who the client is, before TLS. It is read to the byte: what follows is TLS's. */

struct fr_conn_proxy {
    size_t n, wanted;
    uint8_t bytes[FR_PROXY_MAX];
};

bool fr_listener_expects_proxy(const struct fr_http_listener *l, const struct fr_addr *peer)
{
    for (size_t i = 0; i < l->n_proxies; i++)
        if (fr_prefix_has(&l->proxies[i], &peer->ip)) return true;
    return false;
}

enum fr_err fr_conn_proxy_start(struct fr_http_conn *c)
{
    c->proxy = fr_calloc(1, sizeof *c->proxy);
    if (!c->proxy) return FR_E_NOMEM;
    c->proxy->wanted = FR_PROXY_HEAD;
    c->phase = FR_CONN_PROXY;
    return FR_OK;
}

void fr_conn_proxy_stop(struct fr_http_conn *c)
{
    fr_free(c->proxy);
    c->proxy = NULL;
}

/* FR_OK: all of it is there. */
static enum fr_err fill(struct fr_http_conn *c)
{
    struct fr_conn_proxy *p = c->proxy;

    while (p->n < p->wanted) {
        size_t got;
        enum fr_stream_status status =
            fr_stream_read_plain(&c->stream, p->bytes + p->n, p->wanted - p->n, &got);

        if (status == FR_STREAM_AGAIN) return FR_E_BUSY;
        if (status != FR_STREAM_OK) return FR_E_TRUNCATED;
        p->n += got;
        size_t size = p->wanted;
        enum fr_err err = fr_proxy_size(fr_span(p->bytes, p->n), &size);
        if (err && err != FR_E_TRUNCATED) return err;
        p->wanted = size;
    }
    return FR_OK;
}

enum fr_err fr_conn_proxy_read(struct fr_http_conn *c)
{
    struct fr_proxy_head head;
    enum fr_err err = fill(c);

    if (!err) err = fr_proxy_read(fr_span(c->proxy->bytes, c->proxy->n), &head);
    if (err == FR_E_BUSY) return err;
    fr_conn_proxy_stop(c);
    if (err) {
        c->server->counters.bad_proxy++;
        return err;
    }
    if (head.has_client) c->peer.addr = head.client;
    return FR_OK;
}
