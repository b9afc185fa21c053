#include "dns/xfr.h"

#include "base/wire.h"
#include "dns/message.h"
#include "dns/name.h"

bool fr_serial_is_later(uint32_t a, uint32_t b)
{
    return a != b && a - b < 0x80000000u;
}

enum fr_err fr_xfr_question_write(const struct fr_dname *zone, uint16_t type, uint16_t id,
                                  uint32_t have, uint8_t *memory, size_t max, size_t *n)
{
    struct fr_dns_writer w;
    struct fr_rr soa = {.owner = *zone, .type = FR_DNS_SOA, .class = FR_DNS_IN};

    fr_dns_writer_init(&w, memory, max, id, 0);
    enum fr_err err = fr_dns_write_question(&w, zone, type, FR_DNS_IN);
    if (err == FR_OK && type == FR_DNS_IXFR) {
        /* of this SOA only the serial has a meaning (RFC 1995 3) */
        soa.data.soa.mname = soa.data.soa.rname = (struct fr_dname){.n = 1};
        soa.data.soa.serial = have;
        err = fr_dns_write_rr(&w, FR_DNS_AUTHORITY, &soa);
    }
    if (err) return err;
    *n = fr_dns_writer_finish(&w).n;
    return *n > 0 ? FR_OK : FR_E_LIMIT;
}

/* --- one message --- */

struct head {
    uint16_t id, flags, questions, answers, authorities, additional;
};

static void head_read(struct fr_rd *r, struct head *out)
{
    out->id = fr_rd_u16(r);
    out->flags = fr_rd_u16(r);
    out->questions = fr_rd_u16(r);
    out->answers = fr_rd_u16(r);
    out->authorities = fr_rd_u16(r);
    out->additional = fr_rd_u16(r);
}

static enum fr_err say(const char **why, enum fr_err err, const char *text)
{
    *why = text;
    return err;
}

/* Header and question of a message that answers ours. A refusal may come without a question. */
static enum fr_err open_answer(struct fr_rd *r, const struct fr_dname *zone, uint16_t type,
                               uint16_t id, bool is_first, struct head *head, unsigned *rcode,
                               const char **why)
{
    struct fr_dname name;

    head_read(r, head);
    if (fr_rd_err(r)) return say(why, FR_E_TRUNCATED, "the message is shorter than a header");
    if ((head->flags & FR_DNS_QR) == 0 || (head->flags >> 11 & 15) != FR_DNS_QUERY)
        return say(why, FR_E_MALFORMED, "the message is no answer");
    if (head->id != id) return say(why, FR_E_MALFORMED, "the answer has another ID");
    *rcode = head->flags & 15u;
    if (*rcode != 0) return say(why, FR_E_DENIED, fr_dns_rcode_text(*rcode));
    if ((head->flags & FR_DNS_TC) != 0)
        return say(why, FR_E_MALFORMED, "the answer is cut short (TC)");
    if (head->questions > 1 || (is_first && head->questions != 1))
        return say(why, FR_E_MALFORMED, "the answer does not repeat the question");
    if (head->questions == 0) return FR_OK;
    fr_dns_name_read(r, &name);
    uint16_t got = fr_rd_u16(r), class = fr_rd_u16(r);
    if (fr_rd_err(r)) return say(why, FR_E_TRUNCATED, "the question is cut short");
    if (got != type || class != FR_DNS_IN ||
        !fr_dname_equal(fr_dname_span(&name), fr_dname_span(zone)))
        return say(why, FR_E_MALFORMED, "the answer is to another question");
    return FR_OK;
}

/* One record. RDATA that we have no use for is passed over unread: a member's zone may hold
 * whatever the DNS has. */
