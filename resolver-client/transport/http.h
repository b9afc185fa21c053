#pragma once
/* HTTP as both sides of this house see it: one request and response model for HTTP/2 and HTTP/1.x.
 *
 * Model:   a request is method, path, query, authority, fields and a whole body; a response is
 * status, fields and a whole body. Field names are lower case. Bodies are complete before anybody
 * sees them; content-length is always sent. Owns:    everything in an exchange is borrowed from it
 * until it is answered. Threads: none here. Trust: spans come from a peer; they hold no NUL, CR or
 * LF in names and values, nothing else is checked. See:     RFC 9110, 9112, 9113.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

enum fr_http_proto { FR_HTTP_1_0, FR_HTTP_1_1, FR_HTTP_2 };

struct fr_http_field {
    struct fr_span name, value;
};

/* A field from two C strings, for handlers: FR_HTTP_FIELD("content-type", "text/plain"). */
#define FR_HTTP_FIELD(n, v)                                                                        \
    ((struct fr_http_field){{(const uint8_t *)(n), __builtin_strlen(n)},                           \
                            {(const uint8_t *)(v), __builtin_strlen(v)}})

/* The first field of that name (lower case); {NULL, 0} when there is none. */
struct fr_span fr_http_find(const struct fr_http_field *fields, size_t n, const char *name);

/* How many fields have that name. */
size_t fr_http_count(const struct fr_http_field *fields, size_t n, const char *name);

/* "type/subtype" of a content-type value equals `type` (lower case), parameters ignored. */
bool fr_http_is_type(struct fr_span content_type, const char *type);

/* "OK", "Not Found", …; "" for codes it does not know. */
const char *fr_http_reason(unsigned status);

/* "HTTP/1.0", "HTTP/1.1", "HTTP/2". */
const char *fr_http_proto_text(enum fr_http_proto proto);

/* IMF-fixdate of a time, "Sun, 06 Nov 1994 08:49:37 GMT" with its NUL. */
#define FR_HTTP_DATE 30
void fr_http_date(int64_t real_s, char out[FR_HTTP_DATE]);
