#include "agent/stub.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "dns/master.h"
#include "dns/message.h"

static uint8_t memory[FR_STUB_ANSWER_MAX];
static struct fr_stub_zone zones[2];

static int set_up(void **state)
{
    (void)state;
    assert_int_equal(fr_stub_zone_init("fed.test", &zones[0]), FR_OK);
    assert_int_equal(fr_stub_zone_init("netid.fed.test", &zones[1]), FR_OK);
    return 0;
}

static struct fr_dname dname(const char *text)
{
    struct fr_dname name;
    assert_int_equal(fr_dname_parse(fr_span_str(text), &name), FR_OK);
    return name;
}

struct message {
    size_t n;
    uint8_t b[4096];
};

/* udp_size 0: no EDNS. */
static struct message query(const char *name, uint16_t type, uint16_t class, uint16_t udp_size)
{
    struct message m = {0};
    struct fr_dname n = dname(name);
    struct fr_dns_writer w;
    fr_dns_writer_init(&w, m.b, sizeof m.b, 0x1234, FR_DNS_RD);
    assert_int_equal(fr_dns_write_question(&w, &n, type, class), FR_OK);
    if (udp_size) assert_int_equal(fr_dns_write_opt(&w, 0, FR_DNS_EDE_NONE, 0), FR_OK);
    m.n = fr_dns_writer_finish(&w).n;
    if (udp_size) { /* behind the root and the type of the OPT that stands last */
        m.b[m.n - 8] = (uint8_t)(udp_size >> 8);
        m.b[m.n - 7] = (uint8_t)udp_size;
    }
    return m;
}

static enum fr_stub_verdict read_query(const struct message *m, bool is_stream,
                                       struct fr_stub_question *q)
{
    return fr_stub_read(fr_span(m->b, m->n), zones, 2, is_stream, q);
}

static struct fr_dns_response response(struct fr_span bytes)
{
    struct fr_dns_response r;
    assert_int_equal(fr_dns_response_read(bytes, &r), FR_OK);
    assert_int_equal(r.id, 0x1234);
    return r;
}

static void test_what_is_asked_and_what_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint16_t type, class;
        enum fr_stub_verdict verdict;
        enum fr_dns_rcode rcode;
        size_t federation;
    } rows[] = {
        {"70b3d57ed0000001.deveui.fed.test", FR_DNS_A, FR_DNS_IN, FR_STUB_ASK, 0, 0},
        {"70B3D57ED0000001.DevEUI.FED.test", FR_DNS_AAAA, FR_DNS_IN, FR_STUB_ASK, 0, 0},
        {"deveui.fed.test", FR_DNS_SOA, FR_DNS_IN, FR_STUB_ASK, 0, 0},
        {"_ns.000013.netid.fed.test", FR_DNS_TLSA, FR_DNS_IN, FR_STUB_ASK, 0, 0},
        {"8.joineui.fed.test", FR_DNS_A, FR_DNS_IN, FR_STUB_ASK, 0, 0},
        {"anything.deveui.fed.test", FR_DNS_ANY, FR_DNS_IN, FR_STUB_ASK, 0, 0},
        {"1.deveui.netid.fed.test", FR_DNS_A, FR_DNS_IN, FR_STUB_ASK, 0, 1}, /* the deeper one */
        {"deveui.netid.fed.test", FR_DNS_A, FR_DNS_IN, FR_STUB_ASK, 0, 1},
        {"fed.test", FR_DNS_SOA, FR_DNS_IN, FR_STUB_ANSWER, FR_DNS_REFUSED, 0},
        {"broker.fed.test", FR_DNS_A, FR_DNS_IN, FR_STUB_ANSWER, FR_DNS_REFUSED, 0},
        {"xdeveui.fed.test", FR_DNS_A, FR_DNS_IN, FR_STUB_ANSWER, FR_DNS_REFUSED, 0},
        {"deveui.fed.test.example", FR_DNS_A, FR_DNS_IN, FR_STUB_ANSWER, FR_DNS_REFUSED, 0},
        {".", FR_DNS_NS, FR_DNS_IN, FR_STUB_ANSWER, FR_DNS_REFUSED, 0},
        {"1.deveui.fed.test", FR_DNS_AXFR, FR_DNS_IN, FR_STUB_ANSWER, FR_DNS_REFUSED, 0},
        {"1.deveui.fed.test", FR_DNS_TKEY, FR_DNS_IN, FR_STUB_ANSWER, FR_DNS_REFUSED, 0},
        {"1.deveui.fed.test", FR_DNS_OPT, FR_DNS_IN, FR_STUB_ANSWER, FR_DNS_REFUSED, 0},
        {"1.deveui.fed.test", FR_DNS_A, FR_DNS_CLASS_ANY, FR_STUB_ANSWER, FR_DNS_REFUSED, 0},
        {"1.deveui.fed.test", FR_DNS_A, 3, FR_STUB_ANSWER, FR_DNS_REFUSED, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct message m = query(rows[i].name, rows[i].type, rows[i].class, 0);
        struct fr_stub_question q;
        if (read_query(&m, false, &q) != rows[i].verdict) fail_msg("row %zu", i);
        if (rows[i].verdict == FR_STUB_ASK) assert_int_equal(q.federation, rows[i].federation);
        if (rows[i].verdict == FR_STUB_ANSWER) assert_int_equal(q.rcode, rows[i].rcode);
    }
}

