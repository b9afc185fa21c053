#include <string.h>

#include "transport/h2_server.h"
#include "transport/h2_shared.h"

#define TABLE_SIZE_0                                                                               \
    0x20 /* RFC 7541 §6.3: our answers use no dynamic table, whatever the peer allows */

/* What goes out on one HTTP/2 connection: into `out`, from which h2_fill takes it. An answer goes there whole when it may; what the
 * peer's windows or the room in `out` do not allow waits in its exchange. */

/* A connection without output holds no buffer: the server has a spare one. */
static uint8_t *reserve(struct fr_http_conn *c, size_t n)
{
    struct fr_buf *out = &c->h2->out, *spare = &c->server->h2->spare;

    if (!out->p && spare->p) {
        struct fr_buf none = FR_BUF_INIT(out->max);

        *out = *spare;
        *spare = none;
    }
    uint8_t *p = fr_buf_reserve(out, n);
    if (!p) fr_h2_broken(c);
    return p;
}

static uint8_t *write_u32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
    return p + 4;
}

static uint8_t *write_head(uint8_t *p, size_t n, uint8_t type, uint8_t flags, int32_t id)
{
    p[0] = (uint8_t)(n >> 16);
    p[1] = (uint8_t)(n >> 8);
    p[2] = (uint8_t)n;
    p[3] = type;
    p[4] = flags;
    return write_u32(p + 5, (uint32_t)id);
}

static uint8_t *write_span(uint8_t *p, struct fr_span s)
{
    if (s.n > 0) memcpy(p, s.p, s.n);
    return p + s.n;
}

void fr_h2_put_frame(struct fr_http_conn *c, uint8_t type, uint8_t flags, int32_t id,
                     struct fr_span payload)
{
    if (c->h2->is_broken) return;
    uint8_t *p = reserve(c, FR_H2_FRAME_HEAD + payload.n);
    if (!p) return;
    (void)write_span(write_head(p, payload.n, type, flags, id), payload);
    fr_buf_commit(&c->h2->out, FR_H2_FRAME_HEAD + payload.n);
}

void fr_h2_put_window_update(struct fr_http_conn *c, int32_t id, uint32_t by)
{
    uint8_t payload[4];

    (void)write_u32(payload, by);
    fr_h2_put_frame(c, NGHTTP2_WINDOW_UPDATE, 0, id, fr_span(payload, sizeof payload));
}

void fr_h2_reset_id(struct fr_http_conn *c, int32_t id, uint32_t code)
{
    const nghttp2_frame_hd hd = {.length = 4, .stream_id = id, .type = NGHTTP2_RST_STREAM};
    struct fr_h2_server *h = c->h2;
    uint8_t payload[4];

    if (!fr_h2_is_well(c)) return;
    (void)write_u32(payload, code);
    fr_h2_put_frame(c, NGHTTP2_RST_STREAM, 0, id, fr_span(payload, sizeof payload));
    if (!fr_h2_flood_note(&h->flood, &hd, fr_loop_now_ms(c->server->loop), &c->conf,
                          &c->server->counters))
        fr_h2_end(c, NGHTTP2_ENHANCE_YOUR_CALM);
}

void fr_h2_reset(struct fr_http_conn *c, struct fr_exchange *x, uint32_t code)
{
    if (!x->has_end) fr_h2_late_note(c->h2, x->stream_id);
    fr_h2_reset_id(c, x->stream_id, code);
    fr_h2_stream_close(c, x);
}

/* One header block, cut into frames. Only a first block says the size of the table. */
static void put_block(struct fr_http_conn *c, struct fr_span block, struct fr_span more,
                      uint8_t flags, int32_t id)
{
    struct fr_buf whole = FR_BUF_INIT(SIZE_MAX - 1);
    uint8_t type = NGHTTP2_HEADERS;

    if (!c->h2->has_table) fr_buf_add_char(&whole, TABLE_SIZE_0);
    fr_buf_add_span(&whole, block);
    fr_buf_add_span(&whole, more);
    if (fr_buf_err(&whole)) {
        fr_h2_broken(c);
        return;
    }
    c->h2->has_table = true;
    for (struct fr_span left = fr_buf_span(&whole); left.n > 0 || type == NGHTTP2_HEADERS;) {
        size_t n = left.n < FR_H2_FRAME_MAX ? left.n : FR_H2_FRAME_MAX;

        if (n == left.n) flags |= NGHTTP2_FLAG_END_HEADERS;
        fr_h2_put_frame(c, type, flags, id, fr_span(left.p, n));
        left = fr_span(left.p + n, left.n - n);
        type = NGHTTP2_CONTINUATION;
        flags &= (uint8_t)~NGHTTP2_FLAG_END_STREAM;
    }
    fr_buf_deinit(&whole);
}

void fr_h2_go_on(struct fr_http_conn *c, int32_t id)
{
    static const uint8_t status_100[] = {8, 3, '1', '0', '0'}; /* RFC 7541 §6.2.2 */

    put_block(c, fr_span(status_100, sizeof status_100), (struct fr_span){NULL, 0}, 0, id);
}

/* Our side of the stream is done. */
static void end_answer(struct fr_http_conn *c, struct fr_exchange *x)
{
    x->h2.has_ended = true;
    if (x->has_end) fr_h2_stream_close(c, x);
}

static bool is_small(const struct fr_http_conn *c, const struct fr_exchange *x, size_t head,
                     size_t body)
{
    const struct fr_h2_server *h = c->h2;

    return x->source_left == 0 && head <= FR_H2_FRAME_MAX && body <= FR_H2_FRAME_MAX &&
           h->has_table && !h->first && (int64_t)body <= h->send_window &&
           (int64_t)body <= x->h2.send_window && h->out.n - h->out_at + body <= FR_H2_OUT_MAX;
}

