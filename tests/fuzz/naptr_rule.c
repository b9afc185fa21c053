/* A NAPTR record as a rule: flags, services, regexp and replacement as they come. What is taken for a rule
 * leads somewhere. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/wire.h"
#include "resolver/rule.h"

static void read_string(struct fr_rd *r, struct fr_dns_string *out)
{
    out->n = fr_rd_u8(r);
    fr_rd_bytes(r, out->b, out->n);
}

static void check(const struct fr_rule *rule)
{
    if (fr_dname_check(fr_dname_span(&rule->name)) != FR_OK) abort();
    if (rule->service == FEDROAM_SERVICE_NONE && rule->next != FR_RULE_NAPTR) abort();
    if (rule->next != FR_RULE_URI) {
        if (rule->name.n <= 1) abort();
        return;
    }
    if (rule->uri.port == 0 || rule->uri.path[0] != '/' || rule->uri.host[0] == 0) abort();
    if ((rule->name.n <= 1) != rule->uri.is_ip) abort();
    if (rule->uri.is_tls != (rule->service == FEDROAM_SERVICE_LWNS)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fr_naptr naptr = {0};
    struct fr_rule rule;
    struct fr_rd r = fr_rd(fr_span(data, size));
    read_string(&r, &naptr.flags);
    read_string(&r, &naptr.services);
    read_string(&r, &naptr.regexp);
    if (fr_rd_err(&r)) return 0;
    struct fr_span name = fr_rd_span(&r, fr_rd_left(&r));
    if (fr_dname_check(name) != FR_OK || name.n > FR_DNAME_WIRE) return 0;
    memcpy(naptr.replacement.b, name.p, name.n);
    naptr.replacement.n = (uint8_t)name.n;
    if (fr_rule_read(&naptr, &rule)) check(&rule);
    return 0;
}
