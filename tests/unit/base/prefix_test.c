#include "base/prefix.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_parse(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum fr_err err;
        unsigned bits;
    } rows[] = {
        {"172.17.0.0/16", FR_OK, 16},
        {"127.0.0.1", FR_OK, 32},
        {"0.0.0.0/0", FR_OK, 0},
        {"10.1.2.3/32", FR_OK, 32},
        {"2001:db8::/32", FR_OK, 32},
        {"::1", FR_OK, 128},
        {"::/0", FR_OK, 0},
        {"192.0.2.128/25", FR_OK, 25},
        {"10.0.0.1/8", FR_E_INVALID, 0},
        {"192.0.2.64/25", FR_E_INVALID, 0},
        {"2001:db8::1/64", FR_E_INVALID, 0},
        {"10.0.0.0/33", FR_E_RANGE, 0},
        {"::/129", FR_E_RANGE, 0},
        {"10.0.0.0/", FR_E_MALFORMED, 0},
        {"10.0.0.0/-1", FR_E_MALFORMED, 0},
        {"10.0.0.0/8/8", FR_E_MALFORMED, 0},
        {"10.0/16", FR_E_MALFORMED, 0},
        {"/8", FR_E_MALFORMED, 0},
        {"", FR_E_MALFORMED, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fr_prefix p = {.bits = 77};
        enum fr_err err = fr_prefix_parse(fr_span_str(rows[i].text), &p);
        if (err != rows[i].err) fail_msg("%s: %s", rows[i].text, fr_err_text(err));
        assert_int_equal(p.bits, err ? 77 : rows[i].bits);
    }
}

static void test_has(void **state)
{
    (void)state;
    static const struct {
        const char *prefix, *ip;
        bool has;
    } rows[] = {
        {"172.17.0.0/16", "172.17.255.255", true},
        {"172.17.0.0/16", "172.18.0.0", false},
        {"192.0.2.128/25", "192.0.2.128", true},
        {"192.0.2.128/25", "192.0.2.127", false},
        {"10.1.2.3", "10.1.2.3", true},
        {"10.1.2.3", "10.1.2.2", false},
        {"0.0.0.0/0", "255.255.255.255", true},
        {"0.0.0.0/0", "::1", false},
        {"::/0", "10.0.0.1", false},
        {"2001:db8:8000::/33", "2001:db8:ffff::1", true},
        {"2001:db8:8000::/33", "2001:db8:7fff::1", false},
        {"::1", "::1", true},
        {"::1", "::2", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fr_prefix p;
        struct fr_ip ip;
        assert_int_equal(fr_prefix_parse(fr_span_str(rows[i].prefix), &p), FR_OK);
        assert_int_equal(fr_ip_parse(fr_span_str(rows[i].ip), &ip), FR_OK);
        if (fr_prefix_has(&p, &ip) != rows[i].has) fail_msg("%s in %s", rows[i].ip, rows[i].prefix);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
