#include "agent/stub.h"

#include "dns/message.h"
#include "names/owner.h"

enum {
    PLAIN_UDP_SIZE = 512, /* RFC 1035 4.2.1 */
    OPT_SIZE = 11,
    EDE_SIZE = 6,
    META_FIRST = 128, /* query types that are no data, RFC 6895 3.1; ANY is answered */
    META_LAST = 255,
};

enum fr_err fr_stub_zone_init(const char *federation, struct fr_stub_zone *out)
{
    static const enum fr_owner_kind KINDS[FR_STUB_TREES] = {
        FR_OWNER_DEVEUI_ROOT, FR_OWNER_NETID_ROOT, FR_OWNER_JOINEUI_ROOT};
    struct fr_stub_zone zone;
    struct fr_dname apex;

    enum fr_err err = fr_dname_parse(fr_span_str(federation), &apex);
    for (size_t i = 0; i < FR_STUB_TREES && err == FR_OK; i++)
        err = fr_owner_write(&(struct fr_owner){.kind = KINDS[i]}, &apex, &zone.trees[i]);
    if (err == FR_OK) *out = zone;
    return err;
}

bool fr_stub_zone_equal(const struct fr_stub_zone *a, const struct fr_stub_zone *b)
{
    for (size_t i = 0; i < FR_STUB_TREES; i++)
        if (!fr_dname_equal(fr_dname_span(&a->trees[i]), fr_dname_span(&b->trees[i]))) return false;
    return true;
}

/* Of federations one below the other, the deeper one's tree. */
static bool find_zone(const struct fr_dname *name, const struct fr_stub_zone *zones, size_t n,
                      size_t *out)
{
    size_t depth = 0;

    for (size_t i = 0; i < n; i++) {
        for (size_t t = 0; t < FR_STUB_TREES; t++) {
            const struct fr_dname *tree = &zones[i].trees[t];
            if (tree->n <= depth) continue;
            if (!fr_dname_is_under(fr_dname_span(name), fr_dname_span(tree))) continue;
            depth = tree->n;
            *out = i;
        }
    }
    return depth > 0;
}

static enum fr_stub_verdict answer(struct fr_stub_question *q, enum fr_dns_rcode rcode, int ede)
{
    q->rcode = rcode;
    q->ede = ede;
    return FR_STUB_ANSWER;
}

static bool is_response(struct fr_span message)
{
    return message.n > 2 && (message.p[2] & 0x80) != 0;
}

enum fr_stub_verdict fr_stub_read(struct fr_span message, const struct fr_stub_zone *zones,
                                  size_t n_zones, bool is_stream, struct fr_stub_question *out)
{
    struct fr_stub_question *q = out;

    *q = (struct fr_stub_question){.ede = FR_DNS_EDE_NONE};
    /* An answer to a response would go round for ever between two that think so. */
    if (is_response(message) || fr_dns_query_read(message, &q->query) != FR_OK) return FR_STUB_DROP;
    const struct fr_edns *edns = &q->query.edns;
    q->max = PLAIN_UDP_SIZE;
    if (edns->present && edns->udp_size > q->max) q->max = edns->udp_size;
    if (q->max > FR_DNS_UDP_SIZE) q->max = FR_DNS_UDP_SIZE;
    if (is_stream) q->max = FR_STUB_ANSWER_MAX;

    if (q->query.rcode != FR_DNS_NOERROR) return answer(q, q->query.rcode, FR_DNS_EDE_NONE);
    bool is_meta = q->query.type >= META_FIRST && q->query.type < META_LAST;
    if (q->query.class != FR_DNS_IN || is_meta || q->query.type == FR_DNS_OPT ||
        q->query.signed_tsig)
        return answer(q, FR_DNS_REFUSED, FR_DNS_EDE_NONE);
    if (!find_zone(&q->query.name, zones, n_zones, &q->federation))
        return answer(q, FR_DNS_REFUSED, FR_DNS_EDE_NOT_AUTHORITATIVE);
    return FR_STUB_ASK;
}

/* Header and question; flags: TC and the low bits of the RCODE. */
static void begin(const struct fr_stub_question *q, unsigned flags, size_t max, uint8_t *memory,
                  struct fr_dns_writer *w)
{
    flags |= FR_DNS_QR | FR_DNS_RA | (unsigned)q->query.opcode << 11;
    if (q->query.recursion_desired) flags |= FR_DNS_RD;
    if (q->query.checking_disabled) flags |= FR_DNS_CD;
    fr_dns_writer_init(w, memory, max, q->query.id, (uint16_t)flags);
    /* A name of 255 bytes fits into 512, so this cannot fail. */
    if (q->query.has_question)
        (void)fr_dns_write_question(w, &q->query.name, q->query.type, q->query.class);
}

static size_t opt_size(const struct fr_stub_question *q, int ede)
{
    if (!q->query.edns.present) return 0;
    return OPT_SIZE + (ede == FR_DNS_EDE_NONE ? 0 : EDE_SIZE);
}

/* The OPT that room was kept for. */
static struct fr_span finish(const struct fr_stub_question *q, struct fr_dns_writer *w,
                             unsigned rcode, int ede)
{
    w->bytes.n = q->max;
    if (q->query.edns.present) (void)fr_dns_write_opt(w, rcode, ede, 0);
    return fr_dns_writer_finish(w);
}

struct fr_span fr_stub_write_error(const struct fr_stub_question *q, enum fr_dns_rcode rcode,
                                   int ede, uint8_t memory[static FR_STUB_ANSWER_MAX])
{
    struct fr_dns_writer w;

    begin(q, rcode & 15, q->max, memory, &w);
    return finish(q, &w, rcode, ede);
}

/* False when a record that may not be left out does not fit. */
static bool copy_records(const struct fr_records_answer *a, struct fr_dns_writer *w)
{
    struct fr_dns_walk walk;
    struct fr_rr rr;

    fr_dns_walk_init(&walk, &a->message);
    while (fr_dns_walk_next(&walk, &rr)) {
        if (a->freshness == FEDROAM_STALE)
            rr.ttl = FR_STUB_STALE_TTL_S;
        else
            rr.ttl = rr.ttl > a->age_s ? rr.ttl - a->age_s : 0;
        if (fr_dns_write_rr(w, walk.section, &rr) == FR_OK) continue;
        if (walk.section != FR_DNS_ADDITIONAL) return false;
    }
    return true;
}

struct fr_span fr_stub_write(const struct fr_stub_question *q, const struct fr_records_answer *a,
                             uint8_t memory[static FR_STUB_ANSWER_MAX], bool *out_cut)
{
    const struct fr_edns *said = &a->message.edns;
    int ede = a->freshness == FEDROAM_STALE ? FR_DNS_EDE_STALE_ANSWER
              : said->present               ? said->ede
                                            : FR_DNS_EDE_NONE;
    size_t room = q->max - opt_size(q, ede);
    struct fr_dns_writer w;

    begin(q, a->message.rcode & 15, room, memory, &w);
    *out_cut = !copy_records(a, &w);
    if (*out_cut) begin(q, FR_DNS_TC | (a->message.rcode & 15), room, memory, &w);
    return finish(q, &w, a->message.rcode, ede);
}
