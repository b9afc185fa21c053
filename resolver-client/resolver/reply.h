#pragma once
/* What one DNS message says about one question of ours: the only place that looks at a broker's
 * bytes.
 *
 * Model: a reply is judged once (fr_reply_read), then asked for what the question was about.
 *   Pure: bytes in, verdict out.
 * Owns: nothing; the reply borrows the message. Threads: any. Errors: the verdict; `why` is
 *   static text.
 * Units and limits: TTLs in seconds, less the Age of a cached HTTP response (RFC 8484 5.1),
 *   positive ones cut at a day, negative ones at three hours (RFC 2308 5).
 * Trust: all of it is a broker's, whose certificate was verified; it may still be wrong, and
 *   then fails closed. See RFC 1035 4.1, RFC 2308, RFC 8484 4.2, RFC 8914. */

#include "dns/response.h"
#include "names/dname.h"

enum fr_verdict {
    FR_VERDICT_DATA,    /* the name has records of the type asked, or a CNAME */
    FR_VERDICT_NODATA,  /* the name exists, without such records */
    FR_VERDICT_NONE,    /* NXDOMAIN */
    FR_VERDICT_REFUSED, /* RCODE REFUSED */
    FR_VERDICT_FAILED,  /* SERVFAIL: this broker cannot, another may */
    FR_VERDICT_BAD,     /* not an answer to this question, or not an answer at all */
};

enum { FR_TTL_MAX_S = 86400, FR_NEGATIVE_TTL_MAX_S = 10800 };

struct fr_reply {
    enum fr_verdict verdict;
    const char *why; /* BAD: what is wrong; else "" */
    unsigned rcode;
    int ede;                 /* or FR_DNS_EDE_NONE */
    uint32_t age_s;          /* of the HTTP response */
    uint32_t negative_ttl_s; /* NODATA, NONE; 0 when the message has no SOA: not to be cached */
    struct fr_dname
        target; /* of the CNAME chain in Answer; the question's name when there is none */
    uint32_t target_ttl_s; /* smallest TTL of that chain; FR_TTL_MAX_S when there is none */
    bool has_chain;
    struct fr_dns_response message;
};

void fr_reply_read(struct fr_span bytes, uint32_t age_s, const struct fr_dname *name, uint16_t type,
                   struct fr_reply *out);

/* The same of a message that was read and checked to be the response to its question elsewhere (public
 * DNS), NOERROR or NXDOMAIN. BAD only for aliases in a circle. */
void fr_reply_take(const struct fr_dns_response *message, struct fr_reply *out);

/* The home network of a device: the NetID of the CNAME target, which must be exactly <6
 * hex>.netid.<zone> and a NetID that may roam. FR_E_MALFORMED with `why`, for anything else. */
enum fr_err fr_reply_netid(const struct fr_reply *reply, const struct fr_dname *zone, uint32_t *out,
                           const char **why);

/* A record's TTL as we use it. */
uint32_t fr_reply_ttl(const struct fr_reply *reply, uint32_t ttl_s);
