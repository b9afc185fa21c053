#include "dns/notify.h"

#include "base/wire.h"
#include "dns/message.h"
#include "dns/rr.h"

enum fr_err fr_notify_read(struct fr_span message, struct fr_notify *out)
{
    struct fr_rd r = fr_rd(message);
    struct fr_notify notify = {.rcode = FR_DNS_FORMERR};

    notify.id = fr_rd_u16(&r);
    uint16_t flags = fr_rd_u16(&r);
    unsigned questions = fr_rd_u16(&r), records = fr_rd_u16(&r);
    records += fr_rd_u16(&r);
    records += fr_rd_u16(&r);
    if (fr_rd_err(&r)) return FR_E_TRUNCATED;
    if ((flags & FR_DNS_QR) != 0) return FR_E_MALFORMED;
    notify.opcode = flags >> 11 & 15;
    if (notify.opcode != FR_DNS_NOTIFY) {
        notify.rcode = FR_DNS_NOTIMP;
    } else if (questions == 1) {
        fr_dns_name_read(&r, &notify.zone);
        uint16_t type = fr_rd_u16(&r), class = fr_rd_u16(&r);
        notify.has_question = fr_rd_err(&r) == FR_OK && type == FR_DNS_SOA && class == FR_DNS_IN;
        fr_rr_skip(&r, records);
        if (fr_rd_end(&r) == FR_OK && notify.has_question) notify.rcode = FR_DNS_NOERROR;
    }
    *out = notify;
    return FR_OK;
}

enum fr_err fr_notify_answer_write(const struct fr_notify *notify, enum fr_dns_rcode rcode,
                                   uint8_t *memory, size_t max, size_t *n)
{
    struct fr_dns_writer w;
    uint16_t flags = (uint16_t)(FR_DNS_QR | notify->opcode << 11 | ((int)rcode & 15));

    if (notify->opcode == FR_DNS_NOTIFY) flags |= FR_DNS_AA;
    fr_dns_writer_init(&w, memory, max, notify->id, flags);
    if (notify->has_question) {
        enum fr_err err = fr_dns_write_question(&w, &notify->zone, FR_DNS_SOA, FR_DNS_IN);
        if (err) return err;
    }
    *n = fr_dns_writer_finish(&w).n;
    return *n > 0 ? FR_OK : FR_E_LIMIT;
}
