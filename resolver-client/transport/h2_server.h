#pragma once
/* One HTTP/2 connection of a server: frames in, frames out. Inside transport only.
 *
 * Model:   an exchange is a stream. h2_server.c is the connection: its start, bytes in and out, its end; h2_receive.c what each
 *          frame means for the connection; h2_request.c HEADERS and DATA until a request is whole; h2_send.c answers and flow
 *          control; h2_stream.c which streams are live. nghttp2 is used for HPACK's tables alone.
 *
 *              bytes ─► h2_feed ─► fr_h2_receive ─► fr_h2_request_* ─► handler
 *              bytes ◄─ h2_fill ◄─ `out` ◄───────── fr_h2_reply ◄────────┘
 *
 * Owns:    what is not yet a whole frame, what is not yet filled, HPACK's table. Streams are exchanges, the connection's.
 * Threads: the loop's. Errors: a breach of the protocol ends the connection with GOAWAY (fr_h2_end), or the stream with RST_STREAM
 *          (fr_h2_reset); without memory the connection closes (fr_h2_broken).
 * Limits:  frames of 16,384 bytes; reading stops while FR_H2_OUT_MAX bytes wait in `out`; the rest is struct fr_http_server_conf.
 * Trust:   all that comes is a peer's. See: RFC 9113, 7541. */

#include <nghttp2/nghttp2.h>

#include "transport/h2_fields.h"
#include "transport/h2_flood.h"
#include "transport/http_conn.h"

#define FR_H2_FRAME_HEAD 9
#define FR_H2_FRAME_MAX 16384 /* octets of a payload, both ways: the least that either may allow */
#define FR_H2_WINDOW 65535    /* RFC 9113 §6.9.2; ours is never another */
#define FR_H2_WINDOW_MAX 0x7fffffff
#define FR_H2_OUT_MAX 65536
#define FR_H2_BUCKETS 64
#define FR_H2_LATE 32
#define FR_H2_REPEATS 2

struct fr_h2_repeat;

/* The header list that is coming in; id 0: none. */
struct fr_h2_incoming {
    int32_t id;
    struct fr_exchange *x; /* NULL: decoded, because the tables must agree, and forgotten */
    struct fr_h2_fields fields;
    struct fr_span block; /* when it is one frame, and while that is looked at */
    bool is_trailer, has_end;
    bool is_malformed;
    unsigned continuations;
};

struct fr_h2_server {
    struct fr_buf in;  /* the start of a frame, or of the preface */
    struct fr_buf out; /* frames; from out_at on not yet filled */
    size_t out_at;
    nghttp2_hd_inflater *inflater;
    struct fr_h2_incoming incoming;
    struct fr_h2_repeat *repeats[FR_H2_REPEATS]; /* lists that may come again; NULL: none yet */
    unsigned next_repeat;
    struct fr_exchange *streams[FR_H2_BUCKETS];
    struct fr_exchange *in_hand; /* its handler is called before its request is whole: it stays */
    struct fr_exchange *newest;  /* of the stream that began last, while it is live */
    struct fr_exchange *first, *behind; /* answers that wait for room, in turn */
    unsigned n_reading;                 /* exchanges whose request is not whole */
    unsigned n_streams;                 /* live streams */
    int32_t last_id;                    /* highest stream that began */
    int32_t late[FR_H2_LATE]; /* streams that we reset last: more of them may be on its way */
    int32_t late_before;      /* highest id that had to give way there */
    unsigned n_late;
    int32_t goaway_id;                  /* streams above it are not looked at */
    int64_t send_window, stream_window; /* the connection's; a new stream's */
    int32_t receive_window;
    int64_t before_ms; /* request_ms of the connection before a frame's start came alone */
    struct fr_h2_flood flood;
    bool has_preface, has_settings;
    bool is_dropped;    /* … and does not want the one in hand */
    bool has_gap;       /* a stream id was left out */
    bool has_table;     /* our answers' table size is said: 0 */
    bool is_waiting;    /* before_ms counts */
    bool has_noticed;   /* the first GOAWAY is out */
    bool is_peer_going; /* the peer sent GOAWAY */
    bool is_over;       /* the last GOAWAY is out: nothing that comes is looked at */
    bool is_broken;     /* no memory: nothing goes out either */
};

