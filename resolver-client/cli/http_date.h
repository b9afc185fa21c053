#pragma once
/* The time of a Date field. Pure. See: RFC 9110 5.6.7; of its three forms the one that is to be
 * sent. Trust: a peer's bytes. */

#include "base/err.h"
#include "base/span.h"

/* "Sun, 06 Nov 1994 08:49:37 GMT" → seconds since 1970. FR_E_MALFORMED. */
enum fr_err fr_http_date_parse(struct fr_span text, int64_t *out);
