#include "store/join_server.h"
#include "support/unit.h"

#include <string.h>

static const struct {
    const char *text;
    const char *printed; /* NULL: the same */
} good[] = {
    {"https://192.0.2.11", NULL},
    {"https://192.0.2.11:8443", NULL},
    {"http://192.0.2.11:443", NULL},
    {"https://[2001:db8::11]:8443", NULL},
    {"https://192.0.2.11:8443,also=2001:db8::11", NULL},
    {"https://[2001:db8::11],also=192.0.2.11", NULL},
    {"https://js.acme.example", NULL},
    {"https://js1.acme.example:8443,priority=1,weight=10", NULL},
    {"http://js.acme.example,weight=65535,order=0,preference=1", NULL},
    {"https://js.acme.example:443", "https://js.acme.example"},
    {"http://js.acme.example:80/", "http://js.acme.example"},
    {"https://JS.Acme.Example.", "https://js.acme.example"},
    {"https://js.acme.example,priority=3,weight=0,order=100,preference=50",
     "https://js.acme.example"},
    {"http://js.acme.example,preference=60", "http://js.acme.example"},
    {"https://js.acme.example,priority=1,priority=2", "https://js.acme.example,priority=2"},
};

static void both_ways(void **state)
{
    struct fr_join_server server, again;
    struct fr_diag diag;
    char text[FR_JOIN_SERVER_TEXT];

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        const char *want = good[i].printed ? good[i].printed : good[i].text;
        diag = (struct fr_diag){0};
        CHECK_ROW(good[i].text,
                  fr_join_server_parse(fr_span_str(good[i].text), 3, &diag, &server) == FR_OK);
        fr_join_server_print(&server, 3, text);
        CHECK_ROW(good[i].text, strcmp(text, want) == 0);
        CHECK_ROW(good[i].text,
                  fr_join_server_parse(fr_span_str(text), 3, &diag, &again) == FR_OK &&
                      fr_join_server_equal(&server, &again));
    }
}

static void the_longest(void **state)
{
    char host[8 + FR_JOIN_HOST_MAX + 2] = "https://", text[FR_JOIN_SERVER_TEXT];
    struct fr_join_server server = {0}, again;
    struct fr_diag diag = {0};

    (void)state;
    for (size_t i = 8; i < 8 + FR_JOIN_HOST_MAX; i++) host[i] = i % 60 == 59 ? '.' : 'a';
    assert_int_equal(fr_join_server_parse(fr_span_str(host), 1, &diag, &server), FR_OK);
    server.port = server.priority = server.weight = server.order = server.preference = 65535;
    fr_join_server_print(&server, 1, text);
    assert_int_equal(fr_join_server_parse(fr_span_str(text), 1, &diag, &again), FR_OK);
    assert_true(fr_join_server_equal(&server, &again));
    host[8 + FR_JOIN_HOST_MAX] = 'a';
    assert_int_equal(fr_join_server_parse(fr_span_str(host), 1, &diag, &server), FR_E_MALFORMED);
}

static void anything_else(void **state)
{
    static const struct {
        const char *text;
        enum fr_err err;
        const char *why;
    } rows[] = {
        {"", FR_E_MALFORMED, "https://HOST:PORT"},
        {"192.0.2.11:8443", FR_E_MALFORMED, "https://HOST:PORT"},
        {"ftp://192.0.2.11", FR_E_MALFORMED, "https://HOST:PORT"},
        {"https://192.0.2.11:0", FR_E_MALFORMED, ""},
        {"https://192.0.2.11:65536", FR_E_MALFORMED, ""},
        {"https://user@192.0.2.11", FR_E_MALFORMED, ""},
        {"https://js.acme.example/join", FR_E_INVALID, "path"},
        {"https://0.0.0.0", FR_E_INVALID, "nobody can connect"},
        {"https://224.0.0.1", FR_E_INVALID, "nobody can connect"},
        {"https://[ff02::1]", FR_E_INVALID, "nobody can connect"},
        {"https://localhost", FR_E_MALFORMED, "name of a host"},
        {"https://js_1.acme.example", FR_E_MALFORMED, "name of a host"},
        {"https://-js.acme.example", FR_E_MALFORMED, "name of a host"},
        {"https://js-.acme.example", FR_E_MALFORMED, "name of a host"},
        {"https://js..example", FR_E_MALFORMED, "name of a host"},
        {"https://192.0.2.11,also=192.0.2.12", FR_E_INVALID, "each family"},
        {"https://192.0.2.11,also=2001:db8::1,also=2001:db8::2", FR_E_INVALID, "each family"},
        {"https://192.0.2.11,also=js.acme.example", FR_E_MALFORMED, "not an IP address"},
        {"https://js.acme.example,also=192.0.2.11", FR_E_INVALID, "a name has its addresses"},
        {"https://192.0.2.11,priority=65536", FR_E_RANGE, "65535"},
        {"https://192.0.2.11,weight=-1", FR_E_MALFORMED, "65535"},
        {"https://192.0.2.11,weight", FR_E_MALFORMED, "options are"},
        {"https://192.0.2.11,speed=1", FR_E_MALFORMED, "options are"},
        {"https://192.0.2.11,", FR_E_MALFORMED, "options are"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fr_join_server server = {.port = 7};
        struct fr_diag diag = {0};
        CHECK_ROW(rows[i].text, fr_join_server_parse(fr_span_str(rows[i].text), 1, &diag,
                                                     &server) == rows[i].err);
        CHECK_ROW(rows[i].text, strstr(diag.what, rows[i].why) != NULL && server.port == 7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ways),
        cmocka_unit_test(the_longest),
        cmocka_unit_test(anything_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
