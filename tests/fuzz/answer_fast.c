/* The short path of answers sees a query exactly as the general reader does, or leaves it alone. */
#include "answer/fast.h"
#include "dns/query.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fr_fast_query fast;
    struct fr_dns_query q;
    struct fr_dname apex;
    struct fr_owner owner;

    if (fr_dname_parse(fr_span_str("fed.test"), &apex) != FR_OK) abort();
    if (!fr_fast_read(fr_span(data, size), &apex, &fast)) return 0;
    if (fr_dns_query_read(fr_span(data, size), &q) != FR_OK || q.rcode != FR_DNS_NOERROR) abort();
    if (q.type != fast.type || q.class != FR_DNS_IN || q.checking_disabled || q.signed_tsig)
        abort();
    if (q.recursion_desired != fast.recursion_desired) abort();
    if (q.edns.present != (fast.edns > 0) || q.edns.padded != (fast.edns == 2)) abort();
    if (q.name.n + 4u != fast.question_n) abort();
    if (fr_owner_read(fr_dname_span(&q.name), &apex, &owner) != FR_OK) abort();
    if (owner.kind != fast.owner.kind || owner.eui != fast.owner.eui ||
        owner.netid != fast.owner.netid)
        abort();
    return 0;
}
