#pragma once
/* The syntax of HTTP/1.0 and 1.1 messages, strictly: heads, body lengths, chunks. Pure: bytes in, decisions out.
 *
 * Model:   fr_h1_scan() finds the end of a head in bytes that grow; fr_h1_request_read() or fr_h1_response_read() parse it
 *          whole; fr_h1_body_read() then takes the body out of what follows.
 *          Whatever two parsers could read differently is refused: bare CR or LF, obs-fold, blanks before a colon, both or
 *          several lengths, unknown transfer codings, odd characters in names, targets and values.
 * Errors:  FR_E_TRUNCATED: more bytes are needed. FR_E_MALFORMED, FR_E_LIMIT, FR_E_UNSUPPORTED: refused, with the status that
 *          says why in *status (requests only).
 * Limits:  given by the caller; FR_HEAD_FIELDS fields; 256 bytes of chunk extensions, 4 KiB of trailers.
 * Trust:   everything is a peer's bytes. See: RFC 9112.
 */

#include "base/err.h"
#include "base/span.h"
#include "transport/http_head.h"

enum fr_h1_framing {
    FR_H1_NO_BODY,
    FR_H1_LENGTH,
    FR_H1_CHUNKED,
    FR_H1_UNTIL_CLOSE, /* responses only */
};

struct fr_h1_limits {
    size_t head_bytes;
    size_t target_bytes;
};

/* A parsed head; the marks belong to the fr_head it was read into. */
struct fr_h1_message {
    enum fr_http_proto proto; /* 1.0 or 1.1 */
    enum fr_h1_framing framing;
    uint64_t length; /* FR_H1_LENGTH */
    bool is_kept;    /* the connection may carry another message after this one */
    /* requests */
    bool has_query, has_expect; /* "Expect: 100-continue" */
    struct fr_head_mark method, path, query, authority;
    /* responses */
    unsigned status;
};

/* Looks for the end of a head from *at on (0 at first; kept by the caller between calls). On FR_OK *out_n is the length of the
 * head with its empty line. FR_E_TRUNCATED: not yet; FR_E_MALFORMED: bare LF. */
enum fr_err fr_h1_scan(struct fr_span in, size_t *at, size_t *out_n);

/* Parses a head of exactly that length into `head` (reset before) and *out. */
enum fr_err fr_h1_request_read(struct fr_span in, const struct fr_h1_limits *limits,
                               struct fr_head *head, struct fr_h1_message *out, unsigned *status);

/* The same for an answer to `method`. 1xx answers have no body and are not the last. */
enum fr_err fr_h1_response_read(struct fr_span in, const struct fr_h1_limits *limits,
                                const char *method, struct fr_head *head,
                                struct fr_h1_message *out);

/* Takes a body out of a stream of bytes. */
struct fr_h1_body {
    enum fr_h1_framing framing;
    unsigned state; /* of the chunk reader */
    uint64_t left;  /* of the length or the chunk */
    size_t digits;  /* of the chunk size so far */
    size_t extras;  /* bytes of extensions or trailers so far */
    bool is_done;
};

void fr_h1_body_init(struct fr_h1_body *b, const struct fr_h1_message *m);

/* Moves body bytes from `in` to `out` (whose cap is the body limit) and says in *used how many bytes of `in` it took. Sets
 * is_done at the end; then the rest of `in` is the next message. FR_E_LIMIT: above the cap. */
enum fr_err fr_h1_body_read(struct fr_h1_body *b, struct fr_span in, struct fr_buf *out,
                            size_t *used);

/* A request target as RFC 9112 §3.2 allows it from HTTP/2 too: only visible ASCII, no '#'. */
bool fr_h1_is_target(struct fr_span target);

/* host[:port]: letters, digits, "-._~", brackets for IPv6. */
bool fr_h1_is_authority(struct fr_span authority);

/* Splits a target in origin-form into path and query. */
void fr_h1_split_target(struct fr_span target, struct fr_span *path, struct fr_span *query,
                        bool *has_query);
