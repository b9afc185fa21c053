/* The client's reader of DNS responses.
 *
 * Model: fr_dns_response_read checks the whole message once (every record of every section, to the
 * last byte) and gives an overview; fr_dns_response_find and the iterator then walk records without
 * errors left to meet.
 * Owns: nothing; everything borrows the message, which must stay in place. Threads: any. Errors:
 * FR_E_TRUNCATED, FR_E_MALFORMED.
 * Units and limits: at most FR_DNS_RECORDS_MAX records and FR_DNS_CHAIN_MAX CNAMEs in a row, so a
 * hostile answer costs little.
 * Trust: all bytes are a peer's. See RFC 1035 4.1, RFC 1034 3.6.2, RFC 2308 5. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "dns/query.h"
#include "dns/rr.h"
#include "dns/types.h"

enum { FR_DNS_RECORDS_MAX = 512, FR_DNS_CHAIN_MAX = 8 };

struct fr_dns_response {
    uint16_t id;
    unsigned rcode; /* with the upper bits of OPT */
    bool authoritative, truncated;
    struct fr_dname name; /* the question; root, type 0 when there is none */
    uint16_t type, class;
    bool has_question;
    uint16_t count[3]; /* records of ANSWER, AUTHORITY, ADDITIONAL */
    struct fr_edns edns;
    struct fr_span wire;
    size_t records_at; /* offset behind the question */
};

/* FR_E_TRUNCATED below 12 octets; FR_E_MALFORMED when it is no response, has more than one
 * question, or any record is bad. */
enum fr_err fr_dns_response_read(struct fr_span message, struct fr_dns_response *out);

/* Walks all records in order. OPT and TSIG are skipped. */
struct fr_dns_walk {
    const struct fr_dns_response *response;
    size_t at;
    unsigned seen;
    enum fr_dns_section section; /* of the record given last */
};
void fr_dns_walk_init(struct fr_dns_walk *walk, const struct fr_dns_response *response);
bool fr_dns_walk_next(struct fr_dns_walk *walk, struct fr_rr *rr);

/* The n-th (from 0) record of class IN with this owner and type, in any section or (with
 * `section` 0 to 2) in one; false when there are fewer. FR_DNS_ANY_SECTION looks in all. */
enum { FR_DNS_ANY_SECTION = -1 };
bool fr_dns_response_find(const struct fr_dns_response *response, int section,
                          const struct fr_dname *owner, uint16_t type, unsigned nth,
                          struct fr_rr *rr);

/* Follows the CNAMEs of the Answer section from the question's name: *out is the last target
 * (the name itself when there is none), *ttl_s the smallest TTL of the CNAMEs passed (UINT32_MAX
 * when none). FR_E_MALFORMED when the chain loops or is too long. */
enum fr_err fr_dns_response_chain(const struct fr_dns_response *response, struct fr_dname *out,
                                  uint32_t *ttl_s);

/* The TTL of a negative answer: min(SOA TTL, SOA MINIMUM) of the SOA in Authority; false when
 * there is none (RFC 2308 5). */
bool fr_dns_response_negative_ttl(const struct fr_dns_response *response, uint32_t *ttl_s);
