#include "transport/h2_server.h"

#include <string.h>

#include "base/mem.h"
#include "base/wire.h"
#include "transport/h2_shared.h"

#define KEEP_BYTES 1024 /* of a frame's start, while the rest is to come, kept for the next one */

/* HTTP/2 on one connection: its start, bytes in, bytes out, its end. */

bool fr_h2_is_well(const struct fr_http_conn *c)
{
    return !c->h2->is_over && !c->h2->is_broken;
}

void fr_h2_broken(struct fr_http_conn *c)
{
    c->h2->is_broken = true;
    fr_conn_set_closing(c, false);
}

static void put_goaway(struct fr_http_conn *c, int32_t last_id, uint32_t code)
{
    uint8_t payload[8];
    struct fr_wr w = fr_wr(payload, sizeof payload);

    fr_wr_u32(&w, (uint32_t)last_id);
    fr_wr_u32(&w, code);
    fr_h2_put_frame(c, NGHTTP2_GOAWAY, 0, 0, fr_span(payload, sizeof payload));
}

void fr_h2_end(struct fr_http_conn *c, uint32_t code)
{
    const struct fr_h2_server *h = c->h2;

    if (!fr_h2_is_well(c)) return;
    put_goaway(c, h->last_id < h->goaway_id ? h->last_id : h->goaway_id, code);
    c->h2->is_over = true;
    fr_conn_set_closing(c, true);
}

void fr_h2_breach(struct fr_http_conn *c, uint32_t code)
{
    c->server->counters.bad_requests++;
    fr_h2_end(c, code);
}

static void h2_drop(struct fr_http_conn *c, struct fr_exchange *x)
{
    if (c->h2->in_hand == x)
        c->h2->is_dropped = true; /* once its handler has returned */
    else
        fr_h2_reset(c, x, NGHTTP2_CANCEL);
}

static void put_settings(struct fr_http_conn *c)
{
    const struct {
        uint16_t id;
        uint32_t value;
    } settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, c->conf.streams},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE,
         (uint32_t)(c->conf.head_bytes + c->conf.target_bytes)},
        {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
    };
    uint8_t payload[6 * sizeof settings / sizeof *settings];
    struct fr_wr w = fr_wr(payload, sizeof payload);

    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        fr_wr_u16(&w, settings[i].id);
        fr_wr_u32(&w, settings[i].value);
    }
    fr_h2_put_frame(c, NGHTTP2_SETTINGS, 0, 0, fr_wr_done(&w));
}

static void h2_free(struct fr_h2_server *h)
{
    nghttp2_hd_inflate_del(h->inflater);
    for (size_t i = 0; i < FR_H2_REPEATS; i++) fr_secret_free_all(h->repeats[i]);
    fr_buf_deinit(&h->in);
    fr_buf_deinit(&h->out);
    fr_free(h);
}

static enum fr_err h2_start(struct fr_http_conn *c)
{
    struct fr_h2_server *h = fr_calloc(1, sizeof *h);

    if (!h) return FR_E_NOMEM;
    if (nghttp2_hd_inflate_new2(&h->inflater, &c->server->h2->mem) != 0) {
        fr_free(h);
        return FR_E_NOMEM;
    }
    fr_buf_init(&h->in, FR_H2_FRAME_HEAD + FR_H2_FRAME_MAX);
    fr_buf_init(&h->out, SIZE_MAX - 1); /* see can_read */
    h->send_window = h->stream_window = h->receive_window = FR_H2_WINDOW;
    h->goaway_id = FR_H2_WINDOW_MAX;
    c->h2 = h;
    put_settings(c);
    if (!h->is_broken) return FR_OK;
    h2_free(h);
    c->h2 = NULL;
    return FR_E_NOMEM;
}

static void h2_stop(struct fr_http_conn *c)
{
    h2_free(c->h2);
    c->h2 = NULL;
}

/* --- bytes in --- */

