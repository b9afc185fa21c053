#include "dns/types.h"

#include <stdio.h>
#include <strings.h>

#include "base/parse.h"

static const struct {
    uint16_t type;
    const char *text;
} TYPES[] = {
    {FR_DNS_A, "A"},         {FR_DNS_NS, "NS"},       {FR_DNS_CNAME, "CNAME"},
    {FR_DNS_SOA, "SOA"},     {FR_DNS_HINFO, "HINFO"}, {FR_DNS_TXT, "TXT"},
    {FR_DNS_AAAA, "AAAA"},   {FR_DNS_SRV, "SRV"},     {FR_DNS_NAPTR, "NAPTR"},
    {FR_DNS_OPT, "OPT"},     {FR_DNS_TLSA, "TLSA"},   {FR_DNS_TKEY, "TKEY"},
    {FR_DNS_KEY, "KEY"},     {FR_DNS_NSEC, "NSEC"},   {FR_DNS_SIG, "SIG"},
    {FR_DNS_RRSIG, "RRSIG"}, {FR_DNS_TSIG, "TSIG"},   {FR_DNS_IXFR, "IXFR"},
    {FR_DNS_AXFR, "AXFR"},   {FR_DNS_MAILB, "MAILB"}, {FR_DNS_MAILA, "MAILA"},
    {FR_DNS_ANY, "ANY"},
};

enum { TYPE_COUNT = sizeof TYPES / sizeof TYPES[0] };

const char *fr_dns_type_print(uint16_t type, char out[static FR_DNS_TYPE_TEXT_SIZE])
{
    for (size_t i = 0; i < TYPE_COUNT; i++) {
        if (TYPES[i].type != type) continue;
        (void)snprintf(out, FR_DNS_TYPE_TEXT_SIZE, "%s", TYPES[i].text);
        return out;
    }
    (void)snprintf(out, FR_DNS_TYPE_TEXT_SIZE, "TYPE%u", (unsigned)type);
    return out;
}

bool fr_dns_type_parse(const char *text, uint16_t *out)
{
    uint64_t number = 0;

    for (size_t i = 0; i < TYPE_COUNT; i++) {
        if (strcasecmp(TYPES[i].text, text) != 0) continue;
        *out = TYPES[i].type;
        return true;
    }
    if (strncasecmp(text, "TYPE", 4) != 0) return false;
    if (fr_parse_u64(fr_span_str(text + 4), 0, UINT16_MAX, &number) != FR_OK) return false;
    *out = (uint16_t)number;
    return true;
}

const char *fr_dns_rcode_text(unsigned rcode)
{
    switch (rcode) {
    case FR_DNS_NOERROR: return "NOERROR";
    case FR_DNS_FORMERR: return "FORMERR";
    case FR_DNS_SERVFAIL: return "SERVFAIL";
    case FR_DNS_NXDOMAIN: return "NXDOMAIN";
    case FR_DNS_NOTIMP: return "NOTIMP";
    case FR_DNS_REFUSED: return "REFUSED";
    case FR_DNS_NOTAUTH: return "NOTAUTH";
    case FR_DNS_BADVERS: return "BADVERS";
    default: return "RCODE";
    }
}
