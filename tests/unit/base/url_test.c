#include "base/url.h"
#include "support/unit.h"

#include <string.h>

static void urls(void **state)
{
    static const struct {
        const char *text;
        enum fr_err want;
        bool is_tls, is_ip;
        const char *host;
        uint16_t port;
        const char *path, *authority;
    } rows[] = {
        {"https://broker.fed.test:8443/dns-query", FR_OK, true, false, "broker.fed.test", 8443,
         "/dns-query", "broker.fed.test:8443"},
        {"https://A.B/x?y=1", FR_OK, true, false, "a.b", 443, "/x?y=1", "a.b"},
        {"http://a", FR_OK, false, false, "a", 80, "/", "a"},
        {"https://127.0.0.1:443/", FR_OK, true, true, "127.0.0.1", 443, "/", "127.0.0.1"},
        {"http://[::1]:443/", FR_OK, false, true, "::1", 443, "/", "[::1]:443"},
        {"https://[2001:DB8::1]/p", FR_OK, true, true, "2001:db8::1", 443, "/p", "[2001:db8::1]"},
        {"ftp://a/", FR_E_MALFORMED, 0, 0, 0, 0, 0, 0},
        {"HTTPS://a/", FR_E_MALFORMED, 0, 0, 0, 0, 0, 0},
        {"https:///x", FR_E_MALFORMED, 0, 0, 0, 0, 0, 0},
        {"https://", FR_E_MALFORMED, 0, 0, 0, 0, 0, 0},
        {"https://user@a/", FR_E_MALFORMED, 0, 0, 0, 0, 0, 0},
        {"https://a:/", FR_E_MALFORMED, 0, 0, 0, 0, 0, 0},
        {"https://a:0/", FR_E_RANGE, 0, 0, 0, 0, 0, 0},
        {"https://a:65536/", FR_E_RANGE, 0, 0, 0, 0, 0, 0},
        {"https://a/b c", FR_E_MALFORMED, 0, 0, 0, 0, 0, 0},
        {"https://a/b#c", FR_E_MALFORMED, 0, 0, 0, 0, 0, 0},
        {"https://a/b\r\nx", FR_E_MALFORMED, 0, 0, 0, 0, 0, 0},
        {"https://a?x", FR_E_MALFORMED, 0, 0, 0, 0, 0, 0},
        {"https://[::1/", FR_E_MALFORMED, 0, 0, 0, 0, 0, 0},
        {"https://[127.0.0.1]/", FR_E_MALFORMED, 0, 0, 0, 0, 0, 0},
        {"https://[::1]x/", FR_E_MALFORMED, 0, 0, 0, 0, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fr_url u;
        char authority[FR_AUTHORITY_TEXT];
        CHECK_ROW(rows[i].text, fr_url_parse(fr_span_str(rows[i].text), &u) == rows[i].want);
        if (rows[i].want != FR_OK) continue;
        fr_url_authority(&u, authority);
        CHECK_ROW(rows[i].text,
                  u.is_tls == rows[i].is_tls && u.is_ip == rows[i].is_ip && u.port == rows[i].port);
        CHECK_ROW(rows[i].text,
                  strcmp(u.host, rows[i].host) == 0 && strcmp(u.path, rows[i].path) == 0);
        CHECK_ROW(rows[i].text, strcmp(authority, rows[i].authority) == 0);
    }
}

static void limits(void **state)
{
    char text[900] = "https://a/";
    struct fr_url u;

    (void)state;
    memset(text + 10, 'x', 600);
    assert_int_equal(fr_url_parse(fr_span_str(text), &u), FR_E_LIMIT);
    memset(text + 8, 'x', 400);
    assert_int_equal(fr_url_parse(fr_span_str(text), &u), FR_E_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(urls), cmocka_unit_test(limits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
