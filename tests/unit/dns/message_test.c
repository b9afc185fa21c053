#include "dns/message.h"
#include "dns/response.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

#include "dns/master.h"
#include "unit/dns/hex.h"

static struct fr_dname dname(const char *text)
{
    struct fr_dname name;

    assert_int_equal(fr_dname_parse(fr_span_str(text), &name), FR_OK);
    return name;
}

static struct fr_rr record(const char *line)
{
    struct fr_dname origin = dname("fed.test");
    const char *reason = NULL;
    struct fr_rr rr;

    if (fr_rr_parse(line, &origin, NULL, 300, &rr, &reason) != FR_OK)
        fail_msg("%s: %s", line, reason);
    return rr;
}

/* The wire example of a positive answer: question, CNAME and A, every name compressed, 98
 * octets. */
static void positive_answer_byte_for_byte(void **state)
{
    static const char expected[] = "0000 8400 0001 0002 0000 0000"
                                   "10 35383137623163336562383930626334 06 646576657569 08 "
                                   "696f742d726f616d 04 74657374 00 0001 0001"
                                   "c00c 0005 0001 0000012c 000f 06 303030303133 05 6e65746964 c024"
                                   "c043 0001 0001 00000258 0004 c0000213";
    struct fr_dname name = dname("5817b1c3eb890bc4.deveui.iot-roam.test");
    struct fr_rr cname =
        record("5817b1c3eb890bc4.deveui.iot-roam.test. 300 CNAME 000013.netid.iot-roam.test.");
    struct fr_rr a = record("000013.netid.iot-roam.test. 600 A 192.0.2.19");
    uint8_t memory[512];
    struct fr_dns_writer w;
    size_t n = 0;

    (void)state;
    fr_dns_writer_init(&w, memory, sizeof memory, 0, FR_DNS_QR | FR_DNS_AA);
    assert_int_equal(fr_dns_write_question(&w, &name, FR_DNS_A, FR_DNS_IN), FR_OK);
    assert_int_equal(fr_dns_write_rr(&w, FR_DNS_ANSWER, &cname), FR_OK);
    assert_int_equal(fr_dns_write_rr(&w, FR_DNS_ANSWER, &a), FR_OK);
    struct fr_span message = fr_dns_writer_finish(&w);
    uint8_t *p = hex_bytes(expected, &n);
    assert_int_equal(message.n, 98);
    assert_int_equal(n, 98);
    assert_memory_equal(message.p, p, n);
    free(p);
}

static const char *const LINES[] = {
    "70b3d57ed0000001.deveui 3600 CNAME 000013.netid",
    "000013.netid 60 A 192.0.2.10",
    "@ 60 SOA broker hostmaster 7 3600 600 604800 60",
    "@ 60 NS localhost.",
    "000013.netid 60 AAAA 2001:db8::a",
    "000013.netid 60 TXT \"v=fedroam1 member=acme\"",
    "_fedroam._tcp.000013.netid 60 SRV 1 0 8005 e1.000013.netid",
    ("_ns.000013.netid 60 TLSA 3 1 1 "
     "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"),
    "n 60 NAPTR 100 50 \"S\" \"LWNS\" \"\" x.fed.test.",
    "h 60 HINFO \"RFC8482\" \"\"",
};
enum { LINE_COUNT = sizeof LINES / sizeof LINES[0] };

static enum fr_dns_section section_of(size_t i)
{
    return i < 2 ? FR_DNS_ANSWER : i < 4 ? FR_DNS_AUTHORITY : FR_DNS_ADDITIONAL;
}

/* All types, written and read back; and cut short everywhere. */
static void round_trip_and_truncation(void **state)
{
    struct fr_dname name = dname("70B3D57ED0000001.deveui.fed.test");
    uint8_t memory[4096];
    struct fr_dns_writer w;
    struct fr_dns_response response;
    struct fr_dns_walk walk;
    struct fr_rr rr;

    (void)state;
    fr_dns_writer_init(&w, memory, sizeof memory, 0x1234, FR_DNS_QR | FR_DNS_AA | FR_DNS_NXDOMAIN);
    assert_int_equal(fr_dns_write_question(&w, &name, FR_DNS_A, FR_DNS_IN), FR_OK);
    for (size_t i = 0; i < LINE_COUNT; i++) {
        rr = record(LINES[i]);
        assert_int_equal(fr_dns_write_rr(&w, section_of(i), &rr), FR_OK);
    }
    rr = record(LINES[0]);
    assert_int_equal(fr_dns_write_rr(&w, FR_DNS_ANSWER, &rr), FR_E_INTERNAL);
    assert_int_equal(fr_dns_write_opt(&w, FR_DNS_BADVERS, 20, 468), FR_OK);
    struct fr_span message = fr_dns_writer_finish(&w);
    assert_int_equal(message.n % 468, 0);

    assert_int_equal(fr_dns_response_read(message, &response), FR_OK);
    assert_int_equal(response.id, 0x1234);
    assert_int_equal(response.rcode, 16 + FR_DNS_NXDOMAIN);
    assert_true(response.authoritative);
    assert_true(response.has_question);
    assert_int_equal(response.edns.ede, 20);
    assert_true(response.edns.padded);
    assert_int_equal(response.count[0], 2);
    assert_int_equal(response.count[1], 2);
    assert_int_equal(response.count[2], LINE_COUNT - 4 + 1);

    fr_dns_walk_init(&walk, &response);
    for (size_t i = 0; i < LINE_COUNT; i++) {
        struct fr_rr wanted = record(LINES[i]);
        struct fr_buf a = FR_BUF_INIT(4096), b = FR_BUF_INIT(4096);
        assert_true(fr_dns_walk_next(&walk, &rr));
        assert_int_equal(walk.section, section_of(i));
        assert_int_equal(fr_rr_print(&wanted, &a), FR_OK);
        assert_int_equal(fr_rr_print(&rr, &b), FR_OK);
        /* the compressed tail of a name has the letter case of the question */
        assert_int_equal(strcasecmp(fr_buf_str(&a), fr_buf_str(&b)), 0);
        fr_buf_deinit(&a);
        fr_buf_deinit(&b);
    }
    assert_false(fr_dns_walk_next(&walk, &rr));

    for (size_t cut = 0; cut < message.n; cut++) {
        uint8_t *copy = malloc(cut > 0 ? cut : 1);
        memcpy(copy, message.p, cut);
        if (fr_dns_response_read(fr_span(copy, cut), &response) == FR_OK)
            fail_msg("accepted when cut at %zu", cut);
        free(copy);
    }
}

