/* The strict reader of DNS queries (server side) and the builder of queries (client side).
 *
 * Model: a query is a 12-byte header, one question, no answer or authority, and in the additional
 * section at most one OPT and at most one TSIG, the TSIG last. Anything else gets FORMERR, before
 * any other code sees the bytes.
 * Owns: nothing; `wire` borrows the message. Threads: any. Errors: FR_E_TRUNCATED only when there
 * is no whole header to answer to.
 * Trust: the message is a peer's. See RFC 1035 4.1, RFC 6891 6.1, RFC 8945 5.1, RFC 9619
 * (QDCOUNT is one). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "dns/edns.h"
#include "dns/name.h"
#include "dns/types.h"

struct fr_buf;

struct fr_dns_query {
    uint16_t id;
    uint8_t opcode;
    bool recursion_desired, checking_disabled;
    /* The answer that the message itself already asks for: NOERROR (go on), FORMERR, NOTIMP
     * (opcode), BADVERS. */
    enum fr_dns_rcode rcode;
    /* The question could be read: the next three fields count, and it is echoed in the response
     * whatever rcode is. */
    bool has_question;
    struct fr_dname name; /* letter case as received */
    uint16_t type, class;
    struct fr_edns edns;
    bool signed_tsig;
    struct fr_span wire;
};

/* FR_OK with q->rcode set for every message that has a header; FR_E_TRUNCATED (nothing written)
 * for a shorter one. */
enum fr_err fr_dns_query_read(struct fr_span message, struct fr_dns_query *q);

/* A query for one name, ID 0 as RFC 8484 4.1 wishes, RD 0; with an OPT and padding to a multiple
 * of pad_to octets (RFC 8467; at most 512) when pad_to is not 0. Appended to out. FR_E_LIMIT. */
enum fr_err fr_dns_query_write(const struct fr_dname *name, uint16_t type, size_t pad_to,
                               struct fr_buf *out);
