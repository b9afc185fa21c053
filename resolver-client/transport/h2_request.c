#include "base/mem.h"
#include "transport/h2_repeat.h"
#include "transport/h2_server.h"
#include "transport/h2_shared.h"

#define IGNORED_MAX (64 * 1024) /* of a body whose answer is given already */

/* HEADERS, CONTINUATION and DATA of one HTTP/2 connection, until a request is whole or refused. An exchange may be gone after
 * anything that answers or resets it. */

/* The peer broke the rules of one stream: RST_STREAM. */
static void malformed(struct fr_http_conn *c, struct fr_exchange *x, uint32_t code)
{
    c->server->counters.bad_requests++;
    fr_h2_reset(c, x, code);
}

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
    x->is_head = fr_span_is(x->pub.method, "HEAD");
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

/* A list that passed every check may come again. */
static void keep_list(struct fr_h2_server *h, const struct fr_exchange *x)
{
    struct fr_h2_repeat **r = &h->repeats[h->next_repeat % FR_H2_REPEATS];

    if (!fr_h2_block_scan(h->incoming.block).is_lasting) return;
    if (!*r) *r = fr_calloc(1, sizeof **r);
    if (!*r) return; /* then it will be decoded again */
    fr_h2_repeat_keep(*r, h->incoming.block, &h->incoming.fields, x);
    h->next_repeat++;
}

/* Blocks that change the table end what the others meant. */
static void forget_lists(struct fr_h2_server *h)
{
    for (size_t i = 0; i < FR_H2_REPEATS; i++)
        if (h->repeats[i]) h->repeats[i]->is_kept = false;
}

static bool take_list(struct fr_http_conn *c, struct fr_h2_incoming *in)
{
    const struct fr_h2_huffman *huffman = &c->server->h2->huffman;

    for (size_t i = 0; i < FR_H2_REPEATS; i++) {
        const struct fr_h2_repeat *r = c->h2->repeats[i];

        if (!r || !fr_h2_repeat_take(r, in->block, huffman, &c->conf, in->x)) continue;
        in->fields = r->fields;
        in->x->h2.is_open = true;
        return true;
    }
    return false;
}

/* Makes the head ready for a handler. False: it has been answered. */
static bool open_head(struct fr_http_conn *c, struct fr_exchange *x)
{
    if (x->h2.is_open) return true;
    x->h2.is_open = true;
    fr_head_seal(&x->head);
    unsigned status = check_head(c, x);
    if (status)
        reject(c, x, status);
    else if (c->h2->incoming.block.n > 0)
        keep_list(c->h2, x);
    return status == 0;
}

static void dispatch(struct fr_http_conn *c, struct fr_exchange *x)
{
    if (!open_head(c, x)) return;
    if (c->is_draining && c->is_closing) {
        fr_h2_reset(c, x, NGHTTP2_REFUSED_STREAM);
        return;
    }
    x->pub.proto = FR_HTTP_2;
    fr_exchange_dispatch(c, x);
}

/* END_STREAM came. */
static void complete(struct fr_http_conn *c, struct fr_exchange *x)
{
    if (x->h2.has_length && x->h2.body_n != x->h2.length) { /* RFC 9113 §8.1.1 */
        malformed(c, x, NGHTTP2_PROTOCOL_ERROR);
        return;
    }
    x->has_end = true;
    c->h2->n_reading--;
    fr_h2_flood_forgive(&c->h2->flood);
    if (!x->is_rejected)
        dispatch(c, x);
    else if (x->h2.has_ended)
        fr_h2_stream_close(c, x);
}

/* --- header lists --- */

static void add_field(struct fr_http_conn *c, enum fr_h2_field what, struct fr_span name,
                      struct fr_span value)
{
    struct fr_exchange *x = c->h2->incoming.x;
    enum fr_err err = FR_OK;

