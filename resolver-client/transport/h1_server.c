#include <string.h>

#include "base/mem.h"
#include "transport/h1_write.h"
#include "transport/http_conn.h"

#define CONTINUE_LINE "HTTP/1.1 100 Continue\r\n\r\n"
#define KEEP_BYTES 4096 /* buffers above this are given back between requests */
#define INLINE_BODY                                                                                \
    FR_STREAM_CHUNK /* answers up to this are copied behind their head, so that many go out in one write */

/* HTTP/1.x on one connection: requests one after the other, each answered before the next is looked at, so pipelined ones
 * wait in `in` and no answer can overtake another. */

enum phase { H1_HEAD, H1_BODY, H1_AT_WORK };

struct fr_h1_server {
    struct fr_buf in;  /* read, not yet parsed */
    size_t scan_at;    /* how far the end of the head was looked for */
    struct fr_buf out; /* heads and small bodies to be sent */
    size_t out_at;
    enum phase phase;
    struct fr_exchange *now;     /* the request at hand */
    struct fr_exchange *sending; /* an answer with a large body */
    struct fr_h1_message head;
    struct fr_h1_body body;
    bool is_last;     /* no request after the one at hand */
    bool has_noticed; /* the connection is to end: told once */
};

static enum fr_err h1_start(struct fr_http_conn *c)
{
    struct fr_h1_server *h = fr_calloc(1, sizeof *h);

    if (!h) return FR_E_NOMEM;
    fr_buf_init(&h->in, c->conf.head_bytes + c->conf.target_bytes + 2 * FR_STREAM_CHUNK);
    fr_buf_init(&h->out, SIZE_MAX - 1);
    c->h1 = h;
    return FR_OK;
}

static void h1_stop(struct fr_http_conn *c)
{
    fr_buf_deinit(&c->h1->in);
    fr_buf_deinit(&c->h1->out);
    fr_free(c->h1);
    c->h1 = NULL;
}

static void out_of_memory(struct fr_http_conn *c)
{
    c->h1->is_last = true;
    fr_conn_set_closing(c, false);
}

/* Answers in place of the handler and ends the connection: what follows in the stream cannot be trusted to be a request. */
static void refuse(struct fr_http_conn *c, unsigned status)
{
    struct fr_h1_server *h = c->h1;
    const struct fr_http_field type = FR_HTTP_FIELD("content-type", "text/plain");
    const char *text = fr_http_reason(status);
    size_t before = h->out.n;

    c->server->counters.bad_requests++;
    if (status == 413) c->server->counters.limit_body++;
    if (status == 414 || status == 431) c->server->counters.limit_head++;
    if (h->now) fr_exchange_release(h->now);
    h->now = NULL;
    h->is_last = true;
    fr_h1_write_response(&h->out, status, fr_server_date(c->server), FR_H1_CLOSE, strlen(text),
                         &type, 1);
    fr_buf_add_str(&h->out, text);
    c->backlog += h->out.n - before;
    fr_conn_set_closing(c, true);
}

static void next_request(struct fr_http_conn *c)
{
    struct fr_h1_server *h = c->h1;

    h->now = NULL;
    h->phase = H1_HEAD;
    h->scan_at = 0;
    if (h->in.n > 0)
        c->request_ms = fr_loop_now_ms(c->server->loop);
    else if (h->in.cap > KEEP_BYTES)
        fr_buf_deinit(&h->in);
}

/* What the head says, where handlers look for it. */
static void publish(const struct fr_h1_server *h)
{
    struct fr_exchange *x = h->now;

    x->pub.proto = h->head.proto;
    x->pub.has_query = h->head.has_query;
    x->pub.method = fr_head_span(&x->head, h->head.method);
    x->pub.path = fr_head_span(&x->head, h->head.path);
    x->pub.query = fr_head_span(&x->head, h->head.query);
    x->pub.authority = fr_head_span(&x->head, h->head.authority);
}

static void dispatch(struct fr_http_conn *c)
{
    struct fr_h1_server *h = c->h1;
    struct fr_exchange *x = h->now;

    h->phase = H1_AT_WORK;
    if (!h->head.is_kept || c->is_draining) h->is_last = true;
    fr_exchange_dispatch(c, x);
}

