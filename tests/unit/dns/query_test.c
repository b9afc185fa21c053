#include "dns/query.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "unit/dns/hex.h"

/* "<deveui>.deveui.fed.test A IN" behind a header; 16+1+6+1+3+1+4+1+1+4 = 38 octets of question */
#define Q "10 37306233643537656430303030303031 06 646576657569 03 666564 04 74657374 00 0001 0001 "
#define HEADER(flags, qd, an, ns, ar) "1234" flags qd an ns ar
#define PLAIN HEADER("0100", "0001", "0000", "0000", "0000") Q
#define OPT "00 0029 04d0 00 00 0000 0000 "
#define TSIG "00 00fa 00ff 00000000 0000 "

static const struct {
    const char *label, *hex;
    int rcode; /* -1: shorter than a header */
    bool has_question, has_edns, is_padded, is_signed;
} ROWS[] = {
    {"plain", PLAIN, FR_DNS_NOERROR, true, false, false, false},
    {"the root", HEADER("0000", "0001", "0000", "0000", "0000") "00 0006 0001", FR_DNS_NOERROR,
     true, false, false, false},
    {"with OPT", HEADER("0120", "0001", "0000", "0000", "0001") Q OPT, FR_DNS_NOERROR, true, true,
     false, false},
    {"with padding",
     HEADER("0000", "0001", "0000", "0000", "0001") Q "00 0029 04d0 00000000 0007 000c 0003 000000",
     FR_DNS_NOERROR, true, true, true, false},
    {"unknown option",
     HEADER("0000", "0001", "0000", "0000", "0001") Q "00 0029 04d0 00000000 0006 fde9 0002 abcd",
     FR_DNS_NOERROR, true, true, false, false},
    {"OPT version 1",
     HEADER("0000", "0001", "0000", "0000", "0001") Q "00 0029 04d0 00 01 0000 0000",
     FR_DNS_BADVERS, true, true, false, false},
    {"with TSIG", HEADER("0000", "0001", "0000", "0000", "0001") Q TSIG, FR_DNS_NOERROR, true,
     false, false, true},
    {"OPT and TSIG", HEADER("0000", "0001", "0000", "0000", "0002") Q OPT TSIG, FR_DNS_NOERROR,
     true, true, false, true},
    /* refusals */
    {"nothing", "", -1, false, false, false, false},
    {"eleven octets", "1234 0100 0001 0000 0000 00", -1, false, false, false, false},
    {"header alone", HEADER("0100", "0001", "0000", "0000", "0000"), FR_DNS_FORMERR, false, false,
     false, false},
    {"no question", HEADER("0100", "0000", "0000", "0000", "0000"), FR_DNS_FORMERR, false, false,
     false, false},
    {"two questions", HEADER("0100", "0002", "0000", "0000", "0000") Q Q, FR_DNS_FORMERR, false,
     false, false, false},
    {"a response", HEADER("8400", "0001", "0000", "0000", "0000") Q, FR_DNS_FORMERR, false, false,
     false, false},
    {"NOTIFY", HEADER("2000", "0001", "0000", "0000", "0000") Q, FR_DNS_NOTIMP, false, false, false,
     false},
    {"UPDATE", HEADER("2800", "0001", "0000", "0000", "0000") Q, FR_DNS_NOTIMP, false, false, false,
     false},
    {"an answer in it",
     HEADER("0100", "0001", "0001", "0000", "0000") Q "c00c 0001 0001 00000000 0004 01020304",
     FR_DNS_FORMERR, true, false, false, false},
    {"an authority in it",
     HEADER("0100", "0001", "0000", "0001", "0000") Q "c00c 0001 0001 00000000 0004 01020304",
     FR_DNS_FORMERR, true, false, false, false},
    {"an address in additional",
     HEADER("0100", "0001", "0000", "0000", "0001") Q "c00c 0001 0001 00000000 0004 01020304",
     FR_DNS_FORMERR, true, false, false, false},
    {"two OPT", HEADER("0100", "0001", "0000", "0000", "0002") Q OPT OPT, FR_DNS_FORMERR, true,
     true, false, false},
    {"TSIG not last", HEADER("0100", "0001", "0000", "0000", "0002") Q TSIG OPT, FR_DNS_FORMERR,
     true, false, false, false},
    {"two TSIG", HEADER("0100", "0001", "0000", "0000", "0002") Q TSIG TSIG, FR_DNS_FORMERR, true,
     false, false, false},
    {"the 34 octets that make ldns 1.8.3 leak", "0000 0000 0000 0000 0000 0003" TSIG TSIG,
     FR_DNS_FORMERR, false, false, false, false},
    {"count beyond the end", HEADER("0100", "0001", "0000", "0000", "0001") Q, FR_DNS_FORMERR, true,
     false, false, false},
    {"65535 records", HEADER("0100", "0001", "0000", "0000", "ffff") Q OPT, FR_DNS_FORMERR, true,
     true, false, false},
    {"trailing octet", PLAIN "00", FR_DNS_FORMERR, true, false, false, false},
    {"OPT owner not the root",
     HEADER("0100", "0001", "0000", "0000", "0001") Q "0161 00 0029 04d0 00000000 0000",
     FR_DNS_FORMERR, true, true, false, false},
    {"option past the RDATA",
     HEADER("0100", "0001", "0000", "0000", "0001") Q "00 0029 04d0 00000000 0005 000c 0002 00",
     FR_DNS_FORMERR, true, true, false, false},
    {"half an option header",
     HEADER("0100", "0001", "0000", "0000", "0001") Q "00 0029 04d0 00000000 0002 000c",
     FR_DNS_FORMERR, true, true, false, false},
    {"pointer to itself", HEADER("0100", "0001", "0000", "0000", "0000") "c00c 0001 0001",
     FR_DNS_FORMERR, false, false, false, false},
    {"pointer forward", HEADER("0100", "0001", "0000", "0000", "0000") "c00e 0001 0001",
     FR_DNS_FORMERR, false, false, false, false},
    {"pointer into the header", HEADER("0100", "0001", "0000", "0000", "0000") "c000 0001 0001",
     FR_DNS_FORMERR, false, false, false, false},
    {"pointer back into its own name",
     HEADER("0100", "0001", "0000", "0000", "0000") "0161 c00c 0001 0001", FR_DNS_FORMERR, false,
     false, false, false},
    {"half a pointer", HEADER("0100", "0001", "0000", "0000", "0000") "0161 c0", FR_DNS_FORMERR,
     false, false, false, false},
    {"label type 01", HEADER("0100", "0001", "0000", "0000", "0000") "41 61 00 0001 0001",
     FR_DNS_FORMERR, false, false, false, false},
    {"label type 10", HEADER("0100", "0001", "0000", "0000", "0000") "81 61 00 0001 0001",
     FR_DNS_FORMERR, false, false, false, false},
    {"question without a class", HEADER("0100", "0001", "0000", "0000", "0000") "0161 00 0001",
     FR_DNS_FORMERR, false, false, false, false},
};

