#include "dns/rr.h"

#include <string.h>

#include "base/wire.h"

static void string_read(struct fr_rd *r, struct fr_dns_string *out)
{
    out->n = fr_rd_u8(r);
    fr_rd_bytes(r, out->b, out->n);
}

static void soa_read(struct fr_rd *r, struct fr_soa *out)
{
    fr_dns_name_read(r, &out->mname);
    fr_dns_name_read(r, &out->rname);
    out->serial = fr_rd_u32(r);
    out->refresh = fr_rd_u32(r);
    out->retry = fr_rd_u32(r);
    out->expire = fr_rd_u32(r);
    out->minimum = fr_rd_u32(r);
}

static void srv_read(struct fr_rd *r, struct fr_srv *out)
{
    out->priority = fr_rd_u16(r);
    out->weight = fr_rd_u16(r);
    out->port = fr_rd_u16(r);
    fr_dns_name_read(r, &out->target);
}

static void naptr_read(struct fr_rd *r, struct fr_naptr *out)
{
    out->order = fr_rd_u16(r);
    out->preference = fr_rd_u16(r);
    string_read(r, &out->flags);
    string_read(r, &out->services);
    string_read(r, &out->regexp);
    fr_dns_name_read(r, &out->replacement);
}

static void hinfo_read(struct fr_rd *r, struct fr_hinfo *out)
{
    string_read(r, &out->cpu);
    string_read(r, &out->os);
}

static void tlsa_read(struct fr_rd *r, size_t length, struct fr_tlsa *out)
{
    out->usage = fr_rd_u8(r);
    out->selector = fr_rd_u8(r);
    out->matching = fr_rd_u8(r);
    /* matching type 0 carries a whole certificate: we publish hashes only, and a longer one is
     * of no use to us */
    if (length < 4 || length > 3 + FR_DNS_TLSA_MAX) {
        fr_rd_fail(r, FR_E_MALFORMED);
        return;
    }
    out->n = (uint8_t)(length - 3);
    fr_rd_bytes(r, out->data, out->n);
}

static void txt_read(struct fr_rd *r, size_t length, struct fr_txt *out)
{
    if (length == 0 || length > FR_DNS_TEXT_MAX) {
        fr_rd_fail(r, FR_E_MALFORMED);
        return;
    }
    out->n = (uint16_t)length;
    fr_rd_bytes(r, out->b, length);
    /* the strings must fill the RDATA exactly */
    for (size_t at = 0; at < length; at += out->b[at] + 1u)
        if (at + out->b[at] >= length) fr_rd_fail(r, FR_E_MALFORMED);
}

void fr_rr_read(struct fr_rd *r, struct fr_rr *out)
{
    fr_dns_name_read(r, &out->owner);
    out->type = fr_rd_u16(r);
    out->class = fr_rd_u16(r);
    out->ttl = fr_rd_u32(r);
    if (out->type != FR_DNS_OPT && out->ttl > INT32_MAX) out->ttl = 0;

    size_t length = fr_rd_u16(r);
    if (length > fr_rd_left(r)) fr_rd_fail(r, FR_E_TRUNCATED);
    if (fr_rd_err(r) != FR_OK) return;
    size_t end = r->at + length;

    switch (out->type) {
    case FR_DNS_A: fr_rd_bytes(r, out->data.a, 4); break;
    case FR_DNS_AAAA: fr_rd_bytes(r, out->data.aaaa, 16); break;
    case FR_DNS_NS:
    case FR_DNS_CNAME: fr_dns_name_read(r, &out->data.name); break;
    case FR_DNS_SOA: soa_read(r, &out->data.soa); break;
    case FR_DNS_HINFO: hinfo_read(r, &out->data.hinfo); break;
    case FR_DNS_TXT: txt_read(r, length, &out->data.txt); break;
    case FR_DNS_SRV: srv_read(r, &out->data.srv); break;
    case FR_DNS_NAPTR: naptr_read(r, &out->data.naptr); break;
    case FR_DNS_TLSA: tlsa_read(r, length, &out->data.tlsa); break;
    default: out->data.raw = fr_rd_span(r, length); break;
    }
    if (fr_rd_err(r) == FR_OK && r->at != end) fr_rd_fail(r, FR_E_MALFORMED);
}

void fr_rr_skip(struct fr_rd *r, unsigned n)
{
    struct fr_dname name;

    for (; n > 0 && fr_rd_err(r) == FR_OK; n--) {
        fr_dns_name_read(r, &name);
        fr_rd_skip(r, 8);
        fr_rd_skip(r, fr_rd_u16(r));
    }
}

enum fr_err fr_txt_add(struct fr_txt *txt, const char *text)
{
    size_t length = strlen(text);
    size_t pieces = length == 0 ? 1 : (length + 254) / 255;

    if (txt->n + length + pieces > FR_DNS_TEXT_MAX) return FR_E_LIMIT;
    for (; pieces > 0; pieces--) {
        size_t piece = length > 255 ? 255 : length;
        txt->b[txt->n++] = (uint8_t)piece;
        memcpy(txt->b + txt->n, text, piece);
        txt->n = (uint16_t)(txt->n + piece);
        text += piece;
        length -= piece;
    }
    return FR_OK;
}
