#pragma once
/* Whole DNS answers for one name and type, as a broker gave them: for programs that speak DNS
 * themselves (fedroam-agent). Everybody else looks up devices, networks and Join Servers through
 * <fedroam/fedroam.h>.
 *
 * Model: a *query* is one call of the host; it waits on a *trip* to the brokers, shared by all
 *   queries for the same name and type. The answer is kept in the handle's cache for its TTL, and
 *   beyond it for the time that no broker can be reached. An unknown device is asked about less
 *   and less often, as in every look-up.
 * Owns: the handle owns queries and trips. Threads: the loop's. Errors: what became of a query is
 *   in its answer; done comes once, from the loop, never from inside a call, unless cancelled.
 * Units: TTLs and ages in seconds. Trust: a broker's bytes, checked to be a whole response to this
 *   question. See RFC 2308, RFC 8484 5.1, RFC 8767. */

#include "dns/response.h"
#include "names/dname.h"
#include <fedroam/answer.h>

struct fedroam;
struct fr_records_query;

/* Valid during the call-back. */
struct fr_records_answer {
    /* FOUND: there is a message, whatever it says about the name. UNKNOWN: a device that the
     * federation is not asked about, by the options. */
    enum fedroam_result result;
    enum fedroam_freshness freshness;
    struct fr_dns_response message; /* FOUND only */
    uint32_t age_s;                 /* to take off each TTL; a stale message has none left */
    unsigned status;                /* not FOUND: HTTP status, 0 when none came */
    int ede;                        /* or FR_DNS_EDE_NONE */
    uint32_t retry_after_s;
    const char *reason; /* for people; "" when FOUND */
};

typedef void (*fr_records_done)(void *data, const struct fr_records_answer *answer);

/* `federation` is its place in the options, `name` one below its apex (letter case does not
 * matter). timeout_ms 0 takes the one of the options. FR_E_LIMIT (as many wait as may), FR_E_NOMEM:
 * nothing was started. */
enum fr_err fr_records_ask(struct fedroam *f, size_t federation, const struct fr_dname *name,
                           uint16_t type, uint32_t timeout_ms, fr_records_done done, void *data,
                           struct fr_records_query **out);

/* Ends a query without its call-back. */
void fr_records_cancel(struct fr_records_query *query);

/* Ends all queries of the handle without their call-backs, and all trips. */
void fr_records_free(struct fedroam *f);
