#include "dns/message.h"

#include <string.h>

#include "base/wire.h"

void fr_dns_writer_init(struct fr_dns_writer *w, uint8_t *memory, size_t max, uint16_t id,
                        uint16_t flags)
{
    if (max > FR_DNS_MESSAGE_MAX) max = FR_DNS_MESSAGE_MAX;
    *w = (struct fr_dns_writer){.bytes = fr_wr(memory, max)};
    fr_wr_u16(&w->bytes, id);
    fr_wr_u16(&w->bytes, flags);
    fr_wr_zero(&w->bytes, 8); /* the counts, put in by finish */
}

void fr_dns_writer_flags(struct fr_dns_writer *w, uint16_t flags)
{
    fr_wr_put_u16(&w->bytes, 2, flags);
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

/* Does the name written at `at` (perhaps through pointers, all ours) equal the uncompressed
 * labels at p? */
static bool is_name_at(const struct fr_dns_writer *w, size_t at, const uint8_t *p)
{
    const uint8_t *m = w->bytes.p;

    for (;;) {
        while ((m[at] & 0xc0) == 0xc0) at = (size_t)(m[at] & 0x3f) << 8 | m[at + 1];
        if (m[at] != *p) return false;
        unsigned length = *p;
        if (length == 0) return true;
        for (unsigned i = 1; i <= length; i++)
            if (lower(m[at + i]) != lower(p[i])) return false;
        at += length + 1;
        p += length + 1;
    }
}

/* Writes a name, its tail as a pointer when the same tail stands earlier. Its own labels become
 * targets only when it is wholly written, so a comparison never meets a name without an end. */
static void write_name(struct fr_dns_writer *w, const struct fr_dname *name)
{
    unsigned known = w->n_known;

    for (unsigned at = 0; name->b[at] != 0; at += name->b[at] + 1u) {
        for (unsigned i = 0; i < w->n_known; i++) {
            if (!is_name_at(w, w->known[i], name->b + at)) continue;
            fr_wr_u16(&w->bytes, (uint16_t)(0xc000 | w->known[i]));
            goto out;
        }
        if (known < FR_DNS_COMPRESS_MAX && w->bytes.at < 0x4000)
            w->known[known++] = (uint16_t)w->bytes.at;
        fr_wr_bytes(&w->bytes, name->b + at, name->b[at] + 1u);
    }
    fr_wr_u8(&w->bytes, 0);
out:
    if (fr_wr_err(&w->bytes) == FR_OK) w->n_known = known;
}

/* For SRV and NAPTR, whose targets no receiver need decompress: RFC 2782, RFC 3597 4. */
static void write_plain_name(struct fr_dns_writer *w, const struct fr_dname *name)
{
    fr_wr_bytes(&w->bytes, name->b, name->n);
}

static void write_string(struct fr_dns_writer *w, const struct fr_dns_string *string)
{
    fr_wr_u8(&w->bytes, string->n);
    fr_wr_bytes(&w->bytes, string->b, string->n);
}

static void write_soa(struct fr_dns_writer *w, const struct fr_soa *soa)
{
    write_name(w, &soa->mname);
    write_name(w, &soa->rname);
    fr_wr_u32(&w->bytes, soa->serial);
    fr_wr_u32(&w->bytes, soa->refresh);
    fr_wr_u32(&w->bytes, soa->retry);
    fr_wr_u32(&w->bytes, soa->expire);
    fr_wr_u32(&w->bytes, soa->minimum);
}

static void write_srv(struct fr_dns_writer *w, const struct fr_srv *srv)
{
    fr_wr_u16(&w->bytes, srv->priority);
    fr_wr_u16(&w->bytes, srv->weight);
    fr_wr_u16(&w->bytes, srv->port);
    write_plain_name(w, &srv->target);
}

static void write_naptr(struct fr_dns_writer *w, const struct fr_naptr *naptr)
{
    fr_wr_u16(&w->bytes, naptr->order);
    fr_wr_u16(&w->bytes, naptr->preference);
    write_string(w, &naptr->flags);
    write_string(w, &naptr->services);
    write_string(w, &naptr->regexp);
    write_plain_name(w, &naptr->replacement);
}

static void write_tlsa(struct fr_dns_writer *w, const struct fr_tlsa *tlsa)
{
    fr_wr_u8(&w->bytes, tlsa->usage);
    fr_wr_u8(&w->bytes, tlsa->selector);
    fr_wr_u8(&w->bytes, tlsa->matching);
    fr_wr_bytes(&w->bytes, tlsa->data, tlsa->n);
}

static void write_rdata(struct fr_dns_writer *w, const struct fr_rr *rr)
{
    switch (rr->type) {
    case FR_DNS_A: fr_wr_bytes(&w->bytes, rr->data.a, 4); break;
    case FR_DNS_AAAA: fr_wr_bytes(&w->bytes, rr->data.aaaa, 16); break;
    case FR_DNS_NS:
    case FR_DNS_CNAME: write_name(w, &rr->data.name); break;
    case FR_DNS_SOA: write_soa(w, &rr->data.soa); break;
    case FR_DNS_TXT: fr_wr_bytes(&w->bytes, rr->data.txt.b, rr->data.txt.n); break;
    case FR_DNS_SRV: write_srv(w, &rr->data.srv); break;
    case FR_DNS_NAPTR: write_naptr(w, &rr->data.naptr); break;
    case FR_DNS_TLSA: write_tlsa(w, &rr->data.tlsa); break;
    case FR_DNS_HINFO:
        write_string(w, &rr->data.hinfo.cpu);
        write_string(w, &rr->data.hinfo.os);
        break;
    default: fr_wr_span(&w->bytes, rr->data.raw); break;
    }
}

/* Keeps what was written since `start`, or takes it all back. */
static enum fr_err settle(struct fr_dns_writer *w, size_t start, unsigned known, unsigned section)
{
    enum fr_err err = fr_wr_err(&w->bytes);

    if (err == FR_OK) {
        w->section = section;
        w->count[section]++;
        return FR_OK;
    }
    w->bytes.at = start;
    w->bytes.err = FR_OK;
    w->n_known = known;
    return err;
}

enum fr_err fr_dns_write_question(struct fr_dns_writer *w, const struct fr_dname *name,
                                  uint16_t type, uint16_t class)
{
    size_t start = w->bytes.at;
    unsigned known = w->n_known;

    if (start != FR_DNS_HEADER_SIZE) return FR_E_INTERNAL;
    write_name(w, name);
    fr_wr_u16(&w->bytes, type);
    fr_wr_u16(&w->bytes, class);
    return settle(w, start, known, 0);
}

enum fr_err fr_dns_write_rr(struct fr_dns_writer *w, enum fr_dns_section section,
                            const struct fr_rr *rr)
{
    size_t start = w->bytes.at;
    unsigned known = w->n_known;
    unsigned index = (unsigned)section + 1;

    if (index < w->section || w->count[index] == UINT16_MAX) return FR_E_INTERNAL;
    write_name(w, &rr->owner);
    fr_wr_u16(&w->bytes, rr->type);
    fr_wr_u16(&w->bytes, rr->class);
    fr_wr_u32(&w->bytes, rr->ttl);
    size_t length_at = w->bytes.at;
    fr_wr_u16(&w->bytes, 0);
    write_rdata(w, rr);
    size_t length = w->bytes.at - length_at - 2;
    if (length > UINT16_MAX) fr_wr_fail(&w->bytes, FR_E_LIMIT);
    if (fr_wr_err(&w->bytes) == FR_OK) fr_wr_put_u16(&w->bytes, length_at, (uint16_t)length);
    return settle(w, start, known, index);
}

enum fr_err fr_dns_write_opt(struct fr_dns_writer *w, unsigned rcode, int ede, size_t pad_to)
{
    size_t start = w->bytes.at;

    fr_wr_u8(&w->bytes, 0); /* the root */
    fr_wr_u16(&w->bytes, FR_DNS_OPT);
    fr_wr_u16(&w->bytes, FR_DNS_UDP_SIZE);
    fr_wr_u8(&w->bytes, (uint8_t)(rcode >> 4));
    fr_wr_u8(&w->bytes, 0);  /* version */
    fr_wr_u16(&w->bytes, 0); /* flags */
    size_t length_at = w->bytes.at;
    fr_wr_u16(&w->bytes, 0);
    if (ede != FR_DNS_EDE_NONE) {
        fr_wr_u16(&w->bytes, FR_DNS_OPTION_EDE);
        fr_wr_u16(&w->bytes, 2);
        fr_wr_u16(&w->bytes, (uint16_t)ede);
    }
    if (pad_to > 0) {
        fr_wr_u16(&w->bytes, FR_DNS_OPTION_PADDING);
        size_t size = w->bytes.at + 2;
        size_t padding = (pad_to - size % pad_to) % pad_to;
        fr_wr_u16(&w->bytes, (uint16_t)padding);
        fr_wr_zero(&w->bytes, padding);
    }
    if (fr_wr_err(&w->bytes) == FR_OK)
        fr_wr_put_u16(&w->bytes, length_at, (uint16_t)(w->bytes.at - length_at - 2));
    return settle(w, start, w->n_known, (unsigned)FR_DNS_ADDITIONAL + 1);
}

struct fr_span fr_dns_writer_finish(struct fr_dns_writer *w)
{
    for (unsigned i = 0; i < 4; i++) fr_wr_put_u16(&w->bytes, 4 + 2 * i, w->count[i]);
    return fr_wr_done(&w->bytes);
}
