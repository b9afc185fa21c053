#include "resolver/link_http.h"

#include "base/mem.h"
#include "base/parse.h"
#include "resolver/handle.h"
#include "resolver/identity.h"
#include "resolver/open.h"
#include "resolver/options.h"
#include "transport/http_client.h"
#include <string.h>

struct http_link {
    struct fr_link link;
    struct fr_loop *loop;
    const struct fr_broker_opt *broker;
    struct fr_identity *identity;
    unsigned generation;           /* of the identity that the client has */
    struct fr_http_client *client; /* made with the first question, when the files are read */
    uint32_t connect_ms, queue;
    uint64_t *reloads;
    uint64_t exchanges;
};

struct fr_link_call {
    fr_link_done done; /* NULL: cancelled */
    void *data;
    struct fr_http_call *call;
};

/* RFC 8484 answers are small; the limit is the DNS's own. Campus firewalls forget a TCP connection
 * that is silent for a minute or more. */
enum { HEAD_MAX = 16384, BODY_MAX = 65535, PING_MS = 30000 };

static uint32_t read_seconds(const struct fr_http_result *r, const char *name)
{
    uint64_t v = 0;
    struct fr_span text = fr_http_find(r->fields, r->n_fields, name);
    /* A date (Retry-After may be one) or nonsense counts as not said. */
    if (fr_parse_u64(text, 0, UINT32_MAX, &v) != FR_OK) return 0;
    return (uint32_t)v;
}

static void on_http(void *data, const struct fr_http_result *h)
{
    struct fr_link_call *call = data;
    struct fr_link_result r = {.end = FR_LINK_DOWN, .text = h->text, .alert = h->alert_word};
    if (h->fault == FR_HTTP_OK) {
        r.end = FR_LINK_ANSWERED;
        r.status = h->status;
        r.content_type = fr_http_find(h->fields, h->n_fields, "content-type");
        r.body = h->body;
        r.age_s = read_seconds(h, "age");
        r.retry_after_s = read_seconds(h, "retry-after");
    } else if (h->fault == FR_HTTP_TLS_ALERT) {
        r.end = FR_LINK_ALERT;
    } else if (h->fault == FR_HTTP_NO_MEMORY || h->fault == FR_HTTP_BUSY) {
        r.end = FR_LINK_OURS;
    }
    if (call->done) call->done(call->data, &r);
    fr_free(call);
}

static void on_http_lost(void *data)
{
    struct http_link *l = data;
    if (l->link.on_lost) l->link.on_lost(l->link.lost_data);
}

static enum fr_err make_client(struct http_link *l, struct fr_tls_ctx *tls)
{
    struct fr_http_client_conf conf = fr_http_client_conf_default();
    conf.host = l->broker->url.host;
    conf.port = l->broker->url.port;
    conf.addrs = l->broker->addresses;
    conf.n_addrs = l->broker->n_addresses;
    conf.tls = tls;
    conf.has_h2 = true;
    conf.has_h1 = true;
    conf.connect_ms = l->connect_ms;
    conf.queue = l->queue;
    conf.ping_ms = PING_MS;
    conf.on_lost = on_http_lost;
    conf.lost_data = l;
    conf.head_bytes = HEAD_MAX;
    conf.body_bytes = BODY_MAX;
    return fr_http_client_new(l->loop, &conf, &l->client);
}

/* Brings the client up to the identity's files. */
static enum fr_err ready_client(struct http_link *l, struct fr_diag *diag)
{
    struct fr_tls_ctx *tls = NULL;
    unsigned generation = 0;
    enum fr_err err =
        fr_identity_get(l->identity, fr_loop_now_ms(l->loop), diag, &tls, &generation);
    if (err) return err;
    if (!l->client) {
        err = make_client(l, tls);
        if (err)
            return fr_diag_fail(diag, err, "the connection to %s cannot be prepared",
                                l->broker->url.host);
    } else if (generation != l->generation) {
        fr_http_client_set_tls(l->client, tls);
        ++*l->reloads;
    }
    l->generation = generation;
    return FR_OK;
}

