#pragma once
/*
 * Who may ask over the network: programs of this machine, and the prefixes of `allow:`.
 *
 * Model: a plain list, borrowed. Pure. Trust: addresses are what the kernel says of a peer; over UDP
 *   a stranger may write any.
 */
#include "base/prefix.h"

#include <stdbool.h>
#include <stddef.h>

struct fr_guests {
    const struct fr_prefix *allow;
    size_t n_allow;
};

/* Loopback always; a source port of 0 never (nobody can be answered there). */
bool fr_guests_has(const struct fr_guests *guests, const struct fr_addr *peer);
