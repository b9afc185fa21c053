#pragma once
/* Identifiers as people write them: hex digits with an optional "0x" and with dashes or colons
 * between bytes. Not for other libraries. */

#include "base/err.h"
#include "base/span.h"

/* Exactly `digits` (even, at most 16) hex digits. One kind of separator, between all bytes or
 * nowhere. FR_E_MALFORMED. */
enum fr_err fr_digits_parse(struct fr_span text, unsigned digits, uint64_t *out);