static enum fr_err http_ask(struct fr_link *link, struct fr_span message, uint32_t within_ms,
                            fr_link_done done, void *data, struct fr_diag *diag,
                            struct fr_link_call **out)
{
    struct http_link *l = (struct http_link *)link;
    static const char type[] = "application/dns-message";
    struct fr_http_field fields[] = {FR_HTTP_FIELD("content-type", type),
                                     FR_HTTP_FIELD("accept", type)};
    enum fr_err err = ready_client(l, diag);
    if (err) return err;
    struct fr_link_call *call = fr_calloc(1, sizeof *call);
    if (!call) return FR_E_NOMEM;
    call->done = done;
    call->data = data;
    struct fr_http_request request = {.method = "POST",
                                      .target = l->broker->url.path,
                                      .fields = fields,
                                      .n_fields = 2,
                                      .body = message,
                                      .is_retryable = true};
    err = fr_http_send(l->client, &request, within_ms, on_http, call, &call->call);
    if (err) {
        fr_free(call);
        return fr_diag_fail(diag, err, "the question to %s cannot be queued", l->broker->url.host);
    }
    l->exchanges++;
    *out = call;
    return FR_OK;
}

static void http_cancel(struct fr_link *link, struct fr_link_call *call)
{
    (void)link;
    call->done = NULL;
    fr_http_cancel(call->call); /* comes back in on_http, which frees the call */
}

static enum fr_err http_reload(struct fr_link *link, struct fr_diag *diag)
{
    struct http_link *l = (struct http_link *)link;
    enum fr_err err = fr_identity_reload(l->identity, fr_loop_now_ms(l->loop), diag);
    return err ? err : ready_client(l, diag);
}

static void http_add_traffic(struct fr_link *link, struct fr_resolver_traffic *sum)
{
    struct http_link *l = (struct http_link *)link;
    sum->exchanges += l->exchanges;
    if (!l->client) return;
    const struct fr_http_client_counters *c = fr_http_client_counters(l->client);
    sum->connects += c->connects;
    sum->handshakes += c->handshakes;
    sum->handshakes_resumed += c->handshakes_resumed;
    sum->bytes_in += c->bytes_in;
    sum->bytes_out += c->bytes_out;
    sum->segments_in += c->segments_in;
    sum->segments_out += c->segments_out;
    sum->round_trips += c->round_trips;
}

static void http_free(struct fr_link *link)
{
    struct http_link *l = (struct http_link *)link;
    fr_http_client_free(l->client);
    fr_identity_unref(l->identity);
    fr_free(l);
}

static const struct fr_link_ops http_ops = {.ask = http_ask,
                                            .cancel = http_cancel,
                                            .reload = http_reload,
                                            .add_traffic = http_add_traffic,
                                            .free = http_free};

/* With several addresses a dead one must not take all the time; a single one may. */
static uint32_t connect_time(const struct fedroam_options *o, const struct fr_broker_opt *broker)
{
    return broker->n_addresses > 1 ? o->broker_timeout_ms : o->timeout_ms;
}

enum fr_err fr_link_http_make(void *data, const struct fr_federation_opt *federation,
                              struct fr_loop *loop, struct fr_link **out)
{
    struct fedroam *f = data;
    struct fr_identity *identity = NULL;
    size_t n = 0;
    enum fr_err err =
        fr_identity_new(federation->ca, federation->chain, federation->key, &identity);
    if (err) return err;
    for (; n < federation->n_brokers; n++) {
        struct http_link *l = fr_calloc(1, sizeof *l);
        if (!l) {
            err = FR_E_NOMEM;
            break;
        }
        *l = (struct http_link){.link = {.ops = &http_ops},
                                .loop = loop,
                                .broker = &federation->brokers[n],
                                .identity = fr_identity_ref(identity),
                                .connect_ms = connect_time(f->options, &federation->brokers[n]),
                                .queue = f->options->pending,
                                .reloads = &f->counts[FEDROAM_COUNT_RELOADS]};
        out[n] = &l->link;
    }
    if (err)
        while (n > 0) http_free(out[--n]);
    fr_identity_unref(identity);
    return err;
}
