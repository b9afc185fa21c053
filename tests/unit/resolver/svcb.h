#pragma once
/* SVCB records for the tests. */

#include "message.h"

#include "base/addr.h"
#include "base/wire.h"

struct test_svcb {
    const char *owner; /* NULL: the question's name */
    uint16_t priority;
    const char *target; /* "." for the owner */
    const char *alpn;   /* one identifier; NULL: no parameter */
    uint16_t port;      /* 0: no parameter */
    const char *hint;   /* one IPv4 address; NULL: no parameter */
    const char *path;   /* NULL: no parameter */
    bool wants_strange; /* mandatory=key65 */
    bool is_malformed;
    uint32_t ttl_s; /* 0: 60 */
};

static inline void test_param(struct fr_wr *w, uint16_t key, const void *value, size_t n)
{
    fr_wr_u16(w, key);
    fr_wr_u16(w, (uint16_t)n);
    fr_wr_bytes(w, value, n);
}

static inline size_t test_svcb_rdata(const struct test_svcb *s, uint8_t *out, size_t max)
{
    struct fr_wr w = fr_wr(out, max);
    struct fr_dname target = test_name(s->target);
    struct fr_ip ip;
    fr_wr_u16(&w, s->priority);
    fr_wr_span(&w, fr_dname_span(&target));
    if (s->wants_strange) test_param(&w, 0, "\0\x41", 2);
    if (s->alpn) {
        uint8_t ids[64] = {(uint8_t)strlen(s->alpn)};
        memcpy(ids + 1, s->alpn, strlen(s->alpn));
        test_param(&w, 1, ids, strlen(s->alpn) + 1);
    }
    if (s->port) {
        const uint8_t port[] = {(uint8_t)(s->port >> 8), (uint8_t)s->port};
        test_param(&w, 3, port, 2);
    }
    if (s->hint) {
        assert_int_equal(fr_ip_parse(fr_span_str(s->hint), &ip), FR_OK);
        test_param(&w, 4, ip.b, 4);
    }
    if (s->path) test_param(&w, 7, s->path, strlen(s->path));
    if (s->wants_strange) test_param(&w, 65, "", 0);
    if (s->is_malformed) fr_wr_u8(&w, 0);
    assert_int_equal(fr_wr_err(&w), FR_OK);
    return fr_wr_done(&w).n;
}

/* Answers with these records, and `additional` lines of a master file. */
static inline struct message test_svcb_message(const char *name, uint16_t flags, const char *answer,
                                               const struct test_svcb *records, size_t n,
                                               const char *additional)
{
    struct message m = {0};
    struct fr_dname qname = test_name(name);
    struct fr_dns_writer w;
    uint8_t rdata[512];
    fr_dns_writer_init(&w, m.b, sizeof m.b, 0, flags);
    assert_int_equal(fr_dns_write_question(&w, &qname, FR_DNS_SVCB, FR_DNS_IN), FR_OK);
    test_records(&w, FR_DNS_ANSWER, answer);
    for (size_t i = 0; i < n; i++) {
        struct fr_rr rr = {.owner = records[i].owner ? test_name(records[i].owner) : qname,
                           .type = FR_DNS_SVCB,
                           .class = FR_DNS_IN,
                           .ttl = records[i].ttl_s ? records[i].ttl_s : 60};
        rr.data.raw = fr_span(rdata, test_svcb_rdata(&records[i], rdata, sizeof rdata));
        assert_int_equal(fr_dns_write_rr(&w, FR_DNS_ANSWER, &rr), FR_OK);
    }
    test_records(&w, FR_DNS_ADDITIONAL, additional);
    m.n = fr_dns_writer_finish(&w).n;
    return m;
}
