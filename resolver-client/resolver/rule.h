#pragma once
/* One NAPTR record of a Join Server's or network's name, as a rule that says where to look next.
 *
 * Model: flags say what the next step is: "S" an SRV, "A" addresses, "U" a URI that stands in the
 *   regexp, "P" or none another NAPTR. Services: "LWN" (HTTP) and "LWNS" (HTTPS); a rule that is not
 *   the last may name none. Anything else is no rule for us, and is passed over. Pure.
 * Owns: nothing; plain values. Threads: any.
 * Units and limits: of the regexps only "!^.*$!URI!" is taken, the whole name replaced by a URI
 *   without back-references: no regular expression is run.
 * Trust: a stranger's bytes. See RFC 3403 4.1, Backend Interfaces 1.0 section 19. */

#include "base/url.h"
#include "dns/rr.h"
#include <fedroam/answer.h>
#include <stdbool.h>

enum fr_rule_next { FR_RULE_SRV, FR_RULE_ADDRESS, FR_RULE_URI, FR_RULE_NAPTR };

struct fr_rule {
    enum fr_rule_next next;
    enum fedroam_service service; /* NONE: it names none, and is not the last */
    uint16_t order, preference;
    struct fr_dname name; /* of the next step; URI: of the host, root when that is an address */
    struct fr_url uri;    /* URI only */
};

/* False: no rule for us. */
bool fr_rule_read(const struct fr_naptr *naptr, struct fr_rule *out);
