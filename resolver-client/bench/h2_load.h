/* The HTTP/2 side of one load connection: bytes in, requests and bytes out; no socket, no clock.
 *
 * Model: a client that writes its few kinds of frames itself, because a whole HTTP/2 session costs
 * more than the servers that are to be measured; header blocks go through nghttp2's HPACK. ask()
 * appends one request, feed() takes what the server sent and reports whole answers; what there is
 * to say is in `out`, and the caller writes and empties it.
 * Owns: its buffers and tables. Threads: one. Errors: FR_E_MALFORMED for a server that breaks the
 * protocol, FR_E_UNSUPPORTED for CONTINUATION frames, FR_E_NOMEM.
 * Limits: 1,024 streams; 16 KiB frames. Units: now in microseconds. Trust: the server's bytes are
 * read with bounds. See RFC 9113, 7541. */
#pragma once

#include "base/buf.h"
#include "base/span.h"
#include <stdbool.h>
#include <stdint.h>

struct fr_h2_load;

#define FR_H2_LOAD_STREAMS 1024

struct fr_h2_load_conf {
    const char *authority;
    const char *path; /* with the slash */
    bool is_post;
    bool is_plain_get; /* GET of the path alone, without a question */
    unsigned streams;  /* in progress at once */
};

struct fr_h2_answer {
    unsigned status; /* 0: the stream was reset */
    int rcode;       /* of the DNS message; -1: none there */
    int64_t took_us;
};

typedef void (*fr_h2_answered)(void *data, const struct fr_h2_answer *answer);

/* conf is copied; its texts are borrowed. The client's preface is in `out` at once. */
enum fr_err fr_h2_load_new(const struct fr_h2_load_conf *conf, fr_h2_answered answered, void *data,
                           struct fr_h2_load **out);
void fr_h2_load_free(struct fr_h2_load *h);

/* Can one more request go out now? */
bool fr_h2_load_can_ask(const struct fr_h2_load *h);

/* Appends one request for `message` (ignored by a plain GET). */
enum fr_err fr_h2_load_ask(struct fr_h2_load *h, struct fr_span message, int64_t now_us);

/* Takes all of the bytes. */
enum fr_err fr_h2_load_feed(struct fr_h2_load *h, struct fr_span in, int64_t now_us);

/* What is to be written. */
struct fr_buf *fr_h2_load_out(struct fr_h2_load *h);

/* Requests without an answer. */
unsigned fr_h2_load_open(const struct fr_h2_load *h);

/* The server said GOAWAY: no more requests on it. */
bool fr_h2_load_is_over(const struct fr_h2_load *h);
