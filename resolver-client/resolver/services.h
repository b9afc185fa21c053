#pragma once
/* The DNS-over-HTTPS services that a name's SVCB records offer (RFC 9460, 9461), as we can use them. Pure.
 *
 * Model: a *service* is a target to find addresses of, a port and a path; in the order to try: by priority, those
 *   of one priority as they came, which name servers rotate. A set in AliasMode is one target to ask about
 *   instead. One malformed record spoils the set (RFC 9460 2.2).
 *   A service is usable when its ALPN has h2, its dohpath stays on the server it is about, and it needs no
 *   parameter that we do not know.
 * Owns: nothing; plain values. Threads: any. Errors: none: what cannot be used is not there.
 * Units and limits: seconds; FR_SERVICES_MAX services, later ones are left out. Trust: a stranger's bytes. What comes
 *   out is no more true than what went in. */

#include "base/addr.h"
#include "dns/response.h"
#include "dns/svcb.h"

enum { FR_SERVICES_MAX = 3, FR_SERVICE_PATH = 256 };

struct fr_service {
    uint16_t priority, port;
    struct fr_dname target;
    char path[FR_SERVICE_PATH]; /* of a POST */
    size_t n_hints;
    struct fr_ip hints[FR_SVCB_HINTS_MAX];
};

struct fr_services {
    bool is_alias; /* ask about this target instead; n is 0 */
    struct fr_dname alias;
    bool is_empty; /* the name has no SVCB record at all */
    size_t n;
    struct fr_service list[FR_SERVICES_MAX];
    uint32_t ttl_s;  /* of all this, also when there is nothing; UINT32_MAX: not said */
    const char *why; /* when there is nothing: in words, static; else "" */
};

/* From a response to a question of type SVCB. */
void fr_services_read(const struct fr_dns_response *response, struct fr_services *out);

/* The path of a POST by a template of RFC 8484 4.1: an absolute path on the same authority, its variable in the
 * query, last. FR_E_MALFORMED, FR_E_LIMIT. */
enum fr_err fr_dohpath_expand(struct fr_span template_, char out[FR_SERVICE_PATH]);
