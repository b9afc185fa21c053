#include "transport/h2_server.h"

#define IGNORED_MAX (64 * 1024) /* of a body whose answer is given already */

/* What a peer sends on one HTTP/2 connection, until a request is whole or refused. Called by nghttp2 from inside h2_feed: here we
 * only submit. */

/* Answers a request that is not whole; what still comes of it is ignored, up to a point. */
static void reject(struct fr_http_conn *c, struct fr_exchange *x, unsigned status)
{
    const struct fr_http_field type = FR_HTTP_FIELD("content-type", "text/plain");

    if (x->is_rejected) return;
    x->is_rejected = true;
    x->state = FR_X_ANSWERED;
    c->server->counters.bad_requests++;
    if (status == 413) c->server->counters.limit_body++;
    if (status == 414 || status == 431) c->server->counters.limit_head++;
    fr_h2_reply(c, x, status, &type, 1, fr_span_str(fr_http_reason(status)));
}

/* Whether the head of the request can be given to a handler; else the status that says why not. */
static unsigned check_head(struct fr_http_conn *c, struct fr_exchange *x)
{
    struct fr_span target = fr_head_span(&x->head, x->path), host;

    x->pub.method = fr_head_span(&x->head, x->method);
    x->pub.authority = fr_head_span(&x->head, x->authority);
    if (fr_span_is(x->pub.method, "CONNECT")) return 501;
    if (!fr_h1_is_target(target)) return 400;
    if (target.n > c->conf.target_bytes) return 414;
    if (target.p[0] != '/' && !(fr_span_is(target, "*") && fr_span_is(x->pub.method, "OPTIONS")))
        return 400;
    fr_h1_split_target(target, &x->pub.path, &x->pub.query, &x->pub.has_query);

    host = fr_http_find(x->head.fields, x->head.n, "host");
    if (x->pub.authority.n == 0) x->pub.authority = host;
    if (host.p && !fr_span_equal_nocase(host, x->pub.authority)) return 400; /* RFC 9113 §8.3.1 */
    return fr_h1_is_authority(x->pub.authority) ? 0 : 400;
}

static void complete(struct fr_http_conn *c, struct fr_exchange *x)
{
    struct fr_h2_server *h = c->h2;

    x->has_end = true;
    h->n_reading--;
    fr_h2_flood_forgive(&h->flood);
    if (x->is_rejected) return;
    fr_head_seal(&x->head);
    unsigned status = check_head(c, x);
    if (status) {
        reject(c, x, status);
        return;
    }
    if (c->is_draining && c->is_closing) {
        fr_h2_reset(c, x->stream_id, NGHTTP2_REFUSED_STREAM);
        return;
    }
    x->pub.proto = FR_HTTP_2;
    fr_exchange_dispatch(c, x);
}

/* The exchange on a stream, or NULL. Most of what comes is of the stream that began last. */
static struct fr_exchange *exchange_on(const struct fr_h2_server *h, int32_t stream_id)
{
    if (h->newest && h->newest->stream_id == stream_id) return h->newest;
    return nghttp2_session_get_stream_user_data(h->session, stream_id);
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *data)
{
    struct fr_http_conn *c = data;
    struct fr_h2_server *h = c->h2;
    struct fr_exchange *x;

    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
    fr_h2_order_begin(&h->order, frame->hd.stream_id);
    /* Requests of streams that were reset meanwhile count until the handler is done with them: in_progress has them. */
    if (h->n_reading + c->in_progress >= c->conf.streams) {
        c->server->counters.limit_streams++;
        fr_h2_reset(c, frame->hd.stream_id, NGHTTP2_REFUSED_STREAM);
        return 0;
    }
    x = fr_exchange_new(c);
    if (!x) return NGHTTP2_ERR_CALLBACK_FAILURE;
    x->stream_id = frame->hd.stream_id;
    if (h->n_reading++ == 0) c->request_ms = fr_loop_now_ms(c->server->loop);
    h->n_streams++;
    h->newest = x;
    (void)nghttp2_session_set_stream_user_data(session, x->stream_id,
                                               x); /* the stream is there: it just began */
    return 0;
}