/* False: more bytes are needed. */
static bool read_head(struct fr_http_conn *c)
{
    struct fr_h1_server *h = c->h1;
    struct fr_h1_limits limits = {.head_bytes = c->conf.head_bytes,
                                  .target_bytes = c->conf.target_bytes};
    unsigned status = 400;
    size_t n;

    /* One empty line before a request line is skipped, RFC 9112 §2.2. */
    if (h->scan_at == 0 && h->in.n >= 2 && memcmp(h->in.p, "\r\n", 2) == 0) fr_buf_drop(&h->in, 2);

    enum fr_err err = fr_h1_scan(fr_buf_span(&h->in), &h->scan_at, &n);
    if (err == FR_E_TRUNCATED) {
        if (h->in.n <= limits.head_bytes + limits.target_bytes) return false;
        refuse(c, memchr(h->in.p, '\n', h->in.n) ? 431 : 414);
        return true;
    }
    if (err) {
        refuse(c, 400);
        return true;
    }
    h->now = fr_exchange_new(c);
    if (!h->now) {
        out_of_memory(c);
        return true;
    }
    err = fr_h1_request_read(fr_span(h->in.p, n), &limits, &h->now->head, &h->head, &status);
    if (err) {
        refuse(c, status);
        return true;
    }
    fr_buf_drop(&h->in, n);
    fr_h1_body_init(&h->body, &h->head);
    h->phase = H1_BODY;
    publish(h);
    struct fr_exchange *x = h->now;
    if (!h->body.is_done) fr_exchange_head(c, x);
    if (h->now != x) return true; /* answered */
    if (h->head.framing == FR_H1_LENGTH && h->head.length > h->now->body.max) {
        refuse(c, 413);
        return true;
    }
    if (h->head.has_expect && h->in.n == 0) {
        fr_buf_add_str(&h->out, CONTINUE_LINE);
        c->backlog += strlen(CONTINUE_LINE);
    }
    return true;
}

/* What was gathered goes to the sink; false: it has answered. */
static bool pour(struct fr_http_conn *c)
{
    struct fr_exchange *x = c->h1->now;

    (void)fr_exchange_body(c, x, fr_buf_span(&x->body));
    if (c->h1->now != x) return false;
    fr_buf_reset(&x->body);
    return true;
}

/* False: more bytes are needed. */
static bool read_body(struct fr_http_conn *c)
{
    struct fr_h1_server *h = c->h1;
    size_t used = 0;

    if (!h->body.is_done) {
        enum fr_err err = fr_h1_body_read(&h->body, fr_buf_span(&h->in), &h->now->body, &used);
        if (err == FR_E_NOMEM) {
            out_of_memory(c);
            return true;
        }
        if (err) {
            refuse(c, err == FR_E_LIMIT ? 413 : 400);
            return true;
        }
        fr_buf_drop(&h->in, used);
        if (h->now->sink.on_bytes && !pour(c)) return true;
        if (!h->body.is_done) return false;
    }
    dispatch(c);
    return true;
}

static bool h1_feed(struct fr_http_conn *c, struct fr_span in)
{
    struct fr_h1_server *h = c->h1;
    bool can_go_on = true;

    if (h->is_last && h->phase != H1_BODY) return true; /* ignored: the peer was told */
    if (in.n > 0 && h->in.n == 0 && h->phase == H1_HEAD)
        c->request_ms = fr_loop_now_ms(c->server->loop);
    fr_buf_add_span(&h->in, in);
    if (fr_buf_err(&h->in)) return false;
    while (can_go_on && !c->is_closing && h->phase != H1_AT_WORK && !h->sending) {
        if (h->phase == H1_HEAD && (h->is_last || h->in.n == 0)) break;
        if (c->held > 0) break;                        /* letting go calls us again */
        if (c->backlog > c->conf.backlog_bytes) break; /* fill calls us again */
        if (h->phase == H1_HEAD && c->handled >= c->conf.requests_per_turn) {
            c->has_paused = true;
            break;
        }
        can_go_on = h->phase == H1_HEAD ? read_head(c) : read_body(c);
    }
    return true;
}