/* --- the connection: h2_server.c --- */

/* Breach or flood: GOAWAY, and the connection ends. */
void fr_h2_end(struct fr_http_conn *c, uint32_t code);
/* A breach of the protocol: the same, counted. */
void fr_h2_breach(struct fr_http_conn *c, uint32_t code);
/* No memory: it closes. */
void fr_h2_broken(struct fr_http_conn *c);
/* True when it is neither over nor broken. */
bool fr_h2_is_well(const struct fr_http_conn *c);

/* --- what each frame means: h2_receive.c --- */

/* One whole frame. */
void fr_h2_receive(struct fr_http_conn *c, const nghttp2_frame_hd *hd, struct fr_span payload);

/* A frame without a request in it costs its sender something. False: too much, the connection is over. */
bool fr_h2_is_afforded(struct fr_http_conn *c, const nghttp2_frame_hd *hd);

/* --- requests: h2_request.c --- */
void fr_h2_request_headers(struct fr_http_conn *c, const nghttp2_frame_hd *hd,
                           struct fr_span payload);
void fr_h2_request_continuation(struct fr_http_conn *c, const nghttp2_frame_hd *hd,
                                struct fr_span payload);
void fr_h2_request_data(struct fr_http_conn *c, const nghttp2_frame_hd *hd, struct fr_span payload);

/* Payload without the padding; false: there is more padding than payload. RFC 9113 §6.1 */
bool fr_h2_unpad(const nghttp2_frame_hd *hd, struct fr_span *payload);

/* --- live streams: h2_stream.c --- */
struct fr_exchange *fr_h2_stream_find(struct fr_h2_server *h, int32_t id);
void fr_h2_stream_begin(struct fr_http_conn *c, struct fr_exchange *x, int32_t id);
/* It is over. The exchange is released, unless a handler still has it. */
void fr_h2_stream_close(struct fr_http_conn *c, struct fr_exchange *x);
/* We reset a stream whose request was not whole: frames of it that still come are no fault of the peer's. */
void fr_h2_late_note(struct fr_h2_server *h, int32_t id);
bool fr_h2_late_has(const struct fr_h2_server *h, int32_t id);
/* Changes the send window of every live stream; false: one would grow too large. */
bool fr_h2_streams_widen(struct fr_h2_server *h, int64_t by);

/* --- what goes out: h2_send.c --- */
void fr_h2_put_frame(struct fr_http_conn *c, uint8_t type, uint8_t flags, int32_t id,
                     struct fr_span payload);
void fr_h2_put_window_update(struct fr_http_conn *c, int32_t id, uint32_t by);
/* The stream ends with RST_STREAM; counted as one that a peer may have provoked. */
void fr_h2_reset(struct fr_http_conn *c, struct fr_exchange *x, uint32_t code);
void fr_h2_reset_id(struct fr_http_conn *c, int32_t id, uint32_t code);
void fr_h2_go_on(struct fr_http_conn *c, int32_t id); /* 100 Continue */
void fr_h2_reply(struct fr_http_conn *c, struct fr_exchange *x, unsigned status,
                 const struct fr_http_field *fields, size_t n_fields, struct fr_span body);
/* The peer's windows have grown, or `out` has room: more of the answers that wait goes there. x: whose window; NULL: any. */
void fr_h2_resume(struct fr_http_conn *c, struct fr_exchange *x);
void fr_h2_pump(struct fr_http_conn *c);
/* The answer no longer waits: its stream closes. */
void fr_h2_forget_answer(struct fr_http_conn *c, struct fr_exchange *x);