static void rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        size_t n = 0;
        uint8_t *p = hex_bytes(ROWS[i].hex, &n);
        struct fr_dns_query q;
        enum fr_err err = fr_dns_query_read(fr_span(p, n), &q);
        if (ROWS[i].rcode < 0
                ? err != FR_E_TRUNCATED
                : err != FR_OK || (int)q.rcode != ROWS[i].rcode ||
                      q.has_question != ROWS[i].has_question ||
                      q.edns.present != ROWS[i].has_edns || q.edns.padded != ROWS[i].is_padded ||
                      q.signed_tsig != ROWS[i].is_signed)
            fail_msg("%s", ROWS[i].label);
        free(p);
    }
}

/* A message cut short anywhere is an error, and never read past its end. */
static void every_truncation(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        size_t n = 0;
        uint8_t *p = hex_bytes(ROWS[i].hex, &n);
        for (size_t cut = 0; cut < n; cut++) {
            uint8_t *copy = malloc(cut > 0 ? cut : 1);
            struct fr_dns_query q;
            memcpy(copy, p, cut);
            enum fr_err err = fr_dns_query_read(fr_span(copy, cut), &q);
            if (cut < FR_DNS_HEADER_SIZE ? err != FR_E_TRUNCATED : err != FR_OK)
                fail_msg("%s cut at %zu: error %d", ROWS[i].label, cut, err);
            bool is_cut_good = strcmp(ROWS[i].label, "trailing octet") == 0 && cut == n - 1;
            if (err == FR_OK && q.rcode == FR_DNS_NOERROR && !is_cut_good)
                fail_msg("%s cut at %zu is accepted", ROWS[i].label, cut);
            free(copy);
        }
        free(p);
    }
}

