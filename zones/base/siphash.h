#pragma once
/* SipHash-2-4: a keyed 64-bit hash, for tables whose keys a peer chooses and for pseudonyms in
 * logs. Not a MAC for the wire. */

#include "base/span.h"

struct fr_siphash_key {
    uint8_t b[16];
};

uint64_t fr_siphash(const struct fr_siphash_key *key, struct fr_span bytes);