/* The first bytes of a connection, RFC 9113 §3.4. False: the peer does not speak HTTP/2. */
static bool take_preface(struct fr_http_conn *c, struct fr_span *in)
{
    static const char preface[] = NGHTTP2_CLIENT_MAGIC;
    struct fr_h2_server *h = c->h2;
    size_t n = NGHTTP2_CLIENT_MAGIC_LEN - h->in.n;

    if (n > in->n) n = in->n;
    if (memcmp(in->p, preface + h->in.n, n) != 0) {
        fr_h2_breach(c, NGHTTP2_PROTOCOL_ERROR);
        return false;
    }
    if (h->in.n + n == NGHTTP2_CLIENT_MAGIC_LEN) {
        h->has_preface = true;
        fr_buf_reset(&h->in);
    } else {
        fr_buf_add(&h->in, in->p, n);
    }
    *in = fr_span(in->p + n, in->n - n);
    return true;
}

static nghttp2_frame_hd read_head(const uint8_t *p)
{
    struct fr_rd r = fr_rd(fr_span(p, FR_H2_FRAME_HEAD));
    nghttp2_frame_hd hd = {.length = fr_rd_u24(&r), .type = fr_rd_u8(&r)};

    hd.flags = fr_rd_u8(&r);
    hd.stream_id = (int32_t)(fr_rd_u32(&r) & FR_H2_WINDOW_MAX);
    return hd;
}

/* One frame off the front of *in; false: there is no whole one, or the connection is over. */
static bool take_frame(struct fr_http_conn *c, struct fr_span *in)
{
    if (in->n < FR_H2_FRAME_HEAD || !fr_h2_is_well(c)) return false;
    const nghttp2_frame_hd hd = read_head(in->p);
    if (hd.length > FR_H2_FRAME_MAX) {
        fr_h2_breach(c, NGHTTP2_FRAME_SIZE_ERROR);
        return false;
    }
    if (in->n - FR_H2_FRAME_HEAD < hd.length) return false;
    const struct fr_span payload = fr_span(in->p + FR_H2_FRAME_HEAD, hd.length);
    *in = fr_span(payload.p + hd.length, in->n - FR_H2_FRAME_HEAD - hd.length);
    fr_h2_receive(c, &hd, payload);
    return true;
}

/* A frame's start stands alone: from now on it may take as long as a request may. */
static void start_waiting(struct fr_http_conn *c)
{
    struct fr_h2_server *h = c->h2;

    if (h->is_waiting || h->n_reading > 0) return;
    h->is_waiting = true;
    h->before_ms = c->request_ms;
    c->request_ms = fr_loop_now_ms(c->server->loop);
}

static void stop_waiting(struct fr_http_conn *c)
{
    struct fr_h2_server *h = c->h2;

    if (h->is_waiting) c->request_ms = h->before_ms;
    h->is_waiting = false;
}

/* Completes the frame whose start came before, with no more of *in than it needs. */
static void take_rest(struct fr_http_conn *c, struct fr_span *in)
{
    struct fr_h2_server *h = c->h2;
    size_t want = FR_H2_FRAME_HEAD;

    if (h->in.n >= FR_H2_FRAME_HEAD) want += read_head(h->in.p).length;
    size_t n = want - h->in.n < in->n ? want - h->in.n : in->n;
    fr_buf_add(&h->in, in->p, n);
    *in = fr_span(in->p + n, in->n - n);
    if (fr_buf_err(&h->in)) {
        fr_h2_broken(c);
        return;
    }
    struct fr_span whole = fr_buf_span(&h->in);
    if (h->in.n >= FR_H2_FRAME_HEAD && h->in.n == FR_H2_FRAME_HEAD + read_head(whole.p).length)
        stop_waiting(c);
    if (!take_frame(c, &whole)) return;
    if (h->in.cap > KEEP_BYTES)
        fr_buf_deinit(&h->in);
    else
        fr_buf_reset(&h->in);
}