/* A record that does not fit leaves the message as it was, at every size. */
static void the_limit_is_kept(void **state)
{
    struct fr_dname name = dname("70b3d57ed0000001.deveui.fed.test");

    (void)state;
    for (size_t max = 60; max < 500; max++) {
        uint8_t *memory = malloc(max);
        struct fr_dns_writer w;
        struct fr_dns_response response;
        unsigned written = 0;
        fr_dns_writer_init(&w, memory, max, 0, FR_DNS_QR);
        assert_int_equal(fr_dns_write_question(&w, &name, FR_DNS_A, FR_DNS_IN), FR_OK);
        for (size_t i = 0; i < LINE_COUNT; i++) {
            struct fr_rr rr = record(LINES[i]);
            enum fr_err err = fr_dns_write_rr(&w, section_of(i), &rr);
            assert_true(err == FR_OK || err == FR_E_LIMIT);
            if (err == FR_OK) written++;
        }
        struct fr_span message = fr_dns_writer_finish(&w);
        assert_true(message.n <= max);
        assert_int_equal(fr_dns_response_read(message, &response), FR_OK);
        assert_int_equal(response.count[0] + response.count[1] + response.count[2], written);
        free(memory);
    }
}

#define Q                                                                                          \
    "02 6162 03 666564 04 74657374 00 0001 0001 " /* ab.fed.test A IN: name at 0c, fed at 0f */
#define R(an, ns, ar) "0000 8400 0001" an ns ar Q

static const struct {
    const char *label, *hex;
    bool is_good;
} RESPONSES[] = {
    {"no record", R("0000", "0000", "0000"), true},
    {"an address", R("0001", "0000", "0000") "c00c 0001 0001 0000003c 0004 c0000201", true},
    {"no question", "0000 8400 0000 0001 0000 0000 00 0001 0001 0000003c 0004 c0000201", true},
    {"unknown type", R("0001", "0000", "0000") "c00c fff0 0001 0000003c 0003 010203", true},
    {"empty unknown type", R("0001", "0000", "0000") "c00c fff0 0001 0000003c 0000", true},
    {"a query", "0000 0400 0001 0000 0000 0000" Q, false},
    {"two questions", "0000 8400 0002 0000 0000 0000" Q Q, false},
    {"short address", R("0001", "0000", "0000") "c00c 0001 0001 0000003c 0003 c00002", false},
    {"long address", R("0001", "0000", "0000") "c00c 0001 0001 0000003c 0005 c000020101", false},
    {"short AAAA", R("0001", "0000", "0000") "c00c 001c 0001 0000003c 0004 c0000201", false},
    {"CNAME past its RDATA", R("0001", "0000", "0000") "c00c 0005 0001 0000003c 0001 c00f", false},
    {"CNAME with a rest", R("0001", "0000", "0000") "c00c 0005 0001 0000003c 0003 c00f00", false},
    {"CNAME to itself by pointer", R("0001", "0000", "0000") "c00c 0005 0001 0000003c 0002 c029",
     false},
    {"empty TXT", R("0001", "0000", "0000") "c00c 0010 0001 0000003c 0000", false},
    {"TXT string past its RDATA", R("0001", "0000", "0000") "c00c 0010 0001 0000003c 0002 0261",
     false},
    {"TXT with an empty string", R("0001", "0000", "0000") "c00c 0010 0001 0000003c 0001 00", true},
    {"SRV too short", R("0001", "0000", "0000") "c00c 0021 0001 0000003c 0006 000000001f45", false},
    {"SRV to the root", R("0001", "0000", "0000") "c00c 0021 0001 0000003c 0007 000000001f45 00",
     true},
    {"TLSA without data", R("0001", "0000", "0000") "c00c 0034 0001 0000003c 0003 030101", false},
    {"TLSA of one octet", R("0001", "0000", "0000") "c00c 0034 0001 0000003c 0004 03010100", true},
    {"NAPTR string past the end",
     R("0001", "0000", "0000") "c00c 0023 0001 0000003c 0007 000a000a ff5300", false},
    {"two OPT", R("0000", "0000", "0002") "00 0029 04d0 00000000 0000 00 0029 04d0 00000000 0000",
     false},
    {"OPT as an answer", R("0001", "0000", "0000") "00 0029 04d0 00000000 0000", false},
    {"extended error of one octet",
     R("0000", "0000", "0001") "00 0029 04d0 00000000 0005 000f 0001 12", false},
    {"more records than octets", R("ffff", "ffff", "ffff"), false},
    {"trailing octet", R("0000", "0000", "0000") "00", false},
};

