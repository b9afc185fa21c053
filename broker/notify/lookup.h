#pragma once
/*
 * Addresses as getent(1) prints them.
 *
 * Model: the system's look-up of names blocks for as long as it likes and cannot be called off; a process can. So the receiver's name is
 *   looked up by `getent ahosts NAME` (libc-bin, on every Debian), and this reads its output: lines that begin with an address.
 * Owns: nothing; pure. Errors: none: lines that are anything else are skipped.
 * Trust: the output may hold what a name server said.
 */
#include "base/addr.h"
#include "base/span.h"

/* Each address once, in order, with this port; at most `room`. How many. */
size_t fr_lookup_read(struct fr_span output, uint16_t port, struct fr_addr *out, size_t room);
