/* Our reader against ldns: what we accept, ldns accepts, with the same question and the same
 * records. The other way round need not hold: we refuse more on purpose (a second OPT, trailing
 * bytes, forward pointers). ldns sees only what we accepted, as it does in the product, because
 * on other messages Debian's 1.8.3 leaks. */
#include "base/buf.h"
#include "base/wire.h"
#include "dns/query.h"
#include "dns/response.h"

#include <ldns/ldns.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_known(uint16_t type)
{
    switch (type) {
    case FR_DNS_A:
    case FR_DNS_NS:
    case FR_DNS_CNAME:
    case FR_DNS_SOA:
    case FR_DNS_HINFO:
    case FR_DNS_TXT:
    case FR_DNS_AAAA:
    case FR_DNS_SRV:
    case FR_DNS_NAPTR:
    case FR_DNS_TLSA: return true;
    default: return false;
    }
}

/* Types that only we, or only ldns, look into cannot be compared. */
static bool is_comparable(const struct fr_dns_response *response)
{
    struct fr_rd r = fr_rd(response->wire);
    unsigned total = (unsigned)response->count[0] + response->count[1] + response->count[2];

    fr_rd_seek(&r, response->records_at);
    for (unsigned i = 0; i < total; i++) {
        struct fr_rr rr;
        fr_rr_read(&r, &rr);
        if (rr.type != FR_DNS_OPT && !is_known(rr.type)) return false;
    }
    return true;
}

static void compare_question(const ldns_pkt *pkt, const struct fr_dname *name, uint16_t type,
                             uint16_t class)
{
    const ldns_rr *question = ldns_rr_list_rr(ldns_pkt_question(pkt), 0);
    const ldns_rdf *owner = ldns_rr_owner(question);

    if (ldns_rr_get_type(question) != (ldns_rr_type)type ||
        ldns_rr_get_class(question) != (ldns_rr_class) class)
        abort();
    if (ldns_rdf_size(owner) != name->n || memcmp(ldns_rdf_data(owner), name->b, name->n) != 0)
        abort();
}

static void compare_record(const ldns_rr *theirs, struct fr_rr *ours)
{
    struct fr_buf a = FR_BUF_INIT(1u << 20), b = FR_BUF_INIT(1u << 20);
    struct fr_rr rr;
    uint8_t *wire = NULL;
    size_t n = 0;

    if (ldns_rr2wire(&wire, theirs, LDNS_SECTION_ANSWER, &n) != LDNS_STATUS_OK) abort();
    struct fr_rd r = fr_rd(fr_span(wire, n));
    fr_rr_read(&r, &rr);
    if (fr_rd_end(&r) != FR_OK) abort();
    if (fr_rr_print(ours, &a) != FR_OK || fr_rr_print(&rr, &b) != FR_OK) abort();
    if (strcasecmp(fr_buf_str(&a), fr_buf_str(&b)) != 0) abort();
    fr_buf_deinit(&a);
    fr_buf_deinit(&b);
    free(wire);
}

static void compare_records(const ldns_pkt *pkt, const struct fr_dns_response *response)
{
    ldns_rr_list *sections[] = {ldns_pkt_answer(pkt), ldns_pkt_authority(pkt),
                                ldns_pkt_additional(pkt)};
    size_t at[3] = {0, 0, 0};
    struct fr_dns_walk walk;
    struct fr_rr rr;

    fr_dns_walk_init(&walk, response);
    while (fr_dns_walk_next(&walk, &rr)) {
        unsigned i = (unsigned)walk.section;
        if (at[i] >= ldns_rr_list_rr_count(sections[i])) abort();
        compare_record(ldns_rr_list_rr(sections[i], at[i]++), &rr);
    }
    for (int i = 0; i < 3; i++)
        if (at[i] != ldns_rr_list_rr_count(sections[i])) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fr_dns_query q;
    struct fr_dns_response response;
    ldns_pkt *pkt = NULL;

    bool is_query = fr_dns_query_read(fr_span(data, size), &q) == FR_OK &&
                    q.rcode == FR_DNS_NOERROR && !q.signed_tsig;
    bool is_response =
        fr_dns_response_read(fr_span(data, size), &response) == FR_OK && is_comparable(&response);
    if (!is_query && !is_response) return 0;
    if (ldns_wire2pkt(&pkt, data, size) != LDNS_STATUS_OK) abort();
    if (is_query) {
        compare_question(pkt, &q.name, q.type, q.class);
        if (ldns_pkt_edns(pkt) != q.edns.present) abort();
        if (q.edns.present && ldns_pkt_edns_udp_size(pkt) != q.edns.udp_size) abort();
    } else {
        if (response.has_question)
            compare_question(pkt, &response.name, response.type, response.class);
        compare_records(pkt, &response);
    }
    ldns_pkt_free(pkt);
    return 0;
}