/* The usual case: head and body are a frame each, and both may go. */
static void put_small(struct fr_http_conn *c, struct fr_exchange *x, struct fr_span block,
                      struct fr_span length, struct fr_span body)
{
    struct fr_h2_server *h = c->h2;
    uint8_t flags = NGHTTP2_FLAG_END_HEADERS;
    size_t head = block.n + length.n, n = FR_H2_FRAME_HEAD + head;

    if (body.n > 0)
        n += FR_H2_FRAME_HEAD + body.n;
    else
        flags |= NGHTTP2_FLAG_END_STREAM;
    uint8_t *p = reserve(c, n);
    if (!p) return;
    p = write_head(p, head, NGHTTP2_HEADERS, flags, x->stream_id);
    p = write_span(write_span(p, block), length);
    if (body.n > 0) {
        p = write_head(p, body.n, NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, x->stream_id);
        (void)write_span(p, body);
    }
    fr_buf_commit(&h->out, n);
    h->send_window -= (int64_t)body.n;
    x->h2.send_window -= (int64_t)body.n;
    end_answer(c, x);
}

static void wait_in_turn(struct fr_h2_server *h, struct fr_exchange *x)
{
    x->h2.is_waiting = true;
    x->h2.behind = NULL;
    if (h->first)
        h->behind->h2.behind = x;
    else
        h->first = x;
    h->behind = x;
}

static void put_large(struct fr_http_conn *c, struct fr_exchange *x, struct fr_span block,
                      struct fr_span length, struct fr_span body)
{
    if (body.n > 0) fr_buf_add_span(&x->reply, body);
    if (fr_buf_err(&x->reply)) {
        x->source_left = 0;
        fr_h2_broken(c);
        return;
    }
    bool is_empty = fr_exchange_left(x) == 0;
    c->backlog += (size_t)fr_exchange_left(x);
    put_block(c, block, length, is_empty ? NGHTTP2_FLAG_END_STREAM : 0, x->stream_id);
    if (is_empty) {
        end_answer(c, x);
        return;
    }
    wait_in_turn(c->h2, x);
    fr_h2_pump(c);
}

void fr_h2_reply(struct fr_http_conn *c, struct fr_exchange *x, unsigned status,
                 const struct fr_http_field *fields, size_t n_fields, struct fr_span body)
{
    struct fr_http_server *s = c->server;
    uint8_t length[FR_H2_LENGTH_MAX];
    const char *date = fr_server_date(s);
    size_t body_n = body.n + (size_t)x->source_left;
    size_t length_n = status == 204 ? 0 : fr_h2_length_write(length, body_n);

    if (!fr_h2_is_well(c)) { /* it goes with the connection */
        x->source_left = 0;
        return;
    }
    struct fr_span block =
        fr_h2_heads_get(&s->h2->heads, status, s->date_s, date, fields, n_fields);
    if (!block.p) {
        x->source_left = 0;
        fr_h2_broken(c);
        return;
    }
    if (x->is_head || status == 204 || status == 304) {
        body.n = 0;
        x->source_left = 0;
    }
    if (is_small(c, x, block.n + length_n, body.n))
        put_small(c, x, block, fr_span(length, length_n), body);
    else
        put_large(c, x, block, fr_span(length, length_n), body);
}

void fr_h2_forget_answer(struct fr_http_conn *c, struct fr_exchange *x)
{
    struct fr_h2_server *h = c->h2;
    struct fr_exchange **at = &h->first, *before = NULL;

    if (!x->h2.is_waiting) return;
    x->h2.is_waiting = false;
    while (*at && *at != x) {
        before = *at;
        at = &(*at)->h2.behind;
    }
    if (!*at) return;
    *at = x->h2.behind;
    if (h->behind == x) h->behind = before;
}

/* One frame of the first answer that waits. It leaves the queue when its own window is empty. */
static void put_next(struct fr_http_conn *c)
{
    struct fr_h2_server *h = c->h2;
    struct fr_exchange *x = h->first;
    uint64_t left = fr_exchange_left(x);
    int64_t n = left < FR_H2_FRAME_MAX ? (int64_t)left : FR_H2_FRAME_MAX;

    fr_h2_forget_answer(c, x);
    if (n > h->send_window) n = h->send_window;
    if (n > x->h2.send_window) n = x->h2.send_window;
    if (n <= 0) return;
    bool is_last = (uint64_t)n == left;
    uint8_t *p = reserve(c, FR_H2_FRAME_HEAD + (size_t)n);
    if (!p) return;
    p = write_head(p, (size_t)n, NGHTTP2_DATA, is_last ? NGHTTP2_FLAG_END_STREAM : 0, x->stream_id);
    fr_exchange_pull(x, p, (size_t)n);
    fr_buf_commit(&h->out, FR_H2_FRAME_HEAD + (size_t)n);
    c->backlog -= (size_t)n;
    h->send_window -= n;
    x->h2.send_window -= n;
    if (is_last)
        end_answer(c, x);
    else
        wait_in_turn(h, x);
}

void fr_h2_pump(struct fr_http_conn *c)
{
    struct fr_h2_server *h = c->h2;

    while (h->first && h->send_window > 0 && h->out.n - h->out_at < FR_H2_FRAME_MAX &&
           fr_h2_is_well(c))
        put_next(c);
}

void fr_h2_resume(struct fr_http_conn *c, struct fr_exchange *x)
{
    if (fr_exchange_left(x) > 0 && x->h2.send_window > 0 && !x->h2.is_waiting)
        wait_in_turn(c->h2, x);
}
