#include "dns/xfr_ask.h"

#include "base/wire.h"
#include "dns/message.h"

/* The secondary's own SOA, of which the serial counts. RFC 1995 3 */
static void read_serial(struct fr_rd *r, struct fr_xfr_ask *ask)
{
    struct fr_rr rr;

    fr_rr_read(r, &rr);
    if (fr_rd_err(r)) return;
    if (rr.type != FR_DNS_SOA || rr.class != FR_DNS_IN ||
        !fr_dname_equal(fr_dname_span(&rr.owner), fr_dname_span(&ask->zone))) {
        fr_rd_fail(r, FR_E_MALFORMED);
        return;
    }
    ask->have = rr.data.soa.serial;
}

enum fr_err fr_xfr_ask_read(struct fr_span message, struct fr_xfr_ask *out)
{
    struct fr_rd r = fr_rd(message);
    struct fr_xfr_ask ask = {.rcode = FR_DNS_FORMERR};

    ask.id = fr_rd_u16(&r);
    const uint16_t flags = fr_rd_u16(&r);
    const unsigned questions = fr_rd_u16(&r), answers = fr_rd_u16(&r), authority = fr_rd_u16(&r),
                   additional = fr_rd_u16(&r);
    if (fr_rd_err(&r)) return FR_E_TRUNCATED;
    if ((flags & FR_DNS_QR) != 0) return FR_E_MALFORMED;
    ask.opcode = flags >> 11 & 15;
    ask.recursion_desired = (flags & FR_DNS_RD) != 0;
    if (ask.opcode != FR_DNS_QUERY) {
        ask.rcode = FR_DNS_NOTIMP;
    } else if (questions == 1) {
        fr_dns_name_read(&r, &ask.zone);
        ask.type = fr_rd_u16(&r);
        const uint16_t class = fr_rd_u16(&r);
        ask.has_question = fr_rd_err(&r) == FR_OK && class == FR_DNS_IN;
        const bool is_ixfr = ask.type == FR_DNS_IXFR;
        if (answers != 0 || authority != (is_ixfr ? 1u : 0u)) fr_rd_fail(&r, FR_E_MALFORMED);
        if (is_ixfr && ask.has_question && !fr_rd_err(&r)) read_serial(&r, &ask);
        fr_rr_skip(&r, additional);
        if (fr_rd_end(&r) == FR_OK && ask.has_question)
            ask.rcode = is_ixfr || ask.type == FR_DNS_AXFR || ask.type == FR_DNS_SOA
                            ? FR_DNS_NOERROR
                            : FR_DNS_REFUSED;
    }
    *out = ask;
    return FR_OK;
}

enum fr_err fr_xfr_answer_write(const struct fr_xfr_ask *ask, enum fr_dns_rcode rcode,
                                const struct fr_rr *soa, uint8_t *memory, size_t max, size_t *n)
{
    struct fr_dns_writer w;
    uint16_t flags = (uint16_t)(FR_DNS_QR | ask->opcode << 11 | ((int)rcode & 15));
    enum fr_err err = FR_OK;

    if (soa) flags |= FR_DNS_AA;
    if (ask->recursion_desired) flags |= FR_DNS_RD;
    fr_dns_writer_init(&w, memory, max, ask->id, flags);
    if (ask->has_question) err = fr_dns_write_question(&w, &ask->zone, ask->type, FR_DNS_IN);
    if (!err && soa) err = fr_dns_write_rr(&w, FR_DNS_ANSWER, soa);
    if (err) return err;
    *n = fr_dns_writer_finish(&w).n;
    return *n > 0 ? FR_OK : FR_E_LIMIT;
}
