#include "resolver/reply.h"

#include "names/netid.h"
#include "names/owner.h"

static uint32_t ttl_left(const struct fr_reply *reply, uint32_t ttl_s, uint32_t max_s)
{
    if (ttl_s > max_s) ttl_s = max_s;
    return ttl_s > reply->age_s ? ttl_s - reply->age_s : 0;
}

uint32_t fr_reply_ttl(const struct fr_reply *reply, uint32_t ttl_s)
{
    return ttl_left(reply, ttl_s, FR_TTL_MAX_S);
}

static void bad(struct fr_reply *r, const char *why)
{
    r->verdict = FR_VERDICT_BAD;
    r->why = why;
}

/* The header and the question must be ours: over one connection with many streams nothing else
 * ties them together but HTTP. */
static const char *find_mismatch(const struct fr_dns_response *m, const struct fr_dname *name,
                                 uint16_t type)
{
    if (m->id != 0) return "the answer's ID is not 0, as the question's was";
    if (m->truncated) return "the answer is cut short (TC)";
    if (!m->has_question) return "the answer has no question";
    if (!fr_dname_equal(fr_dname_span(&m->name), fr_dname_span(name)))
        return "the answer is about another name";
    if (m->type != type || m->class != FR_DNS_IN) return "the answer is about another type";
    return NULL;
}

static void judge_noerror(struct fr_reply *r, uint16_t type)
{
    struct fr_rr rr;
    if (fr_dns_response_find(&r->message, FR_DNS_ANSWER, &r->target, type, 0, &rr)) {
        r->verdict = FR_VERDICT_DATA;
        return;
    }
    /* A CNAME whose target has no record of the type is still what a device look-up wants. */
    r->verdict = r->has_chain ? FR_VERDICT_DATA : FR_VERDICT_NODATA;
}

static void judge_records(struct fr_reply *out)
{
    uint32_t chain_ttl_s = UINT32_MAX;
    if (fr_dns_response_chain(&out->message, &out->target, &chain_ttl_s) != FR_OK) {
        bad(out, "the answer's aliases run in a circle or are too many");
        return;
    }
    out->has_chain =
        !fr_dname_equal(fr_dname_span(&out->target), fr_dname_span(&out->message.name));
    out->target_ttl_s = fr_reply_ttl(out, chain_ttl_s);
    uint32_t negative_s = 0;
    if (fr_dns_response_negative_ttl(&out->message, &negative_s))
        out->negative_ttl_s = ttl_left(out, negative_s, FR_NEGATIVE_TTL_MAX_S);
    if (out->rcode == FR_DNS_NXDOMAIN)
        out->verdict = FR_VERDICT_NONE;
    else
        judge_noerror(out, out->message.type);
}

void fr_reply_read(struct fr_span bytes, uint32_t age_s, const struct fr_dname *name, uint16_t type,
                   struct fr_reply *out)
{
    *out = (struct fr_reply){.why = "", .ede = FR_DNS_EDE_NONE, .age_s = age_s};
    if (fr_dns_response_read(bytes, &out->message) != FR_OK) {
        bad(out, "the answer is not a DNS response");
        return;
    }
    out->rcode = out->message.rcode;
    out->ede = out->message.edns.ede;
    if (!out->message.edns.present) out->ede = FR_DNS_EDE_NONE;
    const char *mismatch = find_mismatch(&out->message, name, type);
    /* A refusal may come without the question (RFC 1035 4.1.1 asks only for the header). */
    if (mismatch &&
        !(out->rcode != FR_DNS_NOERROR && !out->message.has_question && out->message.id == 0)) {
        bad(out, mismatch);
        return;
    }
    if (out->rcode == FR_DNS_REFUSED) {
        out->verdict = FR_VERDICT_REFUSED;
        return;
    }
    if (out->rcode == FR_DNS_SERVFAIL) {
        out->verdict = FR_VERDICT_FAILED;
        return;
    }
    if (mismatch || (out->rcode != FR_DNS_NOERROR && out->rcode != FR_DNS_NXDOMAIN)) {
        bad(out, "the broker did not understand the question");
        return;
    }
    judge_records(out);
}

void fr_reply_take(const struct fr_dns_response *message, struct fr_reply *out)
{
    *out = (struct fr_reply){
        .why = "", .ede = FR_DNS_EDE_NONE, .rcode = message->rcode, .message = *message};
    judge_records(out);
}

enum fr_err fr_reply_netid(const struct fr_reply *reply, const struct fr_dname *zone, uint32_t *out,
                           const char **why)
{
    struct fr_owner owner;
    struct fr_rr alias, second;
    const struct fr_dns_response *m = &reply->message;
    if (!reply->has_chain ||
        !fr_dns_response_find(m, FR_DNS_ANSWER, &m->name, FR_DNS_CNAME, 0, &alias)) {
        *why = "the device's name has no alias to a network";
        return FR_E_MALFORMED;
    }
    /* One alias, one step: an alias of an alias would let one network's name stand for
     * another's. */
    if (fr_dns_response_find(m, FR_DNS_ANSWER, &m->name, FR_DNS_CNAME, 1, &second) ||
        !fr_dname_equal(fr_dname_span(&alias.data.name), fr_dname_span(&reply->target))) {
        *why = "the device's alias leads to more than one name";
        return FR_E_MALFORMED;
    }
    if (fr_owner_read(fr_dname_span(&reply->target), zone, &owner) != FR_OK ||
        owner.kind != FR_OWNER_NETID) {
        *why = "the device's alias is not a network of this federation";
        return FR_E_MALFORMED;
    }
    if (fr_netid_check(owner.netid, NULL) != FR_OK) {
        *why = "the device's NetID is one that never roams";
        return FR_E_MALFORMED;
    }
    *out = owner.netid;
    return FR_OK;
}
