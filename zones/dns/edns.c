#include "dns/edns.h"

#include "base/wire.h"
#include "dns/rr.h"

static void option_read(struct fr_rd *r, struct fr_edns *out)
{
    uint16_t code = fr_rd_u16(r);
    struct fr_rd body = fr_rd(fr_rd_span(r, fr_rd_u16(r)));

    if (fr_rd_err(r) != FR_OK) return;
    switch (code) {
    case FR_DNS_OPTION_PADDING: out->padded = true; break;
    case FR_DNS_OPTION_EDE: {
        uint16_t ede = fr_rd_u16(&body); /* text may follow; it is for people */
        if (fr_rd_err(&body) != FR_OK) fr_rd_fail(r, FR_E_MALFORMED);
        if (out->ede == FR_DNS_EDE_NONE) out->ede = ede;
        break;
    }
    default: break;
    }
}

void fr_edns_read(const struct fr_rr *opt, struct fr_rd *r, struct fr_edns *out)
{
    struct fr_rd options = fr_rd(opt->data.raw);

    *out = (struct fr_edns){
        .present = true,
        .dnssec_ok = (opt->ttl & 0x8000) != 0,
        .version = opt->ttl >> 16 & 0xff,
        .rcode_high = (uint8_t)(opt->ttl >> 24),
        .udp_size = opt->class,
        .ede = FR_DNS_EDE_NONE,
    };
    while (fr_rd_left(&options) > 0) option_read(&options, out);
    if (opt->owner.n != 1 || fr_rd_err(&options) != FR_OK) fr_rd_fail(r, FR_E_MALFORMED);
}
