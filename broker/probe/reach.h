#pragma once
/*
 * Which addresses the broker connects to because a member named them.
 *
 * Model: an address is *public*; or *private*: of this host, of a network behind it, or one that leads
 *   there by translation; or *none*: of no single host, or of the link alone, where clouds keep their
 *   secrets. Private ones are for the policy probe.private to allow, the last never are.
 * Owns: nothing. Threads: any. Errors: none.
 * Trust: addresses are a member's choice.
 * See: RFC 6890 and the registries of special addresses that it began.
 */
#include "base/addr.h"

enum fr_reach { FR_REACH_PUBLIC, FR_REACH_PRIVATE, FR_REACH_NONE };

enum fr_reach fr_reach_of(const struct fr_ip *ip);