static bool h2_feed(struct fr_http_conn *c, struct fr_span in)
{
    struct fr_h2_server *h = c->h2;

    if (in.n > 0 && !h->has_preface && fr_h2_is_well(c)) (void)take_preface(c, &in);
    while (in.n > 0 && h->in.n > 0 && fr_h2_is_well(c)) take_rest(c, &in);
    while (take_frame(c, &in)) continue;
    if (in.n > 0 && h->in.n == 0 && fr_h2_is_well(c)) {
        fr_buf_add_span(&h->in, in);
        if (fr_buf_err(&h->in)) fr_h2_broken(c);
        start_waiting(c);
    }
    return !h->is_broken;
}

/* Not stopped by answers that wait for the peer's WINDOW_UPDATE: it must be read. What the socket does not take stops reading. */
static bool h2_can_read(const struct fr_http_conn *c)
{
    return fr_h2_is_well(c) && c->h2->out.n - c->h2->out_at < FR_H2_OUT_MAX;
}

static bool h2_is_partial(const struct fr_http_conn *c)
{
    return c->h2->n_reading > 0 || c->h2->in.n > 0;
}

/* --- bytes out --- */

/* All of `out` was taken: the buffer goes to the next connection that needs one. */
static void empty_out(struct fr_http_conn *c)
{
    struct fr_h2_server *h = c->h2;
    struct fr_buf *spare = &c->server->h2->spare;

    h->out_at = 0;
    fr_buf_reset(&h->out);
    if (spare->p || h->out.cap > 2 * FR_H2_OUT_MAX) {
        fr_buf_deinit(&h->out);
        return;
    }
    *spare = h->out;
    h->out = FR_BUF_INIT(SIZE_MAX - 1);
}

static size_t h2_fill(struct fr_http_conn *c, uint8_t *p, size_t n)
{
    struct fr_h2_server *h = c->h2;
    size_t at = 0;

    if (h->is_broken) return 0;
    for (;;) {
        fr_h2_pump(c);
        size_t left = h->out.n - h->out_at, take = left < n - at ? left : n - at;
        if (h->is_broken || take == 0) break;
        memcpy(p + at, h->out.p + h->out_at, take);
        h->out_at += take;
        at += take;
        if (h->out_at == h->out.n) empty_out(c);
    }
    if (h->is_peer_going && h->n_streams == 0 && !h->out.n) fr_conn_set_closing(c, false);
    return at;
}

static bool h2_is_quiet(const struct fr_http_conn *c)
{
    const struct fr_h2_server *h = c->h2;

    if (c->has_end || h->is_broken) return true; /* nobody will hear an answer */
    if (h->out.n > h->out_at) return false;
    return h->n_streams == 0 || h->is_over;
}

/* --- the end --- */

/* RFC 9113 §6.8: first the notice with the highest id, so that requests under way still count; then the real last id. */
static void h2_drain(struct fr_http_conn *c)
{
    struct fr_h2_server *h = c->h2;

    if (!fr_h2_is_well(c)) return;
    if (h->has_noticed) h->goaway_id = h->last_id;
    put_goaway(c, h->goaway_id, NGHTTP2_NO_ERROR);
    h->has_noticed = true;
}

static bool h2_give_up(struct fr_http_conn *c)
{
    bool was_well = fr_h2_is_well(c);

    fr_h2_end(c, NGHTTP2_NO_ERROR);
    return was_well;
}

const struct fr_server_proto fr_h2_proto = {
    .start = h2_start,
    .stop = h2_stop,
    .feed = h2_feed,
    .fill = h2_fill,
    .reply = fr_h2_reply,
    .drop = h2_drop,
    .can_read = h2_can_read,
    .is_partial = h2_is_partial,
    .is_quiet = h2_is_quiet,
    .drain = h2_drain,
    .give_up = h2_give_up,
};
