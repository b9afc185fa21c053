#pragma once
/* One HTTP/2 connection of a server, as its two halves share it: h2_server.c has the session, answers and the end; h2_request.c
 * what a peer sends until a request is whole. Inside transport only. Threads: the loop's. */

#include "transport/h2_flood.h"
#include "transport/h2_order.h"
#include "transport/http_conn.h"

struct fr_h2_server {
    nghttp2_session *session;
    const uint8_t *frame; /* given out by nghttp2, not yet filled; valid until the next call */
    size_t frame_n;
    struct fr_exchange *newest; /* of the stream that began last, while it is open; NULL: none */
    unsigned n_reading;         /* exchanges whose request is not whole */
    unsigned n_streams;         /* exchanges on a live stream */
    struct fr_h2_flood flood;
    struct fr_h2_order order;
    bool has_noticed;  /* the first GOAWAY is out */
    bool is_broken;    /* nghttp2 met a fatal error: it must not be called again, only deleted */
    bool is_abandoned; /* … and not even that */
};

/* The call-backs for what the peer sends. */
void fr_h2_request_callbacks(nghttp2_session_callbacks *callbacks);

/* A fatal error of nghttp2: the connection ends. */
void fr_h2_broken(struct fr_http_conn *c, ssize_t code);

void fr_h2_reset(struct fr_http_conn *c, int32_t stream_id, uint32_t code);

/* 100 Continue. */
void fr_h2_go_on(struct fr_http_conn *c, int32_t stream_id);

void fr_h2_reply(struct fr_http_conn *c, struct fr_exchange *x, unsigned status,
                 const struct fr_http_field *fields, size_t n_fields, struct fr_span body);
