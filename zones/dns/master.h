/* One record of a master file (RFC 1035 5.1), from text to a typed record.
 *
 * Model: the caller has already joined parentheses into one line, taken off comments and handled
 * $ORIGIN, $TTL and $INCLUDE; this reads "owner [TTL] [class] type RDATA". ldns does the reading;
 * the text is checked for length and for control bytes first, and what ldns made of it goes through
 * our own strict record reader, so nothing leaves here that we could not have received ourselves.
 * Owns: nothing. Threads: any (each call makes its own ldns objects). Errors: FR_E_LIMIT (line
 * longer than FR_DNS_LINE_MAX), FR_E_MALFORMED, FR_E_RANGE (a number), FR_E_UNSUPPORTED (a type
 * fr_rr has no member for), FR_E_NOMEM, with *reason set; *out is untouched on failure.
 * Trust: the line comes from an administrator's file, or from a file somebody gave them. */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "dns/rr.h"

enum { FR_DNS_LINE_MAX = 4096 };

/* origin completes relative names; previous is the owner for a line that starts with blanks
 * (NULL: such a line is malformed). *reason is a short constant text for the person who wrote
 * the file. Only class IN. A default_ttl of 0 means 3600. */
enum fr_err fr_rr_parse(const char *line, const struct fr_dname *origin,
                        const struct fr_dname *previous, uint32_t default_ttl, struct fr_rr *out,
                        const char **reason);
