#include "two_federations.h"

/* What one federation is asked about, and how often. */

static void leave_out(struct fedroam_options *o)
{
    static const char *const only[] = {"70b3d57ed", "0123456789abcde0"},
                             *except[] = {"70B3D57ED000000B"};
    assert_int_equal(fedroam_options_set_devices(o, "fed.test", only, 2, NULL, 0), FEDROAM_OK);
    assert_int_equal(fedroam_options_set_devices(o, "other.test", NULL, 0, except, 1), FEDROAM_OK);
}

static void test_prefixes(void **state)
{
    (void)state;
    struct scene s;
    open_with(&s, leave_out);
    look_up(&s, D1, FEDROAM_FOUND, 1, 1);
    look_up(&s, DB, FEDROAM_UNKNOWN, 1, 0);       /* other.test has it, and may not be asked */
    look_up(&s, STRANGER, FEDROAM_UNKNOWN, 0, 1); /* …ef is not …e0 */
    ask(&s.net, &s.a, "other.test", DB, 0);       /* named or not */
    net_run(&s.net, 0);
    expect(&s.a, FEDROAM_UNKNOWN, FEDROAM_CACHED);
    assert_string_not_equal(fedroam_answer_reason(s.a.answer), "");
    done(&s.a);
    ask(&s.net, &s.a, "fed.test", 0x8000000000000000u, 0);
    net_run(&s.net, 0);
    expect(&s.a, FEDROAM_UNKNOWN, FEDROAM_CACHED);
    done(&s.a);
    net_stop(&s.net);
}

/* A stranger that joins for ever is asked about after 60, 120, 240, 480, 600, 600 s … */
static void test_strangers_are_asked_about_less_and_less(void **state)
{
    (void)state;
    static const int64_t waits_s[] = {60, 120, 240, 480, 600, 600, 600};
    struct scene s;
    open_with(&s, NULL);
    look_up(&s, STRANGER, FEDROAM_UNKNOWN, 1, 1);
    int64_t asked_ms = s.net.now_ms - 2000 + 20; /* when the answers came */
    for (size_t i = 0; i < sizeof waits_s / sizeof *waits_s; i++) {
        s.net.now_ms = asked_ms + waits_s[i] * 1000 - 2001;
        look_up(&s, STRANGER, FEDROAM_UNKNOWN, 0, 0);
        s.net.now_ms = asked_ms + waits_s[i] * 1000;
        look_up(&s, STRANGER, FEDROAM_UNKNOWN, 1, 1);
        asked_ms = s.net.now_ms - 2000 + 20;
    }
    net_skip(&s.net, 1200000); /* not heard for long: a new beginning */
    look_up(&s, STRANGER, FEDROAM_UNKNOWN, 1, 1);
    ask(&s.net, &s.a, NULL, STRANGER, 0);
    net_run(&s.net, 0);
    assert_in_range(fedroam_answer_ttl(s.a.answer), 50, 60);
    done(&s.a);
    net_stop(&s.net);
}

/* A name that is used again near the end of its TTL is asked for again, and nobody waits. */
static void test_names_in_use_are_refreshed(void **state)
{
    (void)state;
    struct scene s;
    open_with(&s, NULL);
    struct asked *a = &s.a;
    ask(&s.net, a, "fed.test", D1, 0);
    net_run(&s.net, 20);
    done(a);
    unsigned asked = asked_of(&s, 0);
    net_skip(&s.net, 54000);
    for (int i = 0; i < 3; i++) { /* the network's 60 s: 6 s are left; the second use counts */
        ask(&s.net, a, "fed.test", D1, 0);
        net_run(&s.net, 0);
        expect(a, FEDROAM_FOUND, FEDROAM_CACHED);
        done(a);
        assert_int_equal(asked_of(&s, 0), asked + (i > 0));
    }
    net_run(&s.net, 20);
    net_skip(&s.net, 10000); /* past the first TTL */
    ask(&s.net, a, "fed.test", D1, 0);
    net_run(&s.net, 0);
    expect(a, FEDROAM_FOUND, FEDROAM_CACHED);
    done(a);
    assert_int_equal(asked_of(&s, 0), asked + 1);
    assert_int_equal(fedroam_count(s.net.f, FEDROAM_COUNT_PREFETCHES), 1);
    /* Without a broker the refresh comes to nothing, and what there is serves. */
    net_skip(&s.net, 46000);
    s.net.brokers[0][0].does = DOWN;
    for (int i = 0; i < 2; i++) {
        ask(&s.net, a, "fed.test", D1, 0);
        net_run(&s.net, 20);
        expect(a, FEDROAM_FOUND, FEDROAM_CACHED);
        done(a);
    }
    net_stop(&s.net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_prefixes),
        cmocka_unit_test(test_names_in_use_are_refreshed),
        cmocka_unit_test(test_strangers_are_asked_about_less_and_less),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
