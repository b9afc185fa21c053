#include "answer/zone.h"

#include <stdio.h>
#include <string.h>

enum fr_err fr_zone_init(struct fr_zone *zone, const char *federation)
{
    const struct fr_owner broker = {.kind = FR_OWNER_BROKER};
    char rname[FR_OWNER_TEXT];

    int n = snprintf(rname, sizeof rname, "%s.%s", FR_RECORD_RNAME, federation);
    if (n < 0 || (size_t)n >= sizeof rname) return FR_E_INVALID;
    enum fr_err err = fr_dname_parse(fr_span_str(federation), &zone->apex);
    if (err == FR_OK) err = fr_dname_parse(fr_span_str(rname), &zone->rname);
    if (err == FR_OK) err = fr_dname_parse(fr_span_str(FR_RECORD_NS_TARGET), &zone->ns);
    if (err == FR_OK) err = fr_owner_write(&broker, &zone->apex, &zone->mname);
    return err == FR_OK ? FR_OK : FR_E_INVALID;
}

static void soa_rr(const struct fr_zone *zone, const struct fr_record *record, struct fr_soa *out)
{
    out->mname = zone->mname;
    out->rname = zone->rname;
    out->serial = record->data.soa.serial;
    out->refresh = record->data.soa.refresh_s;
    out->retry = record->data.soa.retry_s;
    out->expire = record->data.soa.expire_s;
    out->minimum = record->data.soa.minimum_s;
}

static enum fr_err srv_rr(const struct fr_zone *zone, const struct fr_record *record,
                          struct fr_srv *out)
{
    out->priority = record->data.srv.priority;
    out->weight = record->data.srv.weight;
    out->port = record->data.srv.port;
    if (record->data.srv.host[0] != '\0')
        return fr_dname_parse(fr_span_str(record->data.srv.host), &out->target);
    return fr_owner_write(&record->data.srv.target, &zone->apex, &out->target);
}

static void string_rr(const char *text, struct fr_dns_string *out)
{
    out->n = (uint8_t)strlen(text); /* the store's texts are shorter than their small arrays */
    memcpy(out->b, text, out->n);
}

static enum fr_err naptr_rr(const struct fr_zone *zone, const struct fr_record *record,
                            struct fr_naptr *out)
{
    out->order = record->data.naptr.order;
    out->preference = record->data.naptr.preference;
    string_rr(record->data.naptr.flags, &out->flags);
    string_rr(record->data.naptr.service, &out->services);
    string_rr("", &out->regexp);
    return fr_owner_write(&record->data.naptr.target, &zone->apex, &out->replacement);
}

static void tlsa_rr(const struct fr_record *record, struct fr_tlsa *out)
{
    out->usage = record->data.tlsa.usage;
    out->selector = record->data.tlsa.selector;
    out->matching = record->data.tlsa.matching;
    out->n = sizeof record->data.tlsa.hash;
    memcpy(out->data, record->data.tlsa.hash, out->n);
}

enum fr_err fr_zone_rr(const struct fr_zone *zone, const struct fr_record *record,
                       struct fr_rr *out)
{
    enum fr_err err = fr_owner_write(&record->owner, &zone->apex, &out->owner);

    if (err != FR_OK) return err;
    out->type = (uint16_t)record->type;
    out->class = FR_DNS_IN;
    out->ttl = record->ttl_s;
    switch (record->type) {
    case FR_RECORD_A: memcpy(out->data.a, record->data.addr, 4); break;
    case FR_RECORD_AAAA: memcpy(out->data.aaaa, record->data.addr, 16); break;
    case FR_RECORD_NS: out->data.name = zone->ns; break;
    case FR_RECORD_CNAME: return fr_owner_write(&record->data.target, &zone->apex, &out->data.name);
    case FR_RECORD_SOA: soa_rr(zone, record, &out->data.soa); break;
    case FR_RECORD_TXT: out->data.txt.n = 0; return fr_txt_add(&out->data.txt, record->data.txt);
    case FR_RECORD_SRV: return srv_rr(zone, record, &out->data.srv);
    case FR_RECORD_NAPTR: return naptr_rr(zone, record, &out->data.naptr);
    case FR_RECORD_TLSA: tlsa_rr(record, &out->data.tlsa); break;
    }
    return FR_OK;
}
