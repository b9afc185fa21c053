#pragma once
/*
 * The stub over UDP: one bound socket, a datagram in, a datagram out.
 *
 * Model: an answer leaves from the address that was asked, also when the socket is bound to all.
 * Owns: its socket and the jobs under way. Threads: the loop's. Errors: those of binding, with a
 *   diag. An answer that the socket does not take is lost, as datagrams are.
 * Limits: datagrams above 2048 bytes are dropped; 64 are read in a turn.
 * Trust: datagrams are a stranger's; whoever is no guest is not answered at all.
 */
#include "agent/desk.h"
#include "agent/guest.h"

struct fr_udp;

struct fr_udp_counters {
    uint64_t datagrams, too_long;
    uint64_t strangers; /* no guests */
};

/* Desk and guests are borrowed; guests may change. */
enum fr_err fr_udp_open(struct fr_loop *loop, const struct fr_addr *at, struct fr_desk *desk,
                        const struct fr_guests *guests, struct fr_diag *diag, struct fr_udp **out);
void fr_udp_close(struct fr_udp *udp); /* NULL is legal */

/* What it is bound to. */
const struct fr_addr *fr_udp_addr(const struct fr_udp *udp);
const struct fr_udp_counters *fr_udp_counters(const struct fr_udp *udp);
