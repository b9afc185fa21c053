#include "base/addr.h"
#include "support/unit.h"

#include <netinet/in.h>
#include <string.h>

static void addresses(void **state)
{
    static const struct {
        const char *text;
        uint16_t default_port;
        enum fr_err want;
        const char *printed;
    } rows[] = {
        {"192.0.2.1:8005", 0, FR_OK, "192.0.2.1:8005"},
        {"192.0.2.1", 8005, FR_OK, "192.0.2.1:8005"},
        {"192.0.2.1", 0, FR_E_MALFORMED, NULL},
        {"[2001:DB8::1]:53", 0, FR_OK, "[2001:db8::1]:53"},
        {"[2001:db8::1]", 443, FR_OK, "[2001:db8::1]:443"},
        {"2001:db8::1", 443, FR_OK, "[2001:db8::1]:443"},
        {"::1", 443, FR_OK, "[::1]:443"},
        {"192.0.2.1:0", 1, FR_E_RANGE, NULL},
        {"192.0.2.1:65536", 1, FR_E_RANGE, NULL},
        {"192.0.2.1:", 1, FR_E_MALFORMED, NULL},
        {"192.0.2.1:x", 1, FR_E_MALFORMED, NULL},
        {"192.0.2.256:1", 1, FR_E_MALFORMED, NULL},
        {"192.0.2:1", 1, FR_E_MALFORMED, NULL},
        {"[192.0.2.1]:1", 1, FR_E_MALFORMED, NULL},
        {"[::1", 1, FR_E_MALFORMED, NULL},
        {"[::1]x", 1, FR_E_MALFORMED, NULL},
        {"[::1]:", 1, FR_E_MALFORMED, NULL},
        {"[fe80::1%eth0]:1", 1, FR_E_MALFORMED, NULL},
        {"host:1", 1, FR_E_MALFORMED, NULL},
        {":1", 1, FR_E_MALFORMED, NULL},
        {"", 1, FR_E_MALFORMED, NULL},
        {"[]:1", 1, FR_E_MALFORMED, NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fr_addr a;
        char text[FR_ADDR_TEXT];
        CHECK_ROW(rows[i].text, fr_addr_parse(fr_span_str(rows[i].text), rows[i].default_port,
                                              &a) == rows[i].want);
        if (rows[i].want != FR_OK) continue;
        fr_addr_print(&a, text);
        CHECK_ROW(rows[i].text, strcmp(text, rows[i].printed) == 0);
        struct sockaddr_storage ss;
        struct fr_addr back;
        CHECK_ROW(rows[i].text, fr_addr_to_sockaddr(&a, &ss) > 0);
        CHECK_ROW(rows[i].text, fr_addr_from_sockaddr((struct sockaddr *)&ss, &back) == FR_OK &&
                                    fr_addr_equal(&a, &back));
    }
}

static void kinds(void **state)
{
    struct fr_ip ip, other;
    struct fr_addr addr;
    char text[FR_IP_TEXT];

    (void)state;
    assert_int_equal(fr_ip_parse(FR_SPAN_LIT("127.9.9.9"), &ip), FR_OK);
    assert_true(fr_ip_is_loopback(&ip) && !fr_ip_is_any(&ip));
    assert_int_equal(fr_ip_parse(FR_SPAN_LIT("::1"), &other), FR_OK);
    assert_true(fr_ip_is_loopback(&other) && !fr_ip_equal(&ip, &other));
    assert_int_equal(fr_ip_parse(FR_SPAN_LIT("::"), &ip), FR_OK);
    assert_true(fr_ip_is_any(&ip) && !fr_ip_is_loopback(&ip));
    ip.family = 0;
    fr_ip_print(&ip, text);
    assert_string_equal(text, "-");
    assert_false(fr_ip_is_any(&ip));

    struct sockaddr_in6 mapped = {.sin6_family = AF_INET6, .sin6_port = htons(7)};
    memcpy(mapped.sin6_addr.s6_addr, "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\2\1", 16);
    assert_int_equal(fr_addr_from_sockaddr((struct sockaddr *)&mapped, &addr), FR_OK);
    fr_ip_print(&addr.ip, text);
    assert_string_equal(text, "192.0.2.1");
    mapped.sin6_family = AF_UNIX;
    assert_int_equal(fr_addr_from_sockaddr((struct sockaddr *)&mapped, &addr), FR_E_UNSUPPORTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(addresses), cmocka_unit_test(kinds)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