static void response_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof RESPONSES / sizeof RESPONSES[0]; i++) {
        size_t n = 0;
        uint8_t *p = hex_bytes(RESPONSES[i].hex, &n);
        struct fr_dns_response response;
        enum fr_err err = fr_dns_response_read(fr_span(p, n), &response);
        if ((err == FR_OK) != RESPONSES[i].is_good) fail_msg("%s: %d", RESPONSES[i].label, err);
        free(p);
    }
}

static struct fr_dns_response build(struct fr_dns_writer *w, uint8_t *memory, const char *question,
                                    const char *const *lines, size_t n)
{
    struct fr_dns_response response;
    struct fr_dname name = dname(question);

    fr_dns_writer_init(w, memory, 4096, 0, FR_DNS_QR);
    assert_int_equal(fr_dns_write_question(w, &name, FR_DNS_A, FR_DNS_IN), FR_OK);
    for (size_t i = 0; i < n; i++) {
        struct fr_rr rr = record(lines[i]);
        enum fr_dns_section section = rr.type == FR_DNS_SOA ? FR_DNS_AUTHORITY : FR_DNS_ANSWER;
        assert_int_equal(fr_dns_write_rr(w, section, &rr), FR_OK);
    }
    assert_int_equal(fr_dns_response_read(fr_dns_writer_finish(w), &response), FR_OK);
    return response;
}

static void chains(void **state)
{
    static const char *const chain[] = {"b 50 CNAME c", "a 100 CNAME b", "c 7 A 192.0.2.1"};
    static const char *const loop[] = {"a CNAME b", "b CNAME a"};
    uint8_t memory[4096];
    struct fr_dns_writer w;
    struct fr_dname end, wanted = dname("c.fed.test");
    uint32_t ttl_s = 0;
    struct fr_rr rr;

    (void)state;
    struct fr_dns_response response = build(&w, memory, "A.fed.test", chain, 3);
    assert_int_equal(fr_dns_response_chain(&response, &end, &ttl_s), FR_OK);
    assert_true(fr_dname_equal(fr_dname_span(&end), fr_dname_span(&wanted)));
    assert_int_equal(ttl_s, 50);
    assert_true(fr_dns_response_find(&response, FR_DNS_ANY_SECTION, &end, FR_DNS_A, 0, &rr));
    assert_false(fr_dns_response_find(&response, FR_DNS_ANY_SECTION, &end, FR_DNS_A, 1, &rr));
    assert_false(fr_dns_response_find(&response, FR_DNS_ADDITIONAL, &end, FR_DNS_A, 0, &rr));

    response = build(&w, memory, "x.fed.test", chain, 3);
    assert_int_equal(fr_dns_response_chain(&response, &end, &ttl_s), FR_OK);
    assert_int_equal(ttl_s, UINT32_MAX);

    response = build(&w, memory, "a.fed.test", loop, 2);
    assert_int_equal(fr_dns_response_chain(&response, &end, &ttl_s), FR_E_MALFORMED);
}

static void negative_ttl(void **state)
{
    static const char *const soa[] = {"@ 3600 SOA broker hostmaster 7 3600 600 604800 60"};
    static const char *const other[] = {"@ 30 SOA broker hostmaster 7 3600 600 604800 60"};
    uint8_t memory[4096];
    struct fr_dns_writer w;
    uint32_t ttl_s = 0;

    (void)state;
    struct fr_dns_response response = build(&w, memory, "a.fed.test", soa, 1);
    assert_true(fr_dns_response_negative_ttl(&response, &ttl_s));
    assert_int_equal(ttl_s, 60);
    response = build(&w, memory, "a.fed.test", other, 1);
    assert_true(fr_dns_response_negative_ttl(&response, &ttl_s));
    assert_int_equal(ttl_s, 30);
    response = build(&w, memory, "a.fed.test", soa, 0);
    assert_false(fr_dns_response_negative_ttl(&response, &ttl_s));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(positive_answer_byte_for_byte),
        cmocka_unit_test(round_trip_and_truncation),
        cmocka_unit_test(the_limit_is_kept),
        cmocka_unit_test(response_rows),
        cmocka_unit_test(chains),
        cmocka_unit_test(negative_ttl),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
