#include "answer/general.h"

#include "dns/message.h"

enum {
    CHAIN_MAX = 4,      /* device → network is one, port → _ns another */
    PADDING_BLOCK = 468 /* RFC 8467 4.1, for those who padded their query */
};

/* One answer in the making. */
struct work {
    struct fr_answer_room *room;
    struct fr_snap *snap;
    const struct fr_asker *asker;
    const struct fr_dns_query *query;
    int64_t now_s;
    struct fr_dns_writer writer;
    enum fr_dns_rcode rcode;
    int ede;
    bool is_authoritative;
    uint32_t min_ttl_s;
    enum fr_err fault;
    struct fr_answer *out;
};

/* Writes a record and takes its TTL into account. FR_E_LIMIT: it did not fit; any other failure
 * is the answer's. */
static enum fr_err put(struct work *work, enum fr_dns_section section,
                       const struct fr_record *record)
{
    struct fr_rr rr;
    enum fr_err err = fr_zone_rr(&work->room->zone, record, &rr);

    /* what a wildcard has stands at the name that was asked for (RFC 4592 3.3.3) */
    if (err == FR_OK && record->owner.kind == FR_OWNER_JOINEUI_ANY) rr.owner = work->query->name;
    if (err == FR_OK) err = fr_dns_write_rr(&work->writer, section, &rr);
    if (err == FR_OK && rr.ttl < work->min_ttl_s) work->min_ttl_s = rr.ttl;
    return err;
}

static void put_set(struct work *work, const struct fr_owner *owner, uint16_t type)
{
    const struct fr_record *row = NULL;
    size_t at = 0;

    while (work->fault == FR_OK &&
           (row = fr_zone_node_next(&work->room->node, owner, type, &at)) != NULL)
        work->fault = put(work, FR_DNS_ANSWER, row);
}

/* A JoinEUI's SRV are there twice: for those who come by NAPTR, and at the name itself for those who do not. */
static bool is_said_otherwise(const struct work *work, const struct fr_owner *owner,
                              const struct fr_record *row)
{
    if (owner->kind != FR_OWNER_JOINEUI && owner->kind != FR_OWNER_JOINEUI_ANY) return false;
    if (work->query->type == FR_DNS_NAPTR) return fr_owner_equal(&row->owner, owner);
    return row->owner.kind == FR_OWNER_JOINEUI_SERVICE;
}

/* The rest of the network or join server, for as much as fits: other addresses, SRV with its
 * targets, TLSA. */
static void put_extras(struct work *work, const struct fr_owner *owner)
{
    const struct fr_zone_node *node = &work->room->node;

    for (size_t i = 0; i < node->n; i++) {
        const struct fr_record *row = &node->rows[i];
        bool is_wanted = row->type == FR_RECORD_A || row->type == FR_RECORD_AAAA ||
                         row->type == FR_RECORD_SRV || row->type == FR_RECORD_TLSA;
        bool is_there =
            (uint16_t)row->type == work->query->type && fr_owner_equal(&row->owner, owner);
        if (is_wanted && !is_there && !is_said_otherwise(work, owner, row) &&
            put(work, FR_DNS_ADDITIONAL, row) != FR_OK)
            return;
    }
}

static enum fr_err put_soa(void *data, const struct fr_record *record)
{
    struct work *work = data;
    struct fr_record soa = *record;

    if (record->type != FR_RECORD_SOA) return FR_OK;
    if (soa.ttl_s > soa.data.soa.minimum_s) soa.ttl_s = soa.data.soa.minimum_s; /* RFC 2308 3 */
    /* who looks for an apex by its SOA is to look anew each time; BIND's zero-no-soa-ttl */
    if (work->query->type == FR_DNS_SOA && work->rcode == FR_DNS_NXDOMAIN) soa.ttl_s = 0;
    return put(work, FR_DNS_AUTHORITY, &soa);
}

static void put_negative(struct work *work)
{
    enum fr_err err = fr_records_apex(work->snap, put_soa, work);

    if (err != FR_OK) work->fault = err;
}

/* The first set that stands at the name: RFC 8482 4.1. */
static uint16_t any_type(const struct work *work, const struct fr_owner *owner)
{
    size_t at = 0;
    const struct fr_record *row = fr_zone_node_next(&work->room->node, owner, 0, &at);

    return row != NULL ? (uint16_t)row->type : FR_DNS_ANY;
}

/* What stands at `owner` for the query's type, whose node is loaded. */
static void answer_at(struct work *work, const struct fr_owner *owner)
{
    uint16_t type = work->query->type == FR_DNS_ANY ? any_type(work, owner) : work->query->type;
    size_t at = 0;

    if (!work->room->node.exists) work->rcode = FR_DNS_NXDOMAIN;
    if (fr_zone_node_next(&work->room->node, owner, type, &at) == NULL)
        put_negative(work);
    else
        put_set(work, owner, type);
    /* who asks for an alias, or for anything at all, wants no more than that */
    if (work->query->type != FR_DNS_CNAME && work->query->type != FR_DNS_ANY &&
        work->rcode == FR_DNS_NOERROR)
        put_extras(work, owner);
}

/* ANY takes what is there, and types that may stand beside an alias are not looked for behind it
 * (RFC 4035 2.5, RFC 3007 2). */
