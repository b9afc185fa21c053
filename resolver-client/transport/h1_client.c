#include <string.h>

#include "base/mem.h"
#include "transport/client_conn.h"
#include "transport/h1_write.h"

/* HTTP/1.1 on one client connection: one call at a time, no pipelining. */

struct fr_h1_client {
    struct fr_buf in; /* head of an answer, as far as it came */
    size_t scan_at;
    struct fr_buf out; /* head of the request */
    size_t out_at;
    struct fr_http_call *call; /* NULL: idle */
    bool has_head;
    struct fr_h1_message head;
    struct fr_h1_body body;
};

static enum fr_err h1_start(struct fr_client_conn *c)
{
    struct fr_h1_client *h = fr_calloc(1, sizeof *h);

    if (!h) return FR_E_NOMEM;
    fr_buf_init(&h->in, c->client->conf.head_bytes + 2 * FR_STREAM_CHUNK);
    fr_buf_init(&h->out, 128 * 1024);
    c->h1 = h;
    return FR_OK;
}

static void h1_stop(struct fr_client_conn *c)
{
    fr_buf_deinit(&c->h1->in);
    fr_buf_deinit(&c->h1->out);
    fr_free(c->h1);
    c->h1 = NULL;
}

static bool h1_can_take(const struct fr_client_conn *c)
{
    return c->n_calls == 0;
}

static enum fr_err h1_send(struct fr_client_conn *c, struct fr_http_call *call)
{
    struct fr_h1_client *h = c->h1;
    struct fr_span method = fr_head_span(&call->ask, call->method);
    bool has_body = call->body.n > 0 || fr_span_is(method, "POST") || fr_span_is(method, "PUT");

    fr_buf_reset(&h->out);
    fr_buf_reset(&h->in);
    h->out_at = h->scan_at = 0;
    h->has_head = false;
    fr_h1_write_request(&h->out, method, fr_head_span(&call->ask, call->target),
                        c->client->authority, has_body, call->body.n, call->ask.fields,
                        call->ask.n);
    if (fr_buf_err(&h->out)) return fr_buf_err(&h->out);
    h->call = call;
    return FR_OK;
}

static void h1_cancel(struct fr_client_conn *c, struct fr_http_call *call)
{
    if (c->h1->call != call) return;
    c->h1->call = NULL;
    c->is_retired = true; /* its answer may still come, and must not be taken for the next one */
}

static size_t h1_fill(struct fr_client_conn *c, uint8_t *p, size_t n)
{
    struct fr_h1_client *h = c->h1;
    size_t at = 0;

    if (!h->call) return 0;
    if (h->out_at < h->out.n) {
        at = h->out.n - h->out_at < n ? h->out.n - h->out_at : n;
        memcpy(p, h->out.p + h->out_at, at);
        h->out_at += at;
    }
    if (at < n && h->call->body_at < h->call->body.n) {
        size_t left = h->call->body.n - h->call->body_at;
        size_t take = left < n - at ? left : n - at;

        memcpy(p + at, h->call->body.p + h->call->body_at, take);
        h->call->body_at += take;
        at += take;
    }
    return at;
}

static void answered(struct fr_client_conn *c)
{
    struct fr_h1_client *h = c->h1;
    struct fr_http_call *call = h->call;

    /* An answer before the end of the request, or with bytes behind it, leaves a connection nobody can be sure of. */
    if (!h->head.is_kept || call->body_at < call->body.n || h->in.n > 0) c->is_retired = true;
    call->status = h->head.status;
    call->proto = h->head.proto;
    h->call = NULL;
    fr_call_answered(call);
}

static void too_large(struct fr_client_conn *c, const char *what)
{
    char buf[400];
    const struct fr_client_fault why =
        fr_client_fault(FR_HTTP_TOO_LARGE, "the answer of %s has too large a %s",
                        fr_client_conn_where(c, buf, sizeof buf), what);
    struct fr_http_call *call = c->h1->call;

    h1_cancel(c, call);
    fr_call_finish(call, &why);
}

/* FR_E_TRUNCATED: more bytes are needed. */
static enum fr_err read_head(struct fr_client_conn *c)
{
    struct fr_h1_client *h = c->h1;
    struct fr_h1_limits limits = {.head_bytes = c->client->conf.head_bytes};
    char method[16] = "";
    size_t n;

    enum fr_err err = fr_h1_scan(fr_buf_span(&h->in), &h->scan_at, &n);
    if (err == FR_E_TRUNCATED && h->in.n > limits.head_bytes) err = FR_E_LIMIT;
    if (err) return err;
    (void)fr_span_copy(fr_head_span(&h->call->ask, h->call->method), method,
                       sizeof method); /* only HEAD matters */
    fr_head_reset(&h->call->head, limits.head_bytes);
    err = fr_h1_response_read(fr_span(h->in.p, n), &limits, method, &h->call->head, &h->head);
    if (err) return err;
    fr_buf_drop(&h->in, n);
    h->scan_at = 0;
    if (h->head.status == 101) return FR_E_UNSUPPORTED; /* we never ask for another protocol */
    if (h->head.status < 200) return FR_OK;
    h->has_head = true;
    fr_h1_body_init(&h->body, &h->head);
    return FR_OK;
}

static bool h1_feed(struct fr_client_conn *c, struct fr_span in)
{
    struct fr_h1_client *h = c->h1;
    enum fr_err err = FR_OK;
    size_t used = 0;

    if (!h->call) return c->is_retired; /* nothing was asked */
    h->call->has_answer = true;
    fr_buf_add_span(&h->in, in);
    err = fr_buf_err(&h->in);
    while (!err && !h->has_head) err = read_head(c);
    if (!err && !h->body.is_done) {
        err = fr_h1_body_read(&h->body, fr_buf_span(&h->in), &h->call->answer, &used);
        fr_buf_drop(&h->in, used);
    }
    if (err == FR_E_TRUNCATED) return true;
    if (err == FR_E_LIMIT) {
        too_large(c, h->has_head ? "body" : "head");
        return true;
    }
    if (err) return false;
    if (h->body.is_done) answered(c);
    return true;
}

static void h1_end(struct fr_client_conn *c)
{
    struct fr_h1_client *h = c->h1;

    /* Over TLS only close_notify ends a body without a length; a bare FIN could be anybody's. */
    if (h->call && h->has_head && h->body.framing == FR_H1_UNTIL_CLOSE && !c->stream.is_truncated)
        answered(c);
}

static void h1_goodbye(struct fr_client_conn *c)
{
    (void)c; /* HTTP/1.1 has none */
}

const struct fr_client_proto fr_h1_client_proto = {
    .start = h1_start,
    .stop = h1_stop,
    .can_take = h1_can_take,
    .send = h1_send,
    .feed = h1_feed,
    .fill = h1_fill,
    .end = h1_end,
    .cancel = h1_cancel,
    .goodbye = h1_goodbye,
};
