/* Records as text and back: rr.h's printers, and master.h's reader, which uses ldns. */
#include "dns/master.h"
#include "dns/rr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"

static struct fr_dname dname(const char *text)
{
    struct fr_dname name;

    assert_int_equal(fr_dname_parse(fr_span_str(text), &name), FR_OK);
    return name;
}

static const struct {
    const char *line, *printed; /* printed NULL: refused */
} ROWS[] = {
    {"a.fed.test. 60 IN A 192.0.2.1", "a.fed.test.\t60\tIN\tA\t192.0.2.1\n"},
    {"a 60 A 192.0.2.1", "a.fed.test.\t60\tIN\tA\t192.0.2.1\n"},
    {"a A 192.0.2.1", "a.fed.test.\t300\tIN\tA\t192.0.2.1\n"},
    {"  A 192.0.2.1", "before.fed.test.\t300\tIN\tA\t192.0.2.1\n"},
    {"@ AAAA 2001:db8::1", "fed.test.\t300\tIN\tAAAA\t2001:db8::1\n"},
    {"5817b1c3eb890bc4.deveui 300 IN CNAME 000013.netid.fed.test.",
     "5817b1c3eb890bc4.deveui.fed.test.\t300\tIN\tCNAME\t000013.netid.fed.test.\n"},
    {"@ NS localhost.", "fed.test.\t300\tIN\tNS\tlocalhost.\n"},
    {"@ 3600 IN SOA broker hostmaster 7 3600 600 604800 60",
     "fed.test.\t3600\tIN\tSOA\tbroker.fed.test. hostmaster.fed.test. 7 3600 600 604800 60\n"},
    {"_fedroam._tcp.000013.netid 60 SRV 0 5 8005 e1.000013.netid",
     "_fedroam._tcp.000013.netid.fed.test.\t60\tIN\tSRV\t0 5 8005 e1.000013.netid.fed.test.\n"},
    {"_ns 60 TLSA 3 1 1 0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789abcdef",
     "_ns.fed.test.\t60\tIN\tTLSA\t3 1 1 "
     "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n"},
    {"n NAPTR 10 20 \"S\" \"LoRaWAN:https\" \"\" _x._tcp",
     "n.fed.test.\t300\tIN\tNAPTR\t10 20 \"S\" \"LoRaWAN:https\" \"\" _x._tcp.fed.test.\n"},
    {"h HINFO \"RFC8482\" \"\"", "h.fed.test.\t300\tIN\tHINFO\t\"RFC8482\" \"\"\n"},
    {"t TXT \"a b;c\" plain \"q\\\"\\\\\\009\"",
     "t.fed.test.\t300\tIN\tTXT\t\"a b;c\" \"plain\" \"q\\\"\\\\\\009\"\n"},
    /* refused */
    {"", NULL},
    {"a", NULL},
    {"a 60 IN", NULL},
    {"a A", NULL},
    {"a A 192.0.2.256", NULL},
    {"a A 192.0.2.1 192.0.2.2 x y", NULL},
    {"a AAAA 192.0.2.1", NULL},
    {"a CH A 192.0.2.1", NULL},
    {"a LOC 52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m", NULL},
    {"a TYPE1 \\# 4 c0000201", NULL},
    {"a SRV 0 5 99999 b", NULL},
    {"a TLSA 3 1 1 xyz", NULL},
    {"a TXT \"no end", NULL},
    {"a\001 A 192.0.2.1", NULL},
    {"$ORIGIN fed.test.", NULL},
};

/* A type that is not ours is told from a word that is no type: a master file may hold the first. */
static void types(void **state)
{
    static const struct {
        const char *line;
        enum fr_err err;
    } table[] = {
        {"a MX 10 b", FR_E_UNSUPPORTED},
        {"a 60 IN caa 0 issue \"x\"", FR_E_UNSUPPORTED},
        {"a TYPE65280 \\# 0", FR_E_UNSUPPORTED},
        {"a note", FR_E_MALFORMED},
        {"a 60 IN", FR_E_MALFORMED},
        {"a CH A 192.0.2.1", FR_E_MALFORMED},
        {"a TYPE A", FR_E_MALFORMED},
        {"a aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa b", FR_E_MALFORMED},
    };
    struct fr_dname origin = dname("fed.test");

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct fr_rr rr;
        const char *reason = NULL;
        enum fr_err err = fr_rr_parse(table[i].line, &origin, NULL, 300, &rr, &reason);
        if (err != table[i].err) fail_msg("%s: %d", table[i].line, err);
    }
}