static void test_every_beginning_of_a_query(void **state)
{
    (void)state;
    struct message m = query("70b3d57ed0000001.deveui.fed.test", FR_DNS_A, FR_DNS_IN, 1232);
    struct fr_stub_question q;
    for (size_t n = 0; n < m.n; n++) {
        struct message cut = m;
        cut.n = n;
        enum fr_stub_verdict v = read_query(&cut, false, &q);
        assert_int_equal(v, n < FR_DNS_HEADER_SIZE ? FR_STUB_DROP : FR_STUB_ANSWER);
        if (v == FR_STUB_ANSWER) assert_int_equal(q.rcode, FR_DNS_FORMERR);
    }
    m.b[2] |= FR_DNS_QR >> 8;
    assert_int_equal(read_query(&m, false, &q), FR_STUB_DROP); /* never answer an answer */
}

static void test_room(void **state)
{
    (void)state;
    static const struct {
        uint16_t udp_size;
        bool is_stream;
        size_t max;
    } rows[] = {{0, false, 512},     {1, false, 512},     {512, false, 512}, {800, false, 800},
                {1232, false, 1232}, {4096, false, 1232}, {0, true, 65535},  {512, true, 65535}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct message m = query("1.deveui.fed.test", FR_DNS_A, FR_DNS_IN, rows[i].udp_size);
        struct fr_stub_question q;
        assert_int_equal(read_query(&m, rows[i].is_stream, &q), FR_STUB_ASK);
        assert_int_equal(q.max, rows[i].max);
    }
}

static void test_an_error(void **state)
{
    (void)state;
    for (uint16_t size = 0; size <= 1232; size = (uint16_t)(size + 1232)) {
        struct message m = query("1.DEVEUI.fed.test", FR_DNS_A, FR_DNS_IN, size);
        struct fr_stub_question q;
        (void)read_query(&m, false, &q);
        struct fr_dns_response r = response(fr_stub_write_error(&q, FR_DNS_SERVFAIL, 22, memory));
        assert_int_equal(r.rcode, FR_DNS_SERVFAIL);
        assert_int_equal(memory[2], 0x81); /* QR, RD copied; no AA, no TC */
        assert_int_equal(memory[3], 0x82); /* RA */
        assert_memory_equal(r.name.b,
                            "\1"
                            "1\6"
                            "DEVEUI",
                            9);
        assert_int_equal(r.edns.present, size > 0);
        if (size) assert_int_equal(r.edns.ede, 22);
        if (size == 0) assert_int_equal(r.wire.n, m.n);
    }
}

static void add(struct fr_dns_writer *w, enum fr_dns_section section, const char *line)
{
    struct fr_dname root = dname(".");
    const char *reason = NULL;
    struct fr_rr rr;
    if (fr_rr_parse(line, &root, NULL, 60, &rr, &reason) != FR_OK) fail_msg("%s: %s", line, reason);
    assert_int_equal(fr_dns_write_rr(w, section, &rr), FR_OK);
}

/* A broker's answer with so many addresses, and one more in Additional. */
static struct fr_records_answer answer(struct message *m, unsigned n)
{
    struct fr_records_answer a = {.result = FEDROAM_FOUND, .reason = "", .ede = FR_DNS_EDE_NONE};
    struct fr_dname name = dname("1.deveui.fed.test");
    struct fr_dns_writer w;
    char line[100];
    fr_dns_writer_init(&w, m->b, sizeof m->b, 0, FR_DNS_QR | FR_DNS_AA);
    assert_int_equal(fr_dns_write_question(&w, &name, FR_DNS_A, FR_DNS_IN), FR_OK);
    add(&w, FR_DNS_ANSWER, "1.deveui.fed.test. 3600 CNAME 000013.netid.fed.test.");
    for (unsigned i = 0; i < n; i++) {
        snprintf(line, sizeof line, "000013.netid.fed.test. 60 A 192.0.2.%u", i);
        add(&w, FR_DNS_ANSWER, line);
    }
    add(&w, FR_DNS_ADDITIONAL, "000013.netid.fed.test. 60 TXT \"an additional text\"");
    m->n = fr_dns_writer_finish(&w).n;
    assert_int_equal(fr_dns_response_read(fr_span(m->b, m->n), &a.message), FR_OK);
    return a;
}

