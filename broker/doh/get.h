/* The `dns` parameter of a DoH GET request: a query string in, a DNS message out.
 *
 * Owns: nothing. Threads: any. Trust: the query string is a peer's bytes. See RFC 8484 4.1.1 and
 * 6, RFC 4648 5. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

/* Appends the message to out, whose cap bounds it. Other parameters are ignored. FR_E_NOT_FOUND:
 * no `dns`; FR_E_MALFORMED: two of them, or no base64url without padding; FR_E_LIMIT: longer
 * than the cap. */
enum fr_err fr_doh_get_parse(struct fr_span query, struct fr_buf *out);
