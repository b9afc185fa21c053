#pragma once
/* Address prefixes, "172.17.0.0/16": who may do something.
 *
 * Model: plain values. Trust: texts are a user's. See: RFC 4632, RFC 4291 2.3. */

#include "base/addr.h"

struct fr_prefix {
    struct fr_ip ip;
    uint8_t bits;
};

/* An address with "/length", or an address alone, which is the prefix of its full length.
 * FR_E_MALFORMED; FR_E_RANGE for a length the family does not have; FR_E_INVALID when bits are set
 * behind the length: "10.0.0.1/8" is more likely a mistake than a wish. */
enum fr_err fr_prefix_parse(struct fr_span text, struct fr_prefix *out);

/* False for an address of the other family. */
bool fr_prefix_has(const struct fr_prefix *prefix, const struct fr_ip *ip);