static void lines(void **state)
{
    struct fr_dname origin = dname("fed.test"), before = dname("before.fed.test");

    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        struct fr_rr rr = {.type = 0xffff};
        const char *reason = NULL;
        enum fr_err err = fr_rr_parse(ROWS[i].line, &origin, &before, 300, &rr, &reason);
        if (ROWS[i].printed == NULL) {
            if (err == FR_OK) fail_msg("accepted: %s", ROWS[i].line);
            assert_int_equal(rr.type, 0xffff);
            assert_non_null(reason);
            continue;
        }
        if (err != FR_OK) fail_msg("refused: %s: %s", ROWS[i].line, reason);
        struct fr_buf out = FR_BUF_INIT(4096);
        assert_int_equal(fr_rr_print(&rr, &out), FR_OK);
        assert_string_equal(fr_buf_str(&out), ROWS[i].printed);

        /* what we print is read again as the same */
        out.p[out.n - 1] = '\0';
        struct fr_rr again;
        assert_int_equal(fr_rr_parse((const char *)out.p, &origin, NULL, 1, &again, &reason),
                         FR_OK);
        struct fr_buf second = FR_BUF_INIT(4096);
        assert_int_equal(fr_rr_print(&again, &second), FR_OK);
        assert_string_equal(fr_buf_str(&second), ROWS[i].printed);
        fr_buf_deinit(&second);
        fr_buf_deinit(&out);
    }
}

static void a_line_without_owner_needs_one_before(void **state)
{
    struct fr_dname origin = dname("fed.test");
    const char *reason = NULL;
    struct fr_rr rr;

    (void)state;
    assert_int_equal(fr_rr_parse(" A 192.0.2.1", &origin, NULL, 300, &rr, &reason), FR_E_MALFORMED);
}

static void long_lines_are_refused(void **state)
{
    static char line[FR_DNS_LINE_MAX + 64];
    struct fr_dname origin = dname("fed.test");
    const char *reason = NULL;
    struct fr_rr rr;

    (void)state;
    memset(line, ' ', sizeof line - 1);
    memcpy(line, "a A", 3);
    memcpy(line + sizeof line - 10, "192.0.2.1", 10);
    assert_int_equal(fr_rr_parse(line, &origin, NULL, 300, &rr, &reason), FR_E_LIMIT);
    memcpy(line, "a TXT", 5);
    memset(line + 6, 'x', 2000);
    line[2006] = '\0';
    assert_int_not_equal(fr_rr_parse(line, &origin, NULL, 300, &rr, &reason), FR_OK);
}

static void long_texts_are_split(void **state)
{
    struct fr_txt txt = {0};
    char text[701];

    (void)state;
    memset(text, 'x', 700);
    text[700] = '\0';
    assert_int_equal(fr_txt_add(&txt, text), FR_OK);
    assert_int_equal(txt.n, 703);
    assert_int_equal(txt.b[0], 255);
    assert_int_equal(txt.b[256], 255);
    assert_int_equal(txt.b[512], 190);
    assert_int_equal(fr_txt_add(&txt, ""), FR_OK);
    assert_int_equal(txt.n, 704);
    assert_int_equal(fr_txt_add(&txt, text), FR_E_LIMIT);
    assert_int_equal(txt.n, 704);
}

static void unknown_types_print_by_rfc_3597(void **state)
{
    struct fr_rr rr = {.owner = dname("a.test"), .type = 65280, .class = 1, .ttl = 5};
    struct fr_buf out = FR_BUF_INIT(4096);

    (void)state;
    rr.data.raw = FR_SPAN_LIT("\xab\x01");
    assert_int_equal(fr_rr_print(&rr, &out), FR_OK);
    assert_string_equal(fr_buf_str(&out), "a.test.\t5\tIN\tTYPE65280\t\\# 2 ab01\n");
    fr_buf_deinit(&out);
}

static void types_by_name(void **state)
{
    char text[FR_DNS_TYPE_TEXT_SIZE];
    uint16_t type = 0;

    (void)state;
    assert_true(fr_dns_type_parse("tlsa", &type));
    assert_int_equal(type, FR_DNS_TLSA);
    assert_true(fr_dns_type_parse("TYPE65535", &type));
    assert_int_equal(type, 65535);
    assert_false(fr_dns_type_parse("TYPE65536", &type));
    assert_false(fr_dns_type_parse("TYPE", &type));
    assert_false(fr_dns_type_parse("BOGUS", &type));
    assert_string_equal(fr_dns_type_print(65535, text), "TYPE65535");
    assert_string_equal(fr_dns_type_print(28, text), "AAAA");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines),
        cmocka_unit_test(types),
        cmocka_unit_test(a_line_without_owner_needs_one_before),
        cmocka_unit_test(long_lines_are_refused),
        cmocka_unit_test(long_texts_are_split),
        cmocka_unit_test(unknown_types_print_by_rfc_3597),
        cmocka_unit_test(types_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