static bool is_alias_followed(uint16_t type)
{
    switch (type) {
    case FR_DNS_CNAME:
    case FR_DNS_ANY:
    case FR_DNS_SIG:
    case FR_DNS_KEY:
    case FR_DNS_RRSIG:
    case FR_DNS_NSEC: return false;
    default: return true;
    }
}

/* Follows aliases to the name that has the last word, RFC 1034 4.3.2 step 3a. */
static void answer_name(struct work *work, struct fr_owner owner)
{
    struct fr_zone_node *node = &work->room->node;

    for (int hops = 0; hops < CHAIN_MAX; hops++) {
        size_t at = 0;
        work->fault = fr_zone_node_load(node, work->snap, work->asker, &owner, work->now_s);
        if (work->fault != FR_OK) return;
        owner = node->owner;
        const struct fr_record *alias = fr_zone_node_next(node, &owner, FR_DNS_CNAME, &at);
        if (alias != NULL && owner.kind == FR_OWNER_DEVEUI) {
            work->out->has_home = true;
            work->out->netid = alias->data.target.netid;
        }
        if (alias == NULL || !is_alias_followed(work->query->type)) {
            answer_at(work, &owner);
            return;
        }
        work->fault = put(work, FR_DNS_ANSWER, alias);
        if (work->fault != FR_OK) return;
        owner = alias->data.target;
    }
    work->fault = FR_E_INTERNAL; /* the zone's own forms have no such chain */
}

/* Types that ask for something other than records of a name (RFC 6895 3.1): the answer without
 * looking. */
static enum fr_dns_rcode check_type(uint16_t type)
{
    switch (type) {
    case FR_DNS_AXFR:
    case FR_DNS_IXFR:
    case FR_DNS_MAILA:
    case FR_DNS_MAILB: return FR_DNS_NOTIMP;
    case 0:
    case FR_DNS_OPT:
    case FR_DNS_TKEY:
    case FR_DNS_TSIG: return FR_DNS_FORMERR;
    default: return FR_DNS_NOERROR;
    }
}

static void refuse(struct work *work)
{
    work->rcode = FR_DNS_REFUSED;
    work->ede = FR_DNS_EDE_NOT_AUTHORITATIVE;
}

static void answer_question(struct work *work, struct fr_answer *out)
{
    const struct fr_dns_query *query = work->query;

    if (query->class != FR_DNS_IN) {
        refuse(work);
        return;
    }
    work->rcode = check_type(query->type);
    if (work->rcode != FR_DNS_NOERROR) return;
    enum fr_err err =
        fr_owner_read(fr_dname_span(&query->name), &work->room->zone.apex, &out->owner);
    if (err != FR_OK && err != FR_E_NOT_FOUND) {
        refuse(work);
        return;
    }
    out->is_in_zone = true;
    out->is_named = err == FR_OK;
    work->is_authoritative = true;
    if (out->is_named) {
        answer_name(work, out->owner);
    } else {
        work->rcode = FR_DNS_NXDOMAIN;
        put_negative(work);
    }
}

static uint16_t flags_of(const struct work *work)
{
    const struct fr_dns_query *query = work->query;
    unsigned flags = FR_DNS_QR | (unsigned)query->opcode << 11 | ((unsigned)work->rcode & 15);

    if (work->is_authoritative) flags |= FR_DNS_AA;
    if (query->recursion_desired) flags |= FR_DNS_RD;
    if (query->checking_disabled) flags |= FR_DNS_CD;
    return (uint16_t)flags;
}

/* Back to header and question. */
static void start(struct work *work)
{
    const struct fr_dns_query *query = work->query;

    fr_dns_writer_init(&work->writer, work->room->message, sizeof work->room->message, query->id,
                       0);
    /* cannot fail: it is the first thing in an empty message that has room for it */
    if (query->has_question)
        (void)fr_dns_write_question(&work->writer, &query->name, query->type, query->class);
    work->min_ttl_s = UINT32_MAX;
}

void fr_answer_general(struct fr_answer_room *room, struct fr_snap *snap,
                       const struct fr_asker *asker, const struct fr_dns_query *query,
                       int64_t now_s, struct fr_answer *out)
{
    struct work work = {
        .room = room,
        .snap = snap,
        .asker = asker,
        .query = query,
        .now_s = now_s,
        .rcode = query->rcode,
        .ede = FR_DNS_EDE_NONE,
        .out = out,
    };

    *out = (struct fr_answer){.type = query->type};
    start(&work);
    if (query->rcode == FR_DNS_NOERROR) answer_question(&work, out);
    if (work.fault != FR_OK) {
        start(&work);
        work.rcode = FR_DNS_SERVFAIL;
        work.is_authoritative = false;
    }
    if (query->edns.present)
        (void)fr_dns_write_opt(&work.writer, (unsigned)work.rcode, work.ede,
                               query->edns.padded ? PADDING_BLOCK : 0);
    fr_dns_writer_flags(&work.writer, flags_of(&work));
    out->message = fr_dns_writer_finish(&work.writer);
    out->rcode = work.rcode;
    out->is_cacheable = work.rcode == FR_DNS_NOERROR || work.rcode == FR_DNS_NXDOMAIN;
    out->max_age_s = out->is_cacheable ? work.min_ttl_s : 0;
    out->fault = work.fault;
}
