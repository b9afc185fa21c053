#include "roles/options.h"

#include "support/unit.h"

/* The same NetID is another network in another federation; an entry without federation means all of them. */
static void test_rules(void **state)
{
    char a[] = "a.test", b[] = "b.test";
    struct fr_ns_peer_rule rules[] = {
        {.netid = 0x13, .roaming = FR_RULE_DENY},
        {.netid = 0x13, .federation = a, .roaming = FR_RULE_ALLOW, .lifetime_ms = 60000},
        {.netid = 0x14, .federation = b, .roaming = FR_RULE_DENY},
    };
    struct fr_ns_options o = {.roaming = {.otherwise = FR_RULE_ALLOW,
                                          .lifetime_ms = 3600000,
                                          .peers = rules,
                                          .n_peers = COUNT(rules)}};

    (void)state;
    assert_true(fr_ns_may_roam(&o, "a.test", 0x13));
    assert_false(fr_ns_may_roam(&o, "b.test", 0x13));
    assert_true(fr_ns_may_roam(&o, "a.test", 0x14));
    assert_false(fr_ns_may_roam(&o, "b.test", 0x14));
    assert_true(fr_ns_may_roam(&o, "b.test", 0x15));
    assert_int_equal(fr_ns_lifetime_s(&o, "a.test", 0x13), 60);
    assert_int_equal(fr_ns_lifetime_s(&o, "b.test", 0x13), 3600);
    o.roaming.otherwise = FR_RULE_DENY;
    assert_false(fr_ns_may_roam(&o, "b.test", 0x15));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rules)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