static void test_an_answer(void **state)
{
    (void)state;
    struct message m = query("1.deveui.fed.test", FR_DNS_A, FR_DNS_IN, 1232), theirs;
    struct fr_stub_question q;
    struct fr_dns_walk walk;
    struct fr_rr rr;
    bool is_cut = true;
    (void)read_query(&m, false, &q);
    struct fr_records_answer a = answer(&theirs, 2);
    static const struct {
        enum fedroam_freshness freshness;
        uint32_t age_s, ttls[4];
        int ede;
    } rows[] = {{FEDROAM_FRESH, 0, {3600, 60, 60, 60}, FR_DNS_EDE_NONE},
                {FEDROAM_CACHED, 59, {3541, 1, 1, 1}, FR_DNS_EDE_NONE},
                {FEDROAM_CACHED, 100, {3500, 0, 0, 0}, FR_DNS_EDE_NONE},
                {FEDROAM_STALE, 5000, {30, 30, 30, 30}, FR_DNS_EDE_STALE_ANSWER}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        a.freshness = rows[i].freshness;
        a.age_s = rows[i].age_s;
        struct fr_dns_response r = response(fr_stub_write(&q, &a, memory, &is_cut));
        assert_false(is_cut);
        assert_false(r.authoritative);
        assert_int_equal(r.rcode, FR_DNS_NOERROR);
        assert_int_equal(r.count[FR_DNS_ANSWER], 3);
        assert_int_equal(r.edns.ede, rows[i].ede);
        fr_dns_walk_init(&walk, &r);
        for (size_t n = 0; n < 4; n++) {
            assert_true(fr_dns_walk_next(&walk, &rr));
            assert_int_equal(rr.ttl, rows[i].ttls[n]);
        }
        assert_false(fr_dns_walk_next(&walk, &rr));
    }
}

/* For every size: what fits is sent, Additional goes first, an Answer is whole or not there. */
static void test_answers_of_every_size(void **state)
{
    (void)state;
    unsigned cut = 0, bare = 0;
    for (unsigned n = 0; n < 120; n++) {
        for (unsigned with_edns = 0; with_edns < 2; with_edns++) {
            struct message m =
                query("1.deveui.fed.test", FR_DNS_A, FR_DNS_IN, with_edns ? 1232 : 0);
            struct message theirs;
            struct fr_stub_question q;
            bool is_cut = false;
            (void)read_query(&m, false, &q);
            struct fr_records_answer a = answer(&theirs, n);
            struct fr_dns_response r = response(fr_stub_write(&q, &a, memory, &is_cut));
            assert_true(r.wire.n <= q.max);
            assert_int_equal(r.truncated, is_cut);
            assert_int_equal(r.count[FR_DNS_ANSWER], is_cut ? 0 : n + 1);
            assert_int_equal(r.edns.present, with_edns);
            cut += is_cut;
            bare += !is_cut && r.count[FR_DNS_ADDITIONAL] == with_edns;
            (void)read_query(&m, true, &q);
            r = response(fr_stub_write(&q, &a, memory, &is_cut));
            assert_false(is_cut);
            assert_int_equal(r.count[FR_DNS_ADDITIONAL], 1 + with_edns);
        }
    }
    assert_true(cut > 0);
    assert_true(bare > 0);
}

static void test_names_too_long(void **state)
{
    (void)state;
    char text[260];
    struct fr_stub_zone zone;
    memset(text, 'a', sizeof text);
    for (size_t i = 60; i < 250; i += 61) text[i] = '.';
    text[249] = 0;
    assert_int_not_equal(fr_stub_zone_init(text, &zone), FR_OK);
    assert_int_not_equal(fr_stub_zone_init("a..b", &zone), FR_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_asked_and_what_is_refused),
        cmocka_unit_test(test_every_beginning_of_a_query),
        cmocka_unit_test(test_room),
        cmocka_unit_test(test_an_error),
        cmocka_unit_test(test_an_answer),
        cmocka_unit_test(test_answers_of_every_size),
        cmocka_unit_test(test_names_too_long),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
