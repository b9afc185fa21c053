#include "answer/fast.h"

#include <string.h>

#include "base/hex.h"
#include "base/wire.h"
#include "dns/message.h"

/* Hex digits as the value of a label. */
static bool read_digits(const uint8_t *p, unsigned digits, uint64_t *out)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < digits; i++) {
        int digit = fr_hex_digit(p[i]);
        if (digit < 0) return false;
        value = value << 4 | (unsigned)digit;
    }
    *out = value;
    return true;
}

/* The name: digits, the word, the apex; its length is that of the form or it is none. */
static bool read_name(struct fr_rd *r, const struct fr_dname *apex, struct fr_fast_query *out)
{
    unsigned digits = fr_rd_u8(r);
    bool is_device = digits == 16;
    uint64_t value = 0;

    if (!is_device && digits != 6) return false;
    struct fr_span label = fr_rd_span(r, digits);
    struct fr_span word = fr_rd_span(r, is_device ? 7 : 6);
    struct fr_span tail = fr_rd_span(r, apex->n);
    if (fr_rd_err(r) != FR_OK || !read_digits(label.p, digits, &value)) return false;
    if (!fr_span_equal_nocase(word, is_device ? FR_SPAN_LIT("\6deveui") : FR_SPAN_LIT("\5netid")))
        return false;
    /* length octets are below 64, where no letters are, so comparing them as text is exact */
    if (!fr_span_equal_nocase(tail, fr_dname_span(apex))) return false;
    if (is_device)
        out->owner = (struct fr_owner){.kind = FR_OWNER_DEVEUI, .eui = value};
    else
        out->owner = (struct fr_owner){.kind = FR_OWNER_NETID, .netid = (uint32_t)value};
    return true;
}

static bool is_frequent_type(uint16_t type)
{
    return type == FR_DNS_A || type == FR_DNS_AAAA || type == FR_DNS_CNAME || type == FR_DNS_SRV ||
           type == FR_DNS_TLSA;
}

/* The root, OPT, any size, extended RCODE and flags, version 0, no option or one Padding. */
static bool read_opt(struct fr_rd *r, uint8_t *edns)
{
    bool is_opt = fr_rd_u8(r) == 0 && fr_rd_u16(r) == FR_DNS_OPT;
    (void)fr_rd_u16(r); /* size */
    (void)fr_rd_u8(r);  /* extended RCODE */
    bool is_version = fr_rd_u8(r) == 0;
    (void)fr_rd_u16(r); /* flags */
    unsigned length = fr_rd_u16(r);

    *edns = 1;
    if (!is_opt || !is_version || length != fr_rd_left(r)) return false;
    if (length == 0) return true;
    *edns = 2;
    bool is_padding = fr_rd_u16(r) == FR_DNS_OPTION_PADDING;
    fr_rd_skip(r, fr_rd_u16(r));
    return is_padding;
}

bool fr_fast_read(struct fr_span query, const struct fr_dname *apex, struct fr_fast_query *out)
{
    struct fr_rd r = fr_rd(query);

    (void)fr_rd_u16(&r); /* the ID is copied later */
    uint16_t flags = fr_rd_u16(&r);
    /* no flag but RD and AD, opcode QUERY, one question, no answer, no authority */
    if ((flags & ~(FR_DNS_RD | FR_DNS_AD)) != 0 || fr_rd_u16(&r) != 1 || fr_rd_u32(&r) != 0)
        return false;
    unsigned extra = fr_rd_u16(&r);
    if (extra > 1 || !read_name(&r, apex, out)) return false;
    out->type = fr_rd_u16(&r);
    if (!is_frequent_type(out->type) || fr_rd_u16(&r) != FR_DNS_IN) return false;
    out->question_n = r.at - FR_DNS_HEADER_SIZE;
    out->recursion_desired = (flags & FR_DNS_RD) != 0;
    out->edns = 0;
    if (extra == 1 && !read_opt(&r, &out->edns)) return false;
    return fr_rd_end(&r) == FR_OK;
}

struct fr_template *fr_template_slot(struct fr_template slots[static FR_TEMPLATES],
                                     const struct fr_fast_query *query, uint32_t netid)
{
    uint32_t key = netid * 2654435761u + query->type * 40503u + query->edns * 97u +
                   (unsigned)query->owner.kind;

    return &slots[key >> 16 & (FR_TEMPLATES - 1)];
}

bool fr_template_fits(const struct fr_template *t, const struct fr_fast_query *query,
                      uint32_t netid, uint64_t txn, int64_t now_s)
{
    return t->kind == (uint8_t)query->owner.kind + 1 && t->netid == netid &&
           t->type == query->type && t->edns == query->edns && t->txn == txn && t->made_s == now_s;
}

void fr_template_make(struct fr_template *t, const struct fr_fast_query *query, uint32_t netid,
                      uint64_t txn, int64_t now_s, const struct fr_answer *answer)
{
    size_t start = FR_DNS_HEADER_SIZE + query->question_n;
    struct fr_rd r = fr_rd(answer->message);

    t->kind = 0;
    if (!answer->is_cacheable || answer->message.n - start > FR_TEMPLATE_MAX) return;
    fr_rd_skip(&r, 2);
    t->flags = (uint16_t)(fr_rd_u16(&r) & ~FR_DNS_RD);
    fr_rd_skip(&r, 2);
    for (int i = 0; i < 3; i++) t->count[i] = fr_rd_u16(&r);
    t->n = (uint16_t)(answer->message.n - start);
    memcpy(t->bytes, answer->message.p + start, t->n);
    t->max_age_s = answer->max_age_s;
    t->netid = netid;
    t->type = query->type;
    t->edns = query->edns;
    t->txn = txn;
    t->made_s = now_s;
    t->kind = (uint8_t)((uint8_t)query->owner.kind + 1);
}

size_t fr_template_apply(const struct fr_template *t, const struct fr_fast_query *query,
                         struct fr_span wire, uint8_t *message)
{
    struct fr_wr w = fr_wr(message, FR_DNS_MESSAGE_MAX);

    fr_wr_bytes(&w, wire.p, 2);
    fr_wr_u16(&w, (uint16_t)(t->flags | (query->recursion_desired ? FR_DNS_RD : 0)));
    fr_wr_u16(&w, 1);
    for (int i = 0; i < 3; i++) fr_wr_u16(&w, t->count[i]);
    fr_wr_bytes(&w, wire.p + FR_DNS_HEADER_SIZE, query->question_n);
    fr_wr_bytes(&w, t->bytes, t->n);
    return fr_wr_done(&w).n;
}
