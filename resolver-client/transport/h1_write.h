#pragma once
/* Heads of HTTP/1.1 messages as we send them. Names go out as "Content-Type": some parsers of others look for that case.
 *
 * Errors: stick to the buffer. Trust: names and values are our own callers'; one with a control character is left out, so a
 * value taken from a peer cannot start a new field. See: RFC 9112. */

#include "base/buf.h"
#include "transport/http.h"

enum fr_h1_keep {
    FR_H1_KEEP,     /* the default of HTTP/1.1: nothing is said */
    FR_H1_KEEP_SAY, /* to an HTTP/1.0 peer that asked for it */
    FR_H1_CLOSE,
};

/* Status line, Date, Connection if needed, Content-Length (not with 204), the fields, the empty line. */
void fr_h1_write_response(struct fr_buf *out, unsigned status, const char *date,
                          enum fr_h1_keep keep, size_t body_n, const struct fr_http_field *fields,
                          size_t n);

/* Request line, Host, Content-Length (when has_body), the fields, the empty line. */
void fr_h1_write_request(struct fr_buf *out, struct fr_span method, struct fr_span target,
                         const char *authority, bool has_body, size_t body_n,
                         const struct fr_http_field *fields, size_t n);