static void record_read(struct fr_rd *r, struct fr_xfr_record *out, struct fr_soa *soa)
{
    fr_dns_name_read(r, &out->owner);
    out->type = fr_rd_u16(r);
    out->class = fr_rd_u16(r);
    out->ttl = fr_rd_u32(r);
    size_t length = fr_rd_u16(r);
    if (length > fr_rd_left(r)) fr_rd_fail(r, FR_E_TRUNCATED);
    if (fr_rd_err(r)) return;
    size_t end = r->at + length;

    if (out->type == FR_DNS_CNAME) {
        fr_dns_name_read(r, &out->target);
    } else if (out->type == FR_DNS_SOA) {
        fr_dns_name_read(r, &soa->mname);
        fr_dns_name_read(r, &soa->rname);
        soa->serial = fr_rd_u32(r);
        soa->refresh = fr_rd_u32(r);
        soa->retry = fr_rd_u32(r);
        soa->expire = fr_rd_u32(r);
        soa->minimum = fr_rd_u32(r);
    } else if ((out->type == FR_DNS_A && length != 4) ||
               (out->type == FR_DNS_AAAA && length != 16)) {
        fr_rd_fail(r, FR_E_MALFORMED);
    } else {
        fr_rd_skip(r, length);
    }
    if (fr_rd_err(r) == FR_OK && r->at != end) fr_rd_fail(r, FR_E_MALFORMED);
}

enum fr_err fr_xfr_soa_read(struct fr_span message, const struct fr_dname *zone, uint16_t id,
                            struct fr_soa *out, const char **why)
{
    struct fr_rd r = fr_rd(message);
    struct head head;
    struct fr_xfr_record record;
    struct fr_soa soa, found;
    unsigned rcode;
    bool is_found = false;

    enum fr_err err = open_answer(&r, zone, FR_DNS_SOA, id, true, &head, &rcode, why);
    if (err) return err;
    for (unsigned i = 0; i < head.answers && fr_rd_err(&r) == FR_OK; i++) {
        record_read(&r, &record, &soa);
        if (fr_rd_err(&r) || is_found || record.type != FR_DNS_SOA || record.class != FR_DNS_IN ||
            !fr_dname_equal(fr_dname_span(&record.owner), fr_dname_span(zone)))
            continue;
        found = soa;
        is_found = true;
    }
    fr_rr_skip(&r, (unsigned)head.authorities + head.additional);
    if (fr_rd_end(&r)) return say(why, FR_E_MALFORMED, "the answer is damaged");
    if (!is_found) return say(why, FR_E_NOT_FOUND, "the server does not have this zone");
    *out = found;
    return FR_OK;
}

/* --- a transfer --- */

void fr_xfr_init(struct fr_xfr *xfr, const struct fr_xfr_options *options)
{
    *xfr = (struct fr_xfr){.options = *options, .at = options->have};
}

bool fr_xfr_is_over(const struct fr_xfr *xfr)
{
    return xfr->state == FR_XFR_DONE || xfr->state == FR_XFR_CURRENT;
}

bool fr_xfr_is_full(const struct fr_xfr *xfr)
{
    /* changes end where they said they would; a full transfer never moves `at` */
    return xfr->options.type == FR_DNS_AXFR || xfr->state == FR_XFR_FULL ||
           (xfr->state == FR_XFR_DONE && xfr->at != xfr->soa.serial);
}

static enum fr_err open_transfer(struct fr_xfr *xfr, const struct fr_soa *soa, bool is_soa)
{
    if (!is_soa) return say(&xfr->why, FR_E_MALFORMED, "the transfer does not begin with the SOA");
    xfr->soa = *soa;
    xfr->state = FR_XFR_SECOND;
    if (xfr->options.type != FR_DNS_IXFR) return FR_OK;
    if (soa->serial == xfr->options.have)
        xfr->state = FR_XFR_CURRENT;
    else if (!fr_serial_is_later(soa->serial, xfr->options.have))
        return say(&xfr->why, FR_E_CONFLICT, "the serial went back");
    return FR_OK;
}

static enum fr_err give(struct fr_xfr *xfr, enum fr_xfr_part part,
                        const struct fr_xfr_record *record)
{
    enum fr_err err = xfr->options.record(xfr->options.data, part, record);

    if (err && !xfr->why) xfr->why = fr_err_text(err);
    return err;
}

