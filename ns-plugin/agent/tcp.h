#pragma once
/*
 * The stub over TCP: a listener and its connections; each message stands behind its length in two
 * bytes.
 *
 * Model: questions on one connection are asked side by side and answered as their answers come. A
 *   connection that makes no progress for idle_ms (a whole question, or answer bytes taken) is
 *   closed, but not while it only waits for us.
 * Owns: its sockets, buffers and jobs. Threads: the loop's. Errors: those of listening, with a diag.
 * Limits: conns connections; on one, 64 questions under way and 128 KiB of answers not taken, above
 *   which it is not read; a question has at most 2048 bytes.
 * Trust: bytes are a stranger's; whoever is no guest is closed at once.
 * See: RFC 1035 4.2.2, RFC 7766.
 */
#include "agent/desk.h"
#include "agent/guest.h"

struct fr_tcp;

struct fr_tcp_conf {
    unsigned conns;
    uint32_t idle_ms;
};

struct fr_tcp_counters {
    uint64_t accepted, strangers;
    uint64_t too_many; /* closed at accept: `conns` were open */
    uint64_t idle;     /* closed after idle_ms */
    uint64_t bad;      /* closed for a length that no question has */
    unsigned open;
};

/* Desk, guests and conf are borrowed; the last two may change. */
enum fr_err fr_tcp_open(struct fr_loop *loop, const struct fr_addr *at,
                        const struct fr_tcp_conf *conf, struct fr_desk *desk,
                        const struct fr_guests *guests, struct fr_diag *diag, struct fr_tcp **out);
void fr_tcp_close(struct fr_tcp *tcp); /* with all connections; NULL is legal */

const struct fr_tcp_counters *fr_tcp_counters(const struct fr_tcp *tcp);
