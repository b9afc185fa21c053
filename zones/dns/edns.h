/* What an OPT record says: EDNS version, flags, and the options that concern us.
 *
 * Owns: nothing. Threads: any. Errors: the reader's sticky error. Trust: a peer's bytes; options we
 * do not know are skipped.
 * See RFC 6891 6.1, RFC 7830 (padding), RFC 8914 (extended errors). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct fr_rd;
struct fr_rr;

struct fr_edns {
    bool present;
    bool dnssec_ok;
    bool padded; /* a Padding option was there */
    uint8_t version;
    uint8_t rcode_high; /* responses: the upper eight bits of the RCODE */
    uint16_t udp_size;
    int ede; /* responses: the first extended error code, or FR_DNS_EDE_NONE */
};

/* Reads an OPT record that fr_rr_read gave. An owner other than the root, or options that do not
 * fill the RDATA exactly, set the error of r, the message's reader. */
void fr_edns_read(const struct fr_rr *opt, struct fr_rd *r, struct fr_edns *out);
