#include "dns/query.h"

#include "base/buf.h"
#include "base/wire.h"
#include "dns/edns.h"
#include "dns/message.h"

enum { QUERY_MAX = 1024 }; /* the longest name, OPT, and padding to a multiple of 512 */

struct header {
    uint16_t id, flags;
    uint16_t count[4];
};

static void header_read(struct fr_rd *r, struct header *out)
{
    out->id = fr_rd_u16(r);
    out->flags = fr_rd_u16(r);
    for (int i = 0; i < 4; i++) out->count[i] = fr_rd_u16(r);
}

/* The additional section of a query: at most one OPT and at most one TSIG, which is last;
 * nothing else belongs there. */
static void additional_read(struct fr_rd *r, unsigned count, struct fr_dns_query *q)
{
    for (unsigned i = 0; i < count && fr_rd_err(r) == FR_OK; i++) {
        struct fr_rr rr;
        fr_rr_read(r, &rr);
        if (fr_rd_err(r) != FR_OK) return;
        if (rr.type == FR_DNS_OPT && !q->edns.present)
            fr_edns_read(&rr, r, &q->edns);
        else if (rr.type == FR_DNS_TSIG && i + 1 == count)
            q->signed_tsig = true;
        else
            fr_rd_fail(r, FR_E_MALFORMED);
    }
}

enum fr_err fr_dns_query_read(struct fr_span message, struct fr_dns_query *q)
{
    struct fr_rd r = fr_rd(message);
    struct header h;

    header_read(&r, &h);
    if (fr_rd_err(&r) != FR_OK) return FR_E_TRUNCATED;
    *q = (struct fr_dns_query){
        .id = h.id,
        .opcode = h.flags >> 11 & 15,
        .recursion_desired = (h.flags & FR_DNS_RD) != 0,
        .checking_disabled = (h.flags & FR_DNS_CD) != 0,
        .rcode = FR_DNS_FORMERR,
        .edns.ede = FR_DNS_EDE_NONE,
        .wire = message,
    };
    if ((h.flags & FR_DNS_QR) != 0) return FR_OK;
    if (q->opcode != FR_DNS_QUERY) {
        /* the body of NOTIFY, UPDATE and the like has rules of its own, and we know none of them */
        q->rcode = FR_DNS_NOTIMP;
        return FR_OK;
    }
    if (h.count[0] != 1) return FR_OK;
    fr_dns_name_read(&r, &q->name);
    q->type = fr_rd_u16(&r);
    q->class = fr_rd_u16(&r);
    if (fr_rd_err(&r) != FR_OK) return FR_OK;
    q->has_question = true;

    if (h.count[1] != 0 || h.count[2] != 0) return FR_OK;
    additional_read(&r, h.count[3], q);
    if (fr_rd_end(&r) != FR_OK) return FR_OK;
    q->rcode = q->edns.present && q->edns.version != 0 ? FR_DNS_BADVERS : FR_DNS_NOERROR;
    return FR_OK;
}

enum fr_err fr_dns_query_write(const struct fr_dname *name, uint16_t type, size_t pad_to,
                               struct fr_buf *out)
{
    uint8_t memory[QUERY_MAX];
    struct fr_dns_writer w;

    fr_dns_writer_init(&w, memory, sizeof memory, 0, 0);
    enum fr_err err = fr_dns_write_question(&w, name, type, FR_DNS_IN);
    if (err == FR_OK && pad_to > 0) err = fr_dns_write_opt(&w, 0, FR_DNS_EDE_NONE, pad_to);
    if (err != FR_OK) return err;
    fr_buf_add_span(out, fr_dns_writer_finish(&w));
    return fr_buf_err(out);
}
