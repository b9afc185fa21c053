/* Records as text, for master files and for people. */
#include "dns/rr.h"

#include "base/addr.h"
#include "base/buf.h"

#include <string.h>

/* Always quoted: a blank or a semicolon inside then needs no thought. */
static void print_string(const uint8_t *p, size_t n, struct fr_buf *out)
{
    fr_buf_add_char(out, '"');
    for (size_t i = 0; i < n; i++) {
        if (p[i] < ' ' || p[i] >= 127)
            fr_buf_printf(out, "\\%03u", (unsigned)p[i]);
        else if (p[i] == '"' || p[i] == '\\')
            fr_buf_printf(out, "\\%c", p[i]);
        else
            fr_buf_add_char(out, (char)p[i]);
    }
    fr_buf_add_char(out, '"');
}

static void print_hex(struct fr_span bytes, struct fr_buf *out)
{
    for (size_t i = 0; i < bytes.n; i++) fr_buf_printf(out, "%02x", bytes.p[i]);
}

static void print_address(const struct fr_rr *rr, struct fr_buf *out)
{
    struct fr_ip ip = {.family = rr->type == FR_DNS_A ? 4 : 6};
    char text[FR_IP_TEXT];

    if (rr->type == FR_DNS_A)
        memcpy(ip.b, rr->data.a, 4);
    else
        memcpy(ip.b, rr->data.aaaa, 16);
    fr_ip_print(&ip, text);
    fr_buf_add_str(out, text);
}

static void print_soa(const struct fr_soa *soa, struct fr_buf *out)
{
    fr_dns_name_print(&soa->mname, out);
    fr_buf_add_char(out, ' ');
    fr_dns_name_print(&soa->rname, out);
    fr_buf_printf(out, " %u %u %u %u %u", soa->serial, soa->refresh, soa->retry, soa->expire,
                  soa->minimum);
}

static void print_txt(const struct fr_txt *txt, struct fr_buf *out)
{
    for (size_t at = 0; at < txt->n; at += txt->b[at] + 1u) {
        if (at > 0) fr_buf_add_char(out, ' ');
        print_string(txt->b + at + 1, txt->b[at], out);
    }
}

static void print_naptr(const struct fr_naptr *naptr, struct fr_buf *out)
{
    const struct fr_dns_string *strings[] = {&naptr->flags, &naptr->services, &naptr->regexp};

    fr_buf_printf(out, "%u %u ", naptr->order, naptr->preference);
    for (size_t i = 0; i < 3; i++) {
        print_string(strings[i]->b, strings[i]->n, out);
        fr_buf_add_char(out, ' ');
    }
    fr_dns_name_print(&naptr->replacement, out);
}

enum fr_err fr_rdata_print(const struct fr_rr *rr, struct fr_buf *out)
{
    switch (rr->type) {
    case FR_DNS_A:
    case FR_DNS_AAAA: print_address(rr, out); break;
    case FR_DNS_NS:
    case FR_DNS_CNAME: fr_dns_name_print(&rr->data.name, out); break;
    case FR_DNS_SOA: print_soa(&rr->data.soa, out); break;
    case FR_DNS_TXT: print_txt(&rr->data.txt, out); break;
    case FR_DNS_NAPTR: print_naptr(&rr->data.naptr, out); break;
    case FR_DNS_HINFO:
        print_string(rr->data.hinfo.cpu.b, rr->data.hinfo.cpu.n, out);
        fr_buf_add_char(out, ' ');
        print_string(rr->data.hinfo.os.b, rr->data.hinfo.os.n, out);
        break;
    case FR_DNS_SRV:
        fr_buf_printf(out, "%u %u %u ", rr->data.srv.priority, rr->data.srv.weight,
                      rr->data.srv.port);
        fr_dns_name_print(&rr->data.srv.target, out);
        break;
    case FR_DNS_TLSA:
        fr_buf_printf(out, "%u %u %u ", rr->data.tlsa.usage, rr->data.tlsa.selector,
                      rr->data.tlsa.matching);
        print_hex(fr_span(rr->data.tlsa.data, rr->data.tlsa.n), out);
        break;
    default: /* RFC 3597 5 */
        fr_buf_printf(out, "\\# %zu%s", rr->data.raw.n, rr->data.raw.n > 0 ? " " : "");
        print_hex(rr->data.raw, out);
        break;
    }
    return fr_buf_err(out);
}

enum fr_err fr_rr_print(const struct fr_rr *rr, struct fr_buf *out)
{
    char type[FR_DNS_TYPE_TEXT_SIZE];

    fr_dns_name_print(&rr->owner, out);
    fr_buf_printf(out, "\t%u\t", rr->ttl);
    if (rr->class == FR_DNS_IN)
        fr_buf_add_str(out, "IN");
    else
        fr_buf_printf(out, "CLASS%u", rr->class);
    fr_buf_printf(out, "\t%s\t", fr_dns_type_print(rr->type, type));
    (void)fr_rdata_print(rr, out); /* the buffer keeps the error */
    fr_buf_add_char(out, '\n');
    return fr_buf_err(out);
}