static void case_and_fields_are_kept(void **state)
{
    size_t n = 0;
    uint8_t *p = hex_bytes("beef 0110 0001 0000 0000 0000 03 466544 04 54657354 00 0010 0003", &n);
    struct fr_dns_query q;
    char text[FR_DNAME_TEXT];

    (void)state;
    assert_int_equal(fr_dns_query_read(fr_span(p, n), &q), FR_OK);
    assert_int_equal(q.id, 0xbeef);
    assert_true(q.recursion_desired);
    assert_true(q.checking_disabled);
    assert_int_equal(q.type, FR_DNS_TXT);
    assert_int_equal(q.class, 3);
    fr_dname_print(fr_dname_span(&q.name), text);
    assert_string_equal(text, "FeD.TesT");
    free(p);
}

/* 255 octets are a name, 256 are none; neither by labels nor through pointers. */
static void longest_name(void **state)
{
    uint8_t m[400] = {0, 0, 0, 0, 0, 1};
    struct fr_dns_query q;
    size_t n = FR_DNS_HEADER_SIZE;

    (void)state;
    for (int i = 0; i < 3; i++) {
        m[n++] = 63;
        memset(m + n, 'a', 63);
        n += 63;
    }
    m[n] = 61;
    memset(m + n + 1, 'b', 62);
    m[n + 62] = 0;
    memcpy(m + n + 63, "\0\1\0\1", 4);
    assert_int_equal(fr_dns_query_read(fr_span(m, n + 67), &q), FR_OK);
    assert_int_equal(q.rcode, FR_DNS_NOERROR);
    assert_int_equal(q.name.n, 255);

    m[n] = 62;
    m[n + 62] = 'b';
    m[n + 63] = 0;
    memcpy(m + n + 64, "\0\1\0\1", 4);
    assert_int_equal(fr_dns_query_read(fr_span(m, n + 68), &q), FR_OK);
    assert_int_equal(q.rcode, FR_DNS_FORMERR);
}

static void written_queries_are_read(void **state)
{
    static const size_t pads[] = {0, 128, 468};
    struct fr_dname name;

    (void)state;
    assert_int_equal(fr_dname_parse(fr_span_str("70b3d57ed0000001.deveui.fed.test"), &name), FR_OK);
    for (size_t i = 0; i < 3; i++) {
        struct fr_buf out = FR_BUF_INIT(65535);
        struct fr_dns_query q;
        assert_int_equal(fr_dns_query_write(&name, FR_DNS_AAAA, pads[i], &out), FR_OK);
        assert_int_equal(fr_dns_query_read(fr_buf_span(&out), &q), FR_OK);
        assert_int_equal(q.rcode, FR_DNS_NOERROR);
        assert_int_equal(q.id, 0);
        assert_int_equal(q.type, FR_DNS_AAAA);
        assert_false(q.recursion_desired);
        assert_int_equal(q.edns.padded, pads[i] > 0);
        assert_true(fr_dname_equal(fr_dname_span(&q.name), fr_dname_span(&name)));
        if (pads[i] > 0) assert_int_equal(out.n % pads[i], 0);
        fr_buf_deinit(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows),
        cmocka_unit_test(every_truncation),
        cmocka_unit_test(case_and_fields_are_kept),
        cmocka_unit_test(longest_name),
        cmocka_unit_test(written_queries_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
