/* The kinds of certificates that a member may hold.
 *
 * Threads  Any. Trust: texts may come from a token. */
#pragma once

#include "base/err.h"
#include "base/span.h"

enum fr_wallet_profile { FR_WALLET_NS, FR_WALLET_DOH, FR_WALLET_JS, FR_WALLET_PROFILES };

/* "ns", "doh", "js". */
const char *fr_wallet_profile_text(enum fr_wallet_profile profile);
enum fr_err fr_wallet_profile_parse(struct fr_span text, enum fr_wallet_profile *out);
