/* The answer to a DNS query from a federation's private zone: bytes in, bytes out.
 *
 * Model: query × member × snapshot × now → message. Answer and Authority are what an ordinary server (BIND)
 * gives for the exported zone; the rest of what a roaming partner needs of the network found (other
 * address family, SRV and its targets, TLSA) rides in Additional, so that one exchange is enough.
 * Suspended members and networks are not there, and neither are their devices; nor are devices that
 * the member who asks may not see (store/sight.h): of those the answer is, to the octet and step by
 * step, the one for a device that nobody has.
 *   The two frequent questions (<16 hex>.deveui.<fed> and <6 hex>.netid.<fed>) take a short path
 * that ends in copying bytes; all others, and the first of each kind, the general one. Both give
 * the same bytes.
 * Owns: an answerer owns the room for its answers: a message is valid until the next call. It
 * remembers made answers, by the store's transaction and the second, which changes nothing but
 * speed.
 * Threads: an answerer belongs to one thread; have one for each worker and federation.
 * Errors: FR_E_TRUNCATED when the query has no whole header, so that no DNS answer is possible. All
 * else is answered: FORMERR, NOTIMP, REFUSED, BADVERS, and SERVFAIL when the store fails (`fault`
 * says how).
 * Units and limits: TTLs and now in seconds. What one network may have (store/limits.h) makes some
 * 3 KiB of message, far from the 65,535 octets where DNS would have to cut.
 * Trust: the query is a peer's bytes. See RFC 1034 4.3.2, 2308, 4592 2.2.2, 6891, 8020, 8482,
 * 8914. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "dns/types.h"
#include "names/owner.h"
#include "store/store.h"

struct fr_answerer;

struct fr_answer {
    struct fr_span message;
    enum fr_dns_rcode rcode;
    bool is_cacheable;  /* NOERROR and NXDOMAIN */
    uint32_t max_age_s; /* the smallest TTL used; negative answers: the SOA's */
    /* What was asked for, for logs and counts. */
    uint16_t type;
    bool is_in_zone; /* the name is the apex or below it */
    bool is_named;   /* `owner` counts: the name is one of the zone's forms */
    struct fr_owner owner;
    bool has_home;     /* the name is a device's, and found: */
    uint32_t netid;    /* its home's */
    enum fr_err fault; /* FR_OK, or why it is SERVFAIL */
};

/* federation: the apex without trailing dot. FR_E_INVALID, FR_E_NOMEM. */
enum fr_err fr_answerer_new(const char *federation, struct fr_answerer **out);
void fr_answerer_free(struct fr_answerer *a);

/* How many rows of the registry could not be read at the last answer: what they hold is not answered (store/sight.h). */
unsigned fr_answerer_damaged(const struct fr_answerer *a);

/* member: the id of the one who asks; "" is nobody's. */
enum fr_err fr_answer(struct fr_answerer *a, struct fr_snap *snap, const char *member,
                      struct fr_span query, int64_t now_s, struct fr_answer *out);