    switch (what) {
    case FR_H2_METHOD: err = fr_head_text(&x->head, value, &x->method); break;
    case FR_H2_PATH: err = fr_head_text(&x->head, value, &x->path); break;
    case FR_H2_AUTHORITY: err = fr_head_text(&x->head, value, &x->authority); break;
    case FR_H2_REGULAR: err = fr_head_add(&x->head, name, value); break;
    case FR_H2_SCHEME: /* says nothing here */
    case FR_H2_MALFORMED: break;
    }
    if (err == FR_E_LIMIT) reject(c, x, 431);
    if (err == FR_E_NOMEM) fr_h2_broken(c);
}

static void take_field(struct fr_http_conn *c, struct fr_span name, struct fr_span value)
{
    struct fr_h2_incoming *in = &c->h2->incoming;

    if (!in->x || in->is_malformed) return;
    enum fr_h2_field what = in->is_trailer ? fr_h2_trailer_check(name, value)
                                           : fr_h2_fields_note(&in->fields, name, value);
    if (what == FR_H2_MALFORMED)
        in->is_malformed = true;
    else if (!in->is_trailer && !in->x->is_rejected) /* trailers are not looked at */
        add_field(c, what, name, value);
}

/* False: the connection is over. */
static bool inflate(struct fr_http_conn *c, struct fr_span block, bool is_last)
{
    nghttp2_hd_inflater *inflater = c->h2->inflater;

    for (;;) {
        nghttp2_nv nv;
        int flags = 0;
        ssize_t n = nghttp2_hd_inflate_hd2(inflater, &nv, &flags, block.p, block.n, is_last);

        if (n == NGHTTP2_ERR_NOMEM)
            fr_h2_broken(c);
        else if (n < 0)
            fr_h2_breach(c, NGHTTP2_COMPRESSION_ERROR);
        if (n < 0) return false;
        block = fr_span(block.p + n, block.n - (size_t)n);
        if (flags & NGHTTP2_HD_INFLATE_EMIT)
            take_field(c, fr_span(nv.name, nv.namelen), fr_span(nv.value, nv.valuelen));
        if (!fr_h2_is_well(c)) return false;
        if (flags & NGHTTP2_HD_INFLATE_FINAL) {
            (void)nghttp2_hd_inflate_end_headers(inflater); /* always 0 */
            return true;
        }
        if (!(flags & NGHTTP2_HD_INFLATE_EMIT) && block.n == 0) return true;
    }
}

/* The handler was called while the request was not whole. False: it wants none of it, and the exchange is gone. */
static bool put_down(struct fr_http_conn *c, struct fr_exchange *x)
{
    bool is_dropped = c->h2->is_dropped;

    c->h2->in_hand = NULL;
    c->h2->is_dropped = false;
    if (is_dropped) fr_h2_reset(c, x, NGHTTP2_CANCEL);
    return !is_dropped;
}

/* The head is there and the body is to come. */
static void expect_body(struct fr_http_conn *c, struct fr_exchange *x, bool is_asked)
{
    if (x->is_rejected) return;
    if (!open_head(c, x)) return;
    if (c->server->handler.on_head) {
        x->pub.proto = FR_HTTP_2;
        c->h2->in_hand = x;
        fr_exchange_head(c, x);
        if (!put_down(c, x) || x->is_rejected) return;
    }
    if (x->h2.has_length && x->h2.length > c->conf.body_bytes && !x->sink.on_bytes)
        reject(c, x, 413);
    else if (is_asked)
        fr_h2_go_on(c, x->stream_id);
}

/* END_HEADERS came. */
static void end_list(struct fr_http_conn *c)
{
    const struct fr_h2_incoming in = c->h2->incoming;
    struct fr_exchange *x = in.x;

    c->h2->incoming.id = 0;
    if (!x) return;
    if (in.is_malformed || (in.is_trailer && !in.has_end) ||
        (!in.is_trailer && !x->is_rejected && !fr_h2_fields_is_request(&in.fields))) {
        malformed(c, x, NGHTTP2_PROTOCOL_ERROR);
        return;
    }
    if (!in.is_trailer) {
        x->h2.has_length = in.fields.has_length;
        x->h2.length = in.fields.length;
    }
    if (in.has_end)
        complete(c, x);
    else
        expect_body(c, x, in.fields.expects);
    c->h2->incoming.block = (struct fr_span){NULL, 0};
}