static void h1_reply(struct fr_http_conn *c, struct fr_exchange *x, unsigned status,
                     const struct fr_http_field *fields, size_t n_fields, struct fr_span body)
{
    struct fr_h1_server *h = c->h1;
    enum fr_h1_keep keep = FR_H1_KEEP;

    const bool is_early = x->is_rejected; /* the rest of its body is no request */

    if (c->is_draining || c->is_closing || is_early) h->is_last = true;
    if (h->is_last)
        keep = FR_H1_CLOSE;
    else if (x->pub.proto == FR_HTTP_1_0)
        keep = FR_H1_KEEP_SAY;
    size_t before = h->out.n;

    fr_h1_write_response(&h->out, status, fr_server_date(c->server), keep,
                         body.n + (size_t)x->source_left, fields, n_fields);
    if (x->is_head) x->source_left = 0;
    if (!x->is_head && status != 204 && status != 304) {
        if (body.n <= INLINE_BODY)
            fr_buf_add_span(&h->out, body);
        else
            fr_buf_add_span(&x->reply, body);
    }
    if (fr_buf_err(&h->out) || fr_buf_err(&x->reply)) {
        x->source_left = 0;
        fr_exchange_release(x);
        fr_buf_cut(&h->out, before);
        out_of_memory(c);
        return;
    }
    c->backlog += h->out.n - before + (size_t)fr_exchange_left(x);
    if (c->backlog > c->conf.backlog_bytes) c->server->counters.limit_backlog++;
    if (fr_exchange_left(x) > 0)
        h->sending = x;
    else
        fr_exchange_release(x);
    next_request(c);
    if (h->is_last) fr_conn_set_closing(c, is_early);
}

static void h1_drop(struct fr_http_conn *c, struct fr_exchange *x)
{
    fr_exchange_release(x);
    next_request(c);
    c->h1->is_last = true;
    fr_conn_set_closing(c, false);
}

static size_t fill_heads(struct fr_http_conn *c, uint8_t *p, size_t n)
{
    struct fr_h1_server *h = c->h1;
    size_t left = h->out.n - h->out_at;
    size_t take = left < n ? left : n;

    if (take == 0) return 0;
    memcpy(p, h->out.p + h->out_at, take);
    h->out_at += take;
    if (take < left) return take;
    if (h->out.cap > KEEP_BYTES)
        fr_buf_deinit(&h->out);
    else
        fr_buf_reset(&h->out);
    h->out_at = 0;
    return take;
}

static size_t fill_body(struct fr_h1_server *h, uint8_t *p, size_t n)
{
    const uint64_t left = fr_exchange_left(h->sending);
    const size_t take = left < n ? (size_t)left : n;

    fr_exchange_pull(h->sending, p, take);
    return take;
}

static size_t h1_fill(struct fr_http_conn *c, uint8_t *p, size_t n)
{
    struct fr_h1_server *h = c->h1;
    size_t at = fill_heads(c, p, n);

    if (at < n && h->sending) at += fill_body(h, p + at, n - at);
    c->backlog -= at;
    if (h->sending && fr_exchange_left(h->sending) == 0) {
        fr_exchange_release(h->sending);
        h->sending = NULL;
    }
    if (at > 0 && h->phase == H1_HEAD && h->in.n > 0)
        fr_conn_schedule(c); /* a request may have waited for this */
    return at;
}

static bool h1_can_read(const struct fr_http_conn *c)
{
    const struct fr_h1_server *h = c->h1;

    if (h->is_last && h->phase != H1_BODY) return false;
    if (c->backlog > c->conf.backlog_bytes) return false;
    return h->phase == H1_BODY || h->in.n + FR_STREAM_CHUNK <= h->in.max;
}

static bool h1_is_partial(const struct fr_http_conn *c)
{
    return c->h1->phase == H1_BODY || (c->h1->phase == H1_HEAD && c->h1->in.n > 0);
}

static bool h1_is_quiet(const struct fr_http_conn *c)
{
    return c->in_progress == 0 && c->h1->out.n == c->h1->out_at && !c->h1->sending;
}

static void h1_drain(struct fr_http_conn *c)
{
    /* First the notice: a request that is on its way already is still answered, with "close". */
    if (!c->h1->has_noticed) {
        c->h1->has_noticed = true;
        return;
    }
    /* The answer in progress will say "close", or the answer to the first request, which may be on its way already. */
    if (h1_is_partial(c) || c->in_progress > 0 || !c->has_request) return;
    c->h1->is_last = true;
    fr_conn_set_closing(c, false);
}

static bool h1_give_up(struct fr_http_conn *c)
{
    if (!h1_is_partial(c)) return false;
    refuse(c, 408);
    return true;
}

const struct fr_server_proto fr_h1_proto = {
    .start = h1_start,
    .stop = h1_stop,
    .feed = h1_feed,
    .fill = h1_fill,
    .reply = h1_reply,
    .drop = h1_drop,
    .can_read = h1_can_read,
    .is_partial = h1_is_partial,
    .is_quiet = h1_is_quiet,
    .drain = h1_drain,
    .give_up = h1_give_up,
};
