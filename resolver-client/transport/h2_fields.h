#pragma once
/* Whether the fields of one HTTP/2 request are well formed. Inside transport only.
 *
 * Model:   note every field of a list, then ask about the whole. A malformed request resets its stream; what HTTP allows and we
 *          do not is another matter (h2_request.c).
 * Owns:    nothing: a plain value, zero at first. Trust: a peer's bytes. See: RFC 9113 §8.1 to §8.3. */

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

enum fr_h2_field {
    FR_H2_MALFORMED,
    FR_H2_METHOD,
    FR_H2_SCHEME,
    FR_H2_AUTHORITY,
    FR_H2_PATH,
    FR_H2_REGULAR,
};

struct fr_h2_fields {
    unsigned seen; /* bits of enum fr_h2_field and of the names that may come once */
    bool is_connect;
    bool has_length, expects; /* content-length; "expect: 100-continue" */
    uint64_t length;
};

/* What the next field is. */
enum fr_h2_field fr_h2_fields_note(struct fr_h2_fields *f, struct fr_span name,
                                   struct fr_span value);

/* The same for a trailer: FR_H2_REGULAR or FR_H2_MALFORMED. */
enum fr_h2_field fr_h2_trailer_check(struct fr_span name, struct fr_span value);

/* Is the list that of a request? */
bool fr_h2_fields_is_request(const struct fr_h2_fields *f);
