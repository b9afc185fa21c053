#include "dns/response.h"

#include "base/wire.h"
#include "dns/message.h"

static void question_read(struct fr_rd *r, unsigned count, struct fr_dns_response *out)
{
    if (count > 1) fr_rd_fail(r, FR_E_MALFORMED);
    if (count != 1) return;
    fr_dns_name_read(r, &out->name);
    out->type = fr_rd_u16(r);
    out->class = fr_rd_u16(r);
    out->has_question = true;
}

/* Reads every record once, so that the walks afterwards cannot fail. */
static void records_read(struct fr_rd *r, struct fr_dns_response *out)
{
    unsigned total = (unsigned)out->count[0] + out->count[1] + out->count[2];

    if (total > FR_DNS_RECORDS_MAX) fr_rd_fail(r, FR_E_LIMIT);
    for (unsigned i = 0; i < total && fr_rd_err(r) == FR_OK; i++) {
        struct fr_rr rr;
        fr_rr_read(r, &rr);
        if (fr_rd_err(r) != FR_OK) return;
        if (rr.type != FR_DNS_OPT) continue;
        if (out->edns.present || i < (unsigned)out->count[0] + out->count[1])
            fr_rd_fail(r, FR_E_MALFORMED);
        else
            fr_edns_read(&rr, r, &out->edns);
    }
}

enum fr_err fr_dns_response_read(struct fr_span message, struct fr_dns_response *out)
{
    struct fr_rd r = fr_rd(message);
    struct fr_dns_response response = {
        .wire = message,
        .name = {.n = 1},
        .edns.ede = FR_DNS_EDE_NONE,
    };

    response.id = fr_rd_u16(&r);
    uint16_t flags = fr_rd_u16(&r);
    unsigned questions = fr_rd_u16(&r);
    for (int i = 0; i < 3; i++) response.count[i] = fr_rd_u16(&r);
    if (fr_rd_err(&r) != FR_OK) return FR_E_TRUNCATED;
    if ((flags & FR_DNS_QR) == 0) return FR_E_MALFORMED;

    question_read(&r, questions, &response);
    response.records_at = r.at;
    records_read(&r, &response);
    enum fr_err err = fr_rd_end(&r);
    if (err != FR_OK) return err;

    response.rcode = (flags & 15u) | (unsigned)response.edns.rcode_high << 4;
    response.authoritative = (flags & FR_DNS_AA) != 0;
    response.truncated = (flags & FR_DNS_TC) != 0;
    *out = response;
    return FR_OK;
}

void fr_dns_walk_init(struct fr_dns_walk *walk, const struct fr_dns_response *response)
{
    *walk = (struct fr_dns_walk){.response = response, .at = response->records_at};
}

bool fr_dns_walk_next(struct fr_dns_walk *walk, struct fr_rr *rr)
{
    const struct fr_dns_response *response = walk->response;
    unsigned answers = response->count[0], authorities = answers + response->count[1];
    struct fr_rd r = fr_rd(response->wire);

    fr_rd_seek(&r, walk->at);
    while (walk->seen < authorities + response->count[2]) {
        fr_rr_read(&r, rr);
        if (fr_rd_err(&r) != FR_OK) return false;
        walk->at = r.at;
        walk->section = walk->seen < answers       ? FR_DNS_ANSWER
                        : walk->seen < authorities ? FR_DNS_AUTHORITY
                                                   : FR_DNS_ADDITIONAL;
        walk->seen++;
        if (rr->type != FR_DNS_OPT && rr->type != FR_DNS_TSIG) return true;
    }
    return false;
}

bool fr_dns_response_find(const struct fr_dns_response *response, int section,
                          const struct fr_dname *owner, uint16_t type, unsigned nth,
                          struct fr_rr *rr)
{
    struct fr_dns_walk walk;

    fr_dns_walk_init(&walk, response);
    while (fr_dns_walk_next(&walk, rr)) {
        if (section != FR_DNS_ANY_SECTION && walk.section != (enum fr_dns_section)section) continue;
        if (rr->type != type || rr->class != FR_DNS_IN) continue;
        if (!fr_dname_equal(fr_dname_span(&rr->owner), fr_dname_span(owner))) continue;
        if (nth-- == 0) return true;
    }
    return false;
}

enum fr_err fr_dns_response_chain(const struct fr_dns_response *response, struct fr_dname *out,
                                  uint32_t *ttl_s)
{
    struct fr_dname name = response->name;
    uint32_t ttl = UINT32_MAX;
    struct fr_rr rr;

    for (int hops = 0; hops <= FR_DNS_CHAIN_MAX; hops++) {
        if (!fr_dns_response_find(response, FR_DNS_ANSWER, &name, FR_DNS_CNAME, 0, &rr)) {
            *out = name;
            *ttl_s = ttl;
            return FR_OK;
        }
        if (rr.ttl < ttl) ttl = rr.ttl;
        name = rr.data.name;
    }
    return FR_E_MALFORMED;
}

bool fr_dns_response_negative_ttl(const struct fr_dns_response *response, uint32_t *ttl_s)
{
    struct fr_dns_walk walk;
    struct fr_rr rr;

    fr_dns_walk_init(&walk, response);
    while (fr_dns_walk_next(&walk, &rr)) {
        if (walk.section != FR_DNS_AUTHORITY || rr.type != FR_DNS_SOA) continue;
        *ttl_s = rr.ttl < rr.data.soa.minimum ? rr.ttl : rr.data.soa.minimum;
        return true;
    }
    return false;
}