static void take_block(struct fr_http_conn *c, struct fr_span block, bool is_last)
{
    if (inflate(c, block, is_last) && is_last) end_list(c);
}

/* A stream that begins now: its exchange, or NULL when it is refused. */
static struct fr_exchange *begin(struct fr_http_conn *c, int32_t id)
{
    struct fr_h2_server *h = c->h2;
    /* Requests of streams that were reset meanwhile count until the handler is done with them: in_progress has them. */
    unsigned n = h->n_reading + c->in_progress;

    if (id > h->last_id + (h->last_id == 0 ? 1 : 2)) h->has_gap = true;
    h->last_id = id;
    if (id > h->goaway_id) return NULL;
    if (n >= c->conf.streams || h->n_streams >= c->conf.streams) {
        c->server->counters.limit_streams++;
        if (!h->incoming.has_end) fr_h2_late_note(h, id);
        fr_h2_reset_id(c, id, NGHTTP2_REFUSED_STREAM);
        return NULL;
    }
    struct fr_exchange *x = fr_exchange_new(c);
    if (x)
        fr_h2_stream_begin(c, x, id);
    else
        fr_h2_broken(c);
    return x;
}

/* A frame of a stream that is over. It was on its way when we reset the stream; else the peer forgot. RFC 9113 §5.1 */
static bool is_late(struct fr_http_conn *c, int32_t id)
{
    const struct fr_h2_server *h = c->h2;

    if (fr_h2_late_has(h, id) || id > h->goaway_id) return true;
    fr_h2_breach(c, h->has_gap ? NGHTTP2_PROTOCOL_ERROR : NGHTTP2_STREAM_CLOSED);
    return false;
}

/* Whose list it is. False: the connection is over. */
static bool start_list(struct fr_http_conn *c, int32_t id)
{
    struct fr_h2_server *h = c->h2;
    struct fr_h2_incoming *in = &h->incoming;

    if (id > h->last_id) {
        in->x = begin(c, id);
        return fr_h2_is_well(c);
    }
    in->x = fr_h2_stream_find(h, id);
    if (!in->x) return is_late(c, id);
    if (in->x->has_end) { /* half closed: RFC 9113 §5.1 */
        malformed(c, in->x, NGHTTP2_STREAM_CLOSED);
        return fr_h2_is_well(c);
    }
    in->is_trailer = true;
    return true;
}

bool fr_h2_unpad(const nghttp2_frame_hd *hd, struct fr_span *payload)
{
    if (!(hd->flags & NGHTTP2_FLAG_PADDED)) return true;
    if (payload->n == 0 || payload->p[0] >= payload->n) return false;
    *payload = fr_span(payload->p + 1, payload->n - 1 - payload->p[0]);
    return true;
}

/* Priorities are not looked at, RFC 9113 §5.3.2, but for what cannot be. */
static bool skip_priority(const nghttp2_frame_hd *hd, struct fr_span *payload)
{
    if (!(hd->flags & NGHTTP2_FLAG_PRIORITY)) return true;
    if (payload->n < 5) return false;
    const uint8_t *p = payload->p;
    uint32_t on = (uint32_t)(p[0] & 0x7f) << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
    *payload = fr_span(p + 5, payload->n - 5);
    return (int32_t)on != hd->stream_id;
}

void fr_h2_request_headers(struct fr_http_conn *c, const nghttp2_frame_hd *hd,
                           struct fr_span payload)
{
    struct fr_h2_incoming *in = &c->h2->incoming;

    if (hd->stream_id % 2 == 0 || !fr_h2_unpad(hd, &payload) || !skip_priority(hd, &payload)) {
        fr_h2_breach(c, NGHTTP2_PROTOCOL_ERROR);
        return;
    }
    bool is_last = hd->flags & NGHTTP2_FLAG_END_HEADERS;
    *in = (struct fr_h2_incoming){.id = hd->stream_id,
                                  .has_end = (hd->flags & NGHTTP2_FLAG_END_STREAM) != 0};
    if (!start_list(c, hd->stream_id)) return;
    if (is_last && !in->is_trailer) in->block = payload;
    if (in->x && in->block.n > 0 && take_list(c, in)) {
        end_list(c);
        return;
    }
    if (!fr_h2_block_scan(in->block).is_lasting) forget_lists(c->h2);
    take_block(c, payload, is_last);
}

