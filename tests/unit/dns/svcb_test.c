#include "dns/svcb.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/hex.h"

enum { RDATA_MAX = 600 };

/* "0001 0161 00 | …": hex digits, anything else is for the eye. */
static size_t bytes(const char *text, uint8_t out[RDATA_MAX])
{
    size_t n = 0;
    int high = -1;
    for (; *text; text++) {
        int digit = fr_hex_digit((uint8_t)*text);
        if (digit < 0) continue;
        if (high >= 0) out[n++] = (uint8_t)(high << 4 | digit);
        high = high < 0 ? digit : -1;
        assert_true(n < RDATA_MAX);
    }
    assert_int_equal(high, -1);
    return n;
}

#define TARGET "0162 00 "            /* b. */
#define ALPN_H2 "0001 0003 02 6832 " /* h2 */
#define PORT "0003 0002 20fb "       /* 8443 */
#define V4 "0004 0004 c0000201 "     /* 192.0.2.1 */
#define V6 "0006 0010 20010db8000000000000000000000001 "
#define PATH "0007 0006 2f717b3f647d " /* /q{?d}: what it means is not read here */

static const struct {
    const char *label, *rdata;
    enum fr_err err;
    uint16_t priority, port;
    size_t target, hints, path;
    bool h2, strange;
} ROWS[] = {
    /* normal */
    {"service", "0001" TARGET ALPN_H2 PORT V4 V6 PATH, FR_OK, 1, 8443, 3, 2, 6, true, false},
    {"bare service", "0001" TARGET, FR_OK, 1, 0, 3, 0, 0, false, false},
    {"the owner", "0010 00", FR_OK, 16, 0, 1, 0, 0, false, false},
    {"alias", "0000" TARGET, FR_OK, 0, 0, 3, 0, 0, false, false},
    {"alias with nonsense behind it", "0000" TARGET "ffff ff", FR_OK, 0, 0, 3, 0, 0, false, false},
    {"two protocols", "0001" TARGET "0001 0006 02 6833 02 6832", FR_OK, 1, 0, 3, 0, 0, true, false},
    {"another protocol", "0001" TARGET "0001 0004 03 646f74", FR_OK, 1, 0, 3, 0, 0, false, false},
    {"no-default-alpn", "0001" TARGET ALPN_H2 "0002 0000", FR_OK, 1, 0, 3, 0, 0, true, false},
    {"an unknown key", "0001" TARGET ALPN_H2 "0041 0002 abcd", FR_OK, 1, 0, 3, 0, 0, true, false},
    {"ech, which is left alone", "0001" TARGET "0005 0001 aa", FR_OK, 1, 0, 3, 0, 0, false, false},
    {"mandatory, all known", "0001" TARGET "0000 0004 0001 0003" ALPN_H2 PORT, FR_OK, 1, 8443, 3, 0,
     0, true, false},
    {"mandatory, one unknown",
     "0001" TARGET "0000 0002 0041"
     "0041 0000",
     FR_OK, 1, 0, 3, 0, 0, false, true},
    {"mandatory ech",
     "0001" TARGET "0000 0002 0005"
     "0005 0001 aa",
     FR_OK, 1, 0, 3, 0, 0, false, true},
    {"nine hints, the first eight count",
     "0001" TARGET "0004 0024 01010101 02020202 03030303 04040404 05050505"
     "06060606 07070707 08080808 09090909",
     FR_OK, 1, 0, 3, 8, 0, false, false},
    /* RFC 9460 2.2: malformed */
    {"keys fall", "0001" TARGET PORT ALPN_H2, FR_E_MALFORMED, 0, 0, 0, 0, 0, false, false},
    {"a key twice", "0001" TARGET PORT PORT, FR_E_MALFORMED, 0, 0, 0, 0, 0, false, false},
    {"mandatory that is not there", "0001" TARGET "0000 0002 0003" ALPN_H2, FR_E_MALFORMED, 0, 0, 0,
     0, 0, false, false},
    {"mandatory names itself", "0001" TARGET "0000 0002 0000", FR_E_MALFORMED, 0, 0, 0, 0, 0, false,
     false},
    {"mandatory keys fall", "0001" TARGET "0000 0004 0003 0001" ALPN_H2 PORT, FR_E_MALFORMED, 0, 0,
     0, 0, 0, false, false},
    {"mandatory twice the same", "0001" TARGET "0000 0004 0003 0003" PORT, FR_E_MALFORMED, 0, 0, 0,
     0, 0, false, false},
    {"no-default-alpn alone", "0001" TARGET "0002 0000", FR_E_MALFORMED, 0, 0, 0, 0, 0, false,
     false},
    {"no-default-alpn with a value", "0001" TARGET ALPN_H2 "0002 0001 00", FR_E_MALFORMED, 0, 0, 0,
     0, 0, false, false},
    {"an empty protocol", "0001" TARGET "0001 0001 00", FR_E_MALFORMED, 0, 0, 0, 0, 0, false,
     false},
    {"empty path", "0001" TARGET "0007 0000", FR_E_MALFORMED, 0, 0, 0, 0, 0, false, false},
    {"port of three bytes", "0001" TARGET "0003 0003 0020fb", FR_E_MALFORMED, 0, 0, 0, 0, 0, false,
     false},
    {"compressed target", "0001 c00c", FR_E_MALFORMED, 0, 0, 0, 0, 0, false, false},
    {"compressed after a label", "0001 0162 c00c", FR_E_MALFORMED, 0, 0, 0, 0, 0, false, false},
    {"no target", "0001", FR_E_MALFORMED, 0, 0, 0, 0, 0, false, false},
    {"nothing", "", FR_E_MALFORMED, 0, 0, 0, 0, 0, false, false},
    /* values that end early or late: any fault will do */
    {"empty mandatory", "0001" TARGET "0000 0000", FR_E_TRUNCATED, 0, 0, 0, 0, 0, false, false},
    {"empty alpn", "0001" TARGET "0001 0000", FR_E_TRUNCATED, 0, 0, 0, 0, 0, false, false},
    {"alpn past its value", "0001" TARGET "0001 0002 0268", FR_E_TRUNCATED, 0, 0, 0, 0, 0, false,
     false},
    {"port of one byte", "0001" TARGET "0003 0001 20", FR_E_TRUNCATED, 0, 0, 0, 0, 0, false, false},
    {"no hint", "0001" TARGET "0004 0000", FR_E_TRUNCATED, 0, 0, 0, 0, 0, false, false},
    {"half a hint", "0001" TARGET "0004 0006 c0000201 c000", FR_E_TRUNCATED, 0, 0, 0, 0, 0, false,
     false},
    {"IPv6 hint of four bytes", "0001" TARGET "0006 0004 c0000201", FR_E_TRUNCATED, 0, 0, 0, 0, 0,
     false, false},
};