static enum fr_err add_field(struct fr_exchange *x, struct fr_span name, struct fr_span value)
{
    if (name.n == 0 || name.p[0] != ':') return fr_head_add(&x->head, name, value);
    if (fr_span_is(name, ":method")) return fr_head_text(&x->head, value, &x->method);
    if (fr_span_is(name, ":path")) return fr_head_text(&x->head, value, &x->path);
    if (fr_span_is(name, ":authority")) return fr_head_text(&x->head, value, &x->authority);
    return FR_OK; /* :scheme says nothing here */
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_n, const uint8_t *value, size_t value_n, uint8_t flags, void *data)
{
    struct fr_http_conn *c = data;
    struct fr_exchange *x = exchange_on(c->h2, frame->hd.stream_id);

    (void)session;
    (void)flags;
    if (!x || x->is_rejected || frame->hd.type != NGHTTP2_HEADERS) return 0;
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0; /* trailers are not looked at */

    enum fr_err err = add_field(x, fr_span(name, name_n), fr_span(value, value_n));
    if (err == FR_E_LIMIT) reject(c, x, 431);
    return err == FR_E_NOMEM ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream_id, const uint8_t *p,
                   size_t n, void *data)
{
    struct fr_http_conn *c = data;
    struct fr_exchange *x = exchange_on(c->h2, stream_id);

    (void)session;
    (void)flags;
    if (!x) return 0;
    if (x->is_rejected) {
        /* Not at once: some clients (curl 7.88) lose an answer that a reset follows. RFC 9113 §8.1 */
        x->ignored += n;
        if (x->ignored > IGNORED_MAX) fr_h2_reset(c, stream_id, NGHTTP2_NO_ERROR);
        return 0;
    }
    enum fr_err err = fr_exchange_body(c, x, fr_span(p, n));
    if (err == FR_E_LIMIT) reject(c, x, 413);
    return err == FR_E_NOMEM ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

/* The head is there and the body is to come. */
static void on_head(struct fr_http_conn *c, struct fr_exchange *x)
{
    struct fr_span length, expect;
    uint64_t n = 0;

    if (x->is_rejected) return;
    fr_head_seal(&x->head);
    x->pub.proto = FR_HTTP_2;
    unsigned status = check_head(c, x);
    if (status) {
        reject(c, x, status);
        return;
    }
    if (!fr_exchange_head(c, x)) return;
    length =
        fr_http_find(x->head.fields, x->head.n, "content-length"); /* digits: nghttp2 checked */
    for (size_t i = 0; i < length.n && n <= c->conf.body_bytes; i++)
        n = n * 10 + (uint64_t)(length.p[i] - '0');
    if (n > c->conf.body_bytes && !x->sink.on_bytes) {
        reject(c, x, 413);
        return;
    }
    expect = fr_http_find(x->head.fields, x->head.n, "expect");
    if (!fr_span_equal_nocase(expect, FR_SPAN_LIT("100-continue"))) return;
    fr_h2_go_on(c, x->stream_id);
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *data)
{
    struct fr_http_conn *c = data;
    struct fr_exchange *x;

    (void)session;
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) return 0;
    x = exchange_on(c->h2, frame->hd.stream_id);
    if (!x || x->has_end) return 0;
    if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
        complete(c, x);
    else if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST)
        on_head(c, x);
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t stream_id, uint32_t code, void *data)
{
    struct fr_http_conn *c = data;
    struct fr_exchange *x = nghttp2_session_get_stream_user_data(session, stream_id);

    (void)code;
    if (!x) return 0;
    if (x == c->h2->newest) c->h2->newest = NULL;
    if (!x->has_end) c->h2->n_reading--;
    c->h2->n_streams--;
    if (x->state == FR_X_AT_WORK)
        x->is_gone = true; /* its handler will release it */
    else
        fr_exchange_release(x);
    return 0;
}

static int on_invalid_frame(nghttp2_session *session, const nghttp2_frame *frame, int code,
                            void *data)
{
    struct fr_http_conn *c = data;

    (void)session;
    (void)frame;
    (void)code;
    c->server->counters.bad_requests++;
    return 0;
}

void fr_h2_request_callbacks(nghttp2_session_callbacks *callbacks)
{
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, on_invalid_frame);
}
