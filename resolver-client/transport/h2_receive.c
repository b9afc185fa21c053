#include <string.h>

#include "base/wire.h"
#include "transport/h2_server.h"

#define SETTINGS_MAX 32 /* entries of one frame */

/* What each frame means for the connection; HEADERS, CONTINUATION and DATA are h2_request.c's. RFC 9113 §6 */

static bool is_begun(const struct fr_h2_server *h, int32_t id)
{
    return id % 2 == 1 && id <= h->last_id;
}

static uint32_t read_u31(struct fr_span payload)
{
    struct fr_rd r = fr_rd(payload);

    return fr_rd_u32(&r) & FR_H2_WINDOW_MAX;
}

/* Depending on oneself is the one thing about priorities that is looked at: a peer that does it is broken. RFC 7540 §5.3.1 */
static void receive_priority(struct fr_http_conn *c, const nghttp2_frame_hd *hd,
                             struct fr_span payload)
{
    if (payload.n != 5)
        fr_h2_breach(c, NGHTTP2_FRAME_SIZE_ERROR);
    else if (hd->stream_id == 0 || (int32_t)read_u31(payload) == hd->stream_id)
        fr_h2_breach(c, NGHTTP2_PROTOCOL_ERROR);
}

static void receive_reset(struct fr_http_conn *c, const nghttp2_frame_hd *hd,
                          struct fr_span payload)
{
    struct fr_exchange *x;

    if (payload.n != 4) {
        fr_h2_breach(c, NGHTTP2_FRAME_SIZE_ERROR);
        return;
    }
    if (!is_begun(c->h2, hd->stream_id)) {
        fr_h2_breach(c, NGHTTP2_PROTOCOL_ERROR);
        return;
    }
    x = fr_h2_stream_find(c->h2, hd->stream_id);
    if (x) fr_h2_stream_close(c, x);
}

/* NGHTTP2_NO_ERROR, or the breach. */
static uint32_t take_setting(struct fr_h2_server *h, unsigned id, uint32_t value)
{
    int64_t before = h->stream_window;

    switch (id) {
    case NGHTTP2_SETTINGS_ENABLE_PUSH:
    case NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES:
        return value <= 1 ? NGHTTP2_NO_ERROR : NGHTTP2_PROTOCOL_ERROR;
    case NGHTTP2_SETTINGS_MAX_FRAME_SIZE:
        return value >= FR_H2_FRAME_MAX && value <= 0xffffff ? NGHTTP2_NO_ERROR
                                                             : NGHTTP2_PROTOCOL_ERROR;
    case NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE:
        if (value > FR_H2_WINDOW_MAX) return NGHTTP2_FLOW_CONTROL_ERROR;
        h->stream_window = value;
        return fr_h2_streams_widen(h, h->stream_window - before) ? NGHTTP2_NO_ERROR
                                                                 : NGHTTP2_FLOW_CONTROL_ERROR;
    default: return NGHTTP2_NO_ERROR; /* our answers need no table, and we open no streams */
    }
}

/* Answers that wait may have windows now. */
static void resume_all(struct fr_http_conn *c)
{
    for (size_t i = 0; i < FR_H2_BUCKETS; i++)
        for (struct fr_exchange *x = c->h2->streams[i]; x; x = x->h2.next) fr_h2_resume(c, x);
}

static void receive_settings(struct fr_http_conn *c, const nghttp2_frame_hd *hd,
                             struct fr_span payload)
{
    struct fr_rd r = fr_rd(payload);
    bool is_ack = hd->flags & NGHTTP2_FLAG_ACK;

    if (hd->stream_id != 0) {
        fr_h2_breach(c, NGHTTP2_PROTOCOL_ERROR);
        return;
    }
    if (payload.n % 6 != 0 || (is_ack && payload.n > 0)) {
        fr_h2_breach(c, NGHTTP2_FRAME_SIZE_ERROR);
        return;
    }
    if (is_ack) return;
    if (payload.n / 6 > SETTINGS_MAX) {
        c->server->counters.limit_control++;
        fr_h2_breach(c, NGHTTP2_ENHANCE_YOUR_CALM);
        return;
    }
    while (fr_rd_left(&r) > 0) {
        unsigned id = fr_rd_u16(&r);
        uint32_t breach = take_setting(c->h2, id, fr_rd_u32(&r));

        if (breach) {
            fr_h2_breach(c, breach);
            return;
        }
    }
    fr_h2_put_frame(c, NGHTTP2_SETTINGS, NGHTTP2_FLAG_ACK, 0, (struct fr_span){NULL, 0});
    resume_all(c);
}

