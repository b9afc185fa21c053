#include "agent/guest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_who_may_ask(void **state)
{
    (void)state;
    struct fr_prefix allow[2];
    assert_int_equal(fr_prefix_parse(FR_SPAN_LIT("172.17.0.0/16"), &allow[0]), FR_OK);
    assert_int_equal(fr_prefix_parse(FR_SPAN_LIT("fd00::/8"), &allow[1]), FR_OK);
    static const struct {
        const char *peer;
        uint16_t port;
        bool without, with;
    } rows[] = {
        {"127.0.0.1", 1000, true, true},   {"127.9.9.9", 1000, true, true},
        {"::1", 1000, true, true},         {"127.0.0.1", 0, false, false},
        {"172.17.3.4", 1000, false, true}, {"172.18.3.4", 1000, false, false},
        {"fd12::1", 1000, false, true},    {"2001:db8::1", 1000, false, false},
        {"172.17.3.4", 0, false, false},   {"0.0.0.0", 1000, false, false},
    };
    const struct fr_guests nobody = {0}, some = {allow, 2};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fr_addr peer = {.port = rows[i].port};
        assert_int_equal(fr_ip_parse(fr_span_str(rows[i].peer), &peer.ip), FR_OK);
        assert_int_equal(fr_guests_has(&nobody, &peer), rows[i].without);
        assert_int_equal(fr_guests_has(&some, &peer), rows[i].with);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_who_may_ask)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