static void test_records(void **state)
{
    (void)state;
    uint8_t rdata[RDATA_MAX];
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        struct fr_svcb svcb = {.priority = 4711};
        enum fr_err err = fr_svcb_read(fr_span(rdata, bytes(ROWS[i].rdata, rdata)), &svcb);
        if (err != ROWS[i].err) fail_msg("%s: %s", ROWS[i].label, fr_err_text(err));
        if (err) {
            assert_int_equal(svcb.priority, 4711); /* untouched */
            continue;
        }
        if (svcb.priority != ROWS[i].priority || svcb.port != ROWS[i].port ||
            svcb.target.n != ROWS[i].target || svcb.n_hints != ROWS[i].hints ||
            svcb.dohpath.n != ROWS[i].path || svcb.has_h2 != ROWS[i].h2 ||
            svcb.has_strange_mandatory != ROWS[i].strange)
            fail_msg("%s", ROWS[i].label);
    }
}

static void test_hints(void **state)
{
    (void)state;
    uint8_t rdata[RDATA_MAX];
    struct fr_svcb svcb;
    char text[FR_IP_TEXT];
    size_t n = bytes("0001" TARGET "0004 0008 c0000201 c0000202" V6, rdata);
    static const char *const texts[] = {"192.0.2.1", "192.0.2.2", "2001:db8::1"};
    assert_int_equal(fr_svcb_read(fr_span(rdata, n), &svcb), FR_OK);
    assert_int_equal(svcb.n_hints, 3);
    for (size_t i = 0; i < 3; i++) {
        fr_ip_print(&svcb.hints[i], text);
        assert_string_equal(text, texts[i]);
    }
}

/* Cut anywhere but between two parameters it is no record. */
static void test_every_truncation(void **state)
{
    (void)state;
    uint8_t rdata[RDATA_MAX];
    struct fr_svcb svcb;
    size_t n = bytes("0001" TARGET ALPN_H2 PORT V4 V6 PATH, rdata), whole = 0;
    for (size_t cut = 0; cut < n; cut++)
        if (fr_svcb_read(fr_span(rdata, cut), &svcb) == FR_OK) whole++;
    assert_int_equal(whole, 5); /* behind the target and each parameter but the last */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_records),
        cmocka_unit_test(test_hints),
        cmocka_unit_test(test_every_truncation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