static void receive_ping(struct fr_http_conn *c, const nghttp2_frame_hd *hd, struct fr_span payload)
{
    if (hd->stream_id != 0) {
        fr_h2_breach(c, NGHTTP2_PROTOCOL_ERROR);
    } else if (payload.n != 8) {
        fr_h2_breach(c, NGHTTP2_FRAME_SIZE_ERROR);
    } else if (!(hd->flags & NGHTTP2_FLAG_ACK)) {
        c->ping_ms = fr_loop_now_ms(c->server->loop);
        fr_h2_put_frame(c, NGHTTP2_PING, NGHTTP2_FLAG_ACK, 0, payload);
    }
}

static void receive_goaway(struct fr_http_conn *c, const nghttp2_frame_hd *hd,
                           struct fr_span payload)
{
    if (hd->stream_id != 0)
        fr_h2_breach(c, NGHTTP2_PROTOCOL_ERROR);
    else if (payload.n < 8)
        fr_h2_breach(c, NGHTTP2_FRAME_SIZE_ERROR);
    else
        c->h2->is_peer_going = true;
}

static void widen_stream(struct fr_http_conn *c, const nghttp2_frame_hd *hd, uint32_t by)
{
    struct fr_exchange *x = fr_h2_stream_find(c->h2, hd->stream_id);

    if (!is_begun(c->h2, hd->stream_id)) {
        fr_h2_breach(c, NGHTTP2_PROTOCOL_ERROR);
        return;
    }
    if (!x) return; /* it may have crossed the end of our answer */
    x->h2.send_window += by;
    if (by == 0 || x->h2.send_window > FR_H2_WINDOW_MAX) {
        c->server->counters.bad_requests++;
        fr_h2_reset(c, x, by == 0 ? NGHTTP2_PROTOCOL_ERROR : NGHTTP2_FLOW_CONTROL_ERROR);
        return;
    }
    fr_h2_resume(c, x);
}

static void receive_window_update(struct fr_http_conn *c, const nghttp2_frame_hd *hd,
                                  struct fr_span payload)
{
    if (payload.n != 4) {
        fr_h2_breach(c, NGHTTP2_FRAME_SIZE_ERROR);
        return;
    }
    uint32_t by = read_u31(payload);
    if (hd->stream_id != 0) {
        widen_stream(c, hd, by);
        return;
    }
    c->h2->send_window += by;
    if (by == 0)
        fr_h2_breach(c, NGHTTP2_PROTOCOL_ERROR);
    else if (c->h2->send_window > FR_H2_WINDOW_MAX)
        fr_h2_breach(c, NGHTTP2_FLOW_CONTROL_ERROR);
}

bool fr_h2_is_afforded(struct fr_http_conn *c, const nghttp2_frame_hd *hd)
{
    if (hd->type == NGHTTP2_HEADERS || (hd->type == NGHTTP2_DATA && hd->length > 0)) return true;
    if (fr_h2_flood_note(&c->h2->flood, hd, fr_loop_now_ms(c->server->loop), &c->conf,
                         &c->server->counters))
        return true;
    fr_h2_end(c, NGHTTP2_ENHANCE_YOUR_CALM);
    return false;
}

/* What may come now, RFC 9113 §3.4 and §6.10. */
static bool is_in_order(const struct fr_h2_server *h, const nghttp2_frame_hd *hd)
{
    if (!h->has_settings) return hd->type == NGHTTP2_SETTINGS && !(hd->flags & NGHTTP2_FLAG_ACK);
    if (hd->type == NGHTTP2_CONTINUATION)
        return h->incoming.id != 0 && h->incoming.id == hd->stream_id;
    return h->incoming.id == 0;
}

void fr_h2_receive(struct fr_http_conn *c, const nghttp2_frame_hd *hd, struct fr_span payload)
{
    struct fr_h2_server *h = c->h2;

    if (!is_in_order(h, hd)) {
        fr_h2_breach(c, NGHTTP2_PROTOCOL_ERROR);
        return;
    }
    h->has_settings = true;
    if (!fr_h2_is_afforded(c, hd)) return;
    switch (hd->type) {
    case NGHTTP2_HEADERS: fr_h2_request_headers(c, hd, payload); return;
    case NGHTTP2_DATA: fr_h2_request_data(c, hd, payload); return;
    case NGHTTP2_CONTINUATION: fr_h2_request_continuation(c, hd, payload); return;
    case NGHTTP2_PRIORITY: receive_priority(c, hd, payload); return;
    case NGHTTP2_RST_STREAM: receive_reset(c, hd, payload); return;
    case NGHTTP2_SETTINGS: receive_settings(c, hd, payload); return;
    case NGHTTP2_PING: receive_ping(c, hd, payload); return;
    case NGHTTP2_GOAWAY: receive_goaway(c, hd, payload); return;
    case NGHTTP2_WINDOW_UPDATE: receive_window_update(c, hd, payload); return;
    case NGHTTP2_PUSH_PROMISE: fr_h2_breach(c, NGHTTP2_PROTOCOL_ERROR); return;
    default: return; /* of extensions that we do not know, RFC 9113 §5.5 */
    }
}
