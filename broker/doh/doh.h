/* The DoH endpoint of one federation: an HTTP request in, its answer out (RFC 8484).
 *
 * Model: a request comes from broker/main's server with the peer already known to TLS. It passes
 * the gate (access/gate.h: certificate, authority), then path (404), method (405), content type
 * (415), size (413, 414) and message (400) are looked at; what is left is answered by broker/answer
 * with 200, whatever the RCODE.
 * Owns: an answerer; the gate is the caller's and outlives it. Threads: those of the gate.
 * Errors: every request is answered or dropped here. Limits: message 65,535 octets. Trust: the
 * exchange is a peer's bytes. See RFC 8484 4 to 6, RFC 9110. */
#pragma once

#include <stdint.h>

#include "access/gate.h"

struct fr_doh;

#define FR_DOH_PATH "/dns-query"

struct fr_doh_counters {
    uint64_t get, post; /* messages read, by method */
    uint64_t bad;       /* 400, 404, 405, 413, 414, 415 */
    uint64_t rcode[17]; /* answers; 16 is BADVERS */
    uint64_t faults;    /* SERVFAIL because the store failed */
    unsigned damaged;   /* rows of the registry that could not be read, at the last answer */
};

enum fr_err fr_doh_new(struct fr_gate *gate, struct fr_doh **out);
void fr_doh_free(struct fr_doh *doh);

/* Answers x, now, whatever its path. */
void fr_doh_request(struct fr_doh *doh, struct fr_http_exchange *x);

const struct fr_doh_counters *fr_doh_counters(const struct fr_doh *doh);
