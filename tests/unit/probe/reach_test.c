#include "probe/reach.h"

#include "support/unit.h"

static void every_special_address_is_known(void **state)
{
    static const struct {
        const char *ip;
        enum fr_reach want;
    } rows[] = {
        {"192.0.2.1", FR_REACH_PUBLIC},       {"8.8.8.8", FR_REACH_PUBLIC},
        {"172.15.255.255", FR_REACH_PUBLIC},  {"172.32.0.1", FR_REACH_PUBLIC},
        {"100.63.255.255", FR_REACH_PUBLIC},  {"100.128.0.1", FR_REACH_PUBLIC},
        {"223.255.255.255", FR_REACH_PUBLIC}, {"2001:db8::1", FR_REACH_PUBLIC},
        {"2a00:1450::1", FR_REACH_PUBLIC},    {"10.0.0.1", FR_REACH_PRIVATE},
        {"10.255.255.255", FR_REACH_PRIVATE}, {"100.64.0.1", FR_REACH_PRIVATE},
        {"127.0.0.1", FR_REACH_PRIVATE},      {"127.255.255.254", FR_REACH_PRIVATE},
        {"172.16.0.1", FR_REACH_PRIVATE},     {"172.31.255.255", FR_REACH_PRIVATE},
        {"192.0.0.8", FR_REACH_PRIVATE},      {"192.88.99.1", FR_REACH_PRIVATE},
        {"192.168.1.1", FR_REACH_PRIVATE},    {"198.18.0.1", FR_REACH_PRIVATE},
        {"198.19.255.255", FR_REACH_PRIVATE}, {"::1", FR_REACH_PRIVATE},
        {"fd00::1", FR_REACH_PRIVATE},        {"fc00::1", FR_REACH_PRIVATE},
        {"fec0::1", FR_REACH_PRIVATE},        {"64:ff9b::7f00:1", FR_REACH_PRIVATE},
        {"2002:7f00:1::1", FR_REACH_PRIVATE}, {"2001:0::1", FR_REACH_PRIVATE},
        {"0.0.0.0", FR_REACH_NONE},           {"0.1.2.3", FR_REACH_NONE},
        {"169.254.169.254", FR_REACH_NONE},   {"224.0.0.1", FR_REACH_NONE},
        {"239.255.255.255", FR_REACH_NONE},   {"240.0.0.1", FR_REACH_NONE},
        {"255.255.255.255", FR_REACH_NONE},   {"::", FR_REACH_NONE},
        {"::127.0.0.1", FR_REACH_NONE},       {"fe80::1", FR_REACH_NONE},
        {"febf::1", FR_REACH_NONE},           {"ff02::1", FR_REACH_NONE},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fr_ip ip;
        CHECK_ROW(rows[i].ip, fr_ip_parse(fr_span_str(rows[i].ip), &ip) == FR_OK);
        CHECK_ROW(rows[i].ip, fr_reach_of(&ip) == rows[i].want);
    }
}

/* However it is written, it is the IPv4 address or nothing. */
static void an_address_of_the_other_family_does_not_slip_through(void **state)
{
    const struct fr_ip mapped = {.family = 6,
                                 .b = {[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1}};
    const struct fr_ip nothing = {0};

    (void)state;
    assert_int_equal(fr_reach_of(&mapped), FR_REACH_NONE);
    assert_int_equal(fr_reach_of(&nothing), FR_REACH_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_special_address_is_known),
        cmocka_unit_test(an_address_of_the_other_family_does_not_slip_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