/* A SOA inside: the end of a full transfer, or a turn of the changes (RFC 1995 4). */
static enum fr_err turn(struct fr_xfr *xfr, uint32_t serial)
{
    switch ((int)xfr->state) {
    case FR_XFR_SECOND:
        if (xfr->options.type == FR_DNS_IXFR && serial == xfr->options.have) {
            xfr->state = FR_XFR_DELETES;
            return FR_OK;
        }
        break; /* an empty zone, transferred in full */
    case FR_XFR_DELETES:
        if (!fr_serial_is_later(serial, xfr->at) || fr_serial_is_later(serial, xfr->soa.serial))
            return say(&xfr->why, FR_E_MALFORMED, "the serials of the changes do not go forward");
        xfr->at = serial;
        xfr->state = FR_XFR_ADDS;
        return FR_OK;
    case FR_XFR_ADDS:
        if (serial != xfr->at)
            return say(&xfr->why, FR_E_MALFORMED, "the changes do not follow one another");
        xfr->state = serial == xfr->soa.serial ? FR_XFR_DONE : FR_XFR_DELETES;
        return FR_OK;
    default: break;
    }
    if (serial != xfr->soa.serial)
        return say(&xfr->why, FR_E_MALFORMED, "the transfer ends with another serial");
    xfr->state = FR_XFR_DONE;
    return FR_OK;
}

static enum fr_err take_record(struct fr_xfr *xfr, const struct fr_xfr_record *record,
                               const struct fr_soa *soa)
{
    const struct fr_span zone = fr_dname_span(&xfr->options.zone);
    bool is_soa = record->type == FR_DNS_SOA && record->class == FR_DNS_IN &&
                  fr_dname_equal(fr_dname_span(&record->owner), zone);

    if (++xfr->records > xfr->options.records_max)
        return say(&xfr->why, FR_E_LIMIT, "the transfer has too many records");
    if (fr_xfr_is_over(xfr))
        return say(&xfr->why, FR_E_MALFORMED, "the transfer goes on behind its end");
    if (record->type == FR_DNS_SOA && !is_soa)
        return say(&xfr->why, FR_E_MALFORMED, "the transfer has the SOA of another zone");
    if (xfr->state == FR_XFR_BEGIN) return open_transfer(xfr, soa, is_soa);
    if (is_soa) return turn(xfr, soa->serial);
    if (xfr->state == FR_XFR_SECOND) xfr->state = FR_XFR_FULL;
    return give(xfr, xfr->state == FR_XFR_DELETES ? FR_XFR_DELETE : FR_XFR_ADD, record);
}

enum fr_err fr_xfr_take(struct fr_xfr *xfr, struct fr_span message)
{
    struct fr_rd r = fr_rd(message);
    struct head head;
    struct fr_xfr_record record = {0};
    struct fr_soa soa = {0};

    xfr->bytes += message.n;
    if (xfr->bytes > xfr->options.bytes_max)
        return say(&xfr->why, FR_E_LIMIT, "the transfer is too long");
    enum fr_err err = open_answer(&r, &xfr->options.zone, xfr->options.type, xfr->options.id,
                                  xfr->messages == 0, &head, &xfr->rcode, &xfr->why);
    if (err) return err;
    xfr->messages++;
    /* without this a server could keep us busy with empty messages */
    if (head.answers == 0) return say(&xfr->why, FR_E_MALFORMED, "a message without records");
    for (unsigned i = 0; i < head.answers; i++) {
        record_read(&r, &record, &soa);
        if (fr_rd_err(&r)) return say(&xfr->why, FR_E_MALFORMED, "a record is damaged");
        err = take_record(xfr, &record, &soa);
        if (err) return err;
    }
    fr_rr_skip(&r, (unsigned)head.authorities + head.additional);
    if (fr_rd_end(&r)) return say(&xfr->why, FR_E_MALFORMED, "the message is damaged");
    return FR_OK;
}
