#include "resolver/link_way.h"

#include "base/mem.h"

/* RFC 8484 answers are small; the limit is the DNS's own. Campus firewalls forget a TCP connection
 * that is silent for a minute or more. */
enum { HEAD_MAX = 16384, BODY_MAX = 65535, PING_MS = 30000 };

enum fr_err fr_link_way_new(const struct fr_way *way, struct fr_link_way **out)
{
    struct fr_link_way *w = fr_calloc(1, sizeof *w);
    if (!w) return FR_E_NOMEM;
    w->way = *way;
    *out = w;
    return FR_OK;
}

void fr_link_way_free(struct fr_link_way *w)
{
    fr_http_client_free(w->client);
    fr_free(w);
}

static enum fr_err make_client(struct fr_link_way *w, const struct fr_link_way_conf *c,
                               struct fr_tls_ctx *tls)
{
    struct fr_http_client_conf conf = fr_http_client_conf_default();
    conf.host = c->url->host;
    conf.port = c->url->port;
    conf.addrs = w->way.addresses;
    conf.n_addrs = w->way.n;
    conf.tls = tls;
    conf.has_h2 = true;
    conf.has_h1 = true;
    conf.connect_ms = c->connect_ms;
    conf.queue = c->queue;
    conf.ping_ms = PING_MS;
    conf.on_lost = c->on_lost;
    conf.lost_data = c->lost_data;
    conf.head_bytes = HEAD_MAX;
    conf.body_bytes = BODY_MAX;
    return fr_http_client_new(c->loop, &conf, &w->client);
}

enum fr_err fr_link_way_ready(struct fr_link_way *w, const struct fr_link_way_conf *conf,
                              struct fr_tls_ctx *tls, unsigned generation)
{
    enum fr_err err = FR_OK;
    if (!w->client)
        err = make_client(w, conf, tls);
    else if (generation != w->generation)
        fr_http_client_set_tls(w->client, tls);
    if (!err) w->generation = generation;
    return err;
}

enum fr_err fr_link_way_send(struct fr_link_way *w, struct fr_span message, uint32_t within_ms,
                             fr_http_done_fn done, void *data, struct fr_http_call **out)
{
    static const char type[] = "application/dns-message";
    const struct fr_http_field fields[] = {FR_HTTP_FIELD("content-type", type),
                                           FR_HTTP_FIELD("accept", type)};
    const struct fr_http_request request = {.method = "POST",
                                            .target = w->way.path,
                                            .fields = fields,
                                            .n_fields = 2,
                                            .body = message,
                                            .is_retryable = true};
    return fr_http_send(w->client, &request, within_ms, done, data, out);
}

void fr_traffic_add(struct fr_resolver_traffic *sum, const struct fr_resolver_traffic *more)
{
    sum->exchanges += more->exchanges;
    sum->connects += more->connects;
    sum->handshakes += more->handshakes;
    sum->handshakes_resumed += more->handshakes_resumed;
    sum->bytes_in += more->bytes_in;
    sum->bytes_out += more->bytes_out;
    sum->segments_in += more->segments_in;
    sum->segments_out += more->segments_out;
    sum->round_trips += more->round_trips;
}

void fr_link_way_add_traffic(const struct fr_link_way *w, struct fr_resolver_traffic *sum)
{
    if (!w->client) return;
    const struct fr_http_client_counters *c = fr_http_client_counters(w->client);
    const struct fr_resolver_traffic more = {.connects = c->connects,
                                             .handshakes = c->handshakes,
                                             .handshakes_resumed = c->handshakes_resumed,
                                             .bytes_in = c->bytes_in,
                                             .bytes_out = c->bytes_out,
                                             .segments_in = c->segments_in,
                                             .segments_out = c->segments_out,
                                             .round_trips = c->round_trips};
    fr_traffic_add(sum, &more);
}