void fr_h2_request_continuation(struct fr_http_conn *c, const nghttp2_frame_hd *hd,
                                struct fr_span payload)
{
    if (++c->h2->incoming.continuations > c->conf.continuations) {
        c->server->counters.limit_continuations++;
        fr_h2_breach(c, NGHTTP2_ENHANCE_YOUR_CALM);
        return;
    }
    take_block(c, payload, (hd->flags & NGHTTP2_FLAG_END_HEADERS) != 0);
}

/* --- bodies --- */

/* Whether the peer kept to our windows; both are opened again when half of them is used. */
static bool take_window(struct fr_http_conn *c, struct fr_exchange *x, size_t n)
{
    struct fr_h2_server *h = c->h2;

    h->receive_window -= (int32_t)n;
    if (x) x->h2.receive_window -= (int32_t)n;
    if (h->receive_window < 0 || (x && x->h2.receive_window < 0)) {
        fr_h2_breach(c, NGHTTP2_FLOW_CONTROL_ERROR);
        return false;
    }
    if (h->receive_window < FR_H2_WINDOW / 2) {
        fr_h2_put_window_update(c, 0, (uint32_t)(FR_H2_WINDOW - h->receive_window));
        h->receive_window = FR_H2_WINDOW;
    }
    return true;
}

static void open_window(struct fr_http_conn *c, struct fr_exchange *x)
{
    if (x->h2.receive_window >= FR_H2_WINDOW / 2) return;
    fr_h2_put_window_update(c, x->stream_id, (uint32_t)(FR_H2_WINDOW - x->h2.receive_window));
    x->h2.receive_window = FR_H2_WINDOW;
}

/* False: the exchange is gone. */
static bool add_body(struct fr_http_conn *c, struct fr_exchange *x, struct fr_span data)
{
    x->h2.body_n += data.n;
    if (x->h2.has_length && x->h2.body_n > x->h2.length) {
        malformed(c, x, NGHTTP2_PROTOCOL_ERROR);
        return false;
    }
    if (x->is_rejected) {
        /* Not at once: some clients (curl 7.88) lose an answer that a reset follows. RFC 9113 §8.1 */
        x->ignored += data.n;
        if (x->ignored <= IGNORED_MAX) return true;
        fr_h2_reset(c, x, NGHTTP2_NO_ERROR);
        return false;
    }
    c->h2->in_hand = x;
    enum fr_err err = fr_exchange_body(c, x, data);
    if (!put_down(c, x)) return false;
    if (err == FR_E_NOMEM) fr_h2_broken(c);
    if (err == FR_E_LIMIT) reject(c, x, 413);
    return !err || err == FR_E_LIMIT;
}

void fr_h2_request_data(struct fr_http_conn *c, const nghttp2_frame_hd *hd, struct fr_span payload)
{
    struct fr_h2_server *h = c->h2;
    struct fr_exchange *x = fr_h2_stream_find(h, hd->stream_id);
    size_t all = payload.n; /* padding counts in the windows, RFC 9113 §6.9.1 */

    if (hd->stream_id % 2 == 0 || hd->stream_id > h->last_id || !fr_h2_unpad(hd, &payload)) {
        fr_h2_breach(c, NGHTTP2_PROTOCOL_ERROR);
        return;
    }
    if (!x && !is_late(c, hd->stream_id)) return;
    if (!take_window(c, x, all) || !x) return;
    if (x->has_end) {
        malformed(c, x, NGHTTP2_STREAM_CLOSED);
        return;
    }
    if (payload.n == 0 && all > 0 && !(hd->flags & NGHTTP2_FLAG_END_STREAM) &&
        !fr_h2_is_afforded(c, &(nghttp2_frame_hd){.type = NGHTTP2_DATA}))
        return; /* padding alone */
    if (!add_body(c, x, payload)) return;
    if (hd->flags & NGHTTP2_FLAG_END_STREAM)
        complete(c, x);
    else
        open_window(c, x);
}
