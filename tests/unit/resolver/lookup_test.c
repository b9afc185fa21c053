#include "two_federations.h"

/* Which federation is asked when. */

static void in_order(struct fedroam_options *o)
{
    assert_int_equal(fedroam_options_set_ask(o, FEDROAM_ASK_IN_ORDER), FEDROAM_OK);
}

static void test_the_last_federation_is_asked_first(void **state)
{
    (void)state;
    struct scene s;
    open_with(&s, NULL);
    look_up(&s, DB, FEDROAM_FOUND, 1, 1); /* nobody knows where: both */
    net_skip(&s.net, 3600000);
    look_up(&s, DB, FEDROAM_FOUND, 0, 1);
    look_up(&s, STRANGER, FEDROAM_UNKNOWN, 1, 1);
    net_skip(&s.net, 3600000);
    s.net.moved = true; /* into the other federation */
    look_up(&s, DB, FEDROAM_FOUND, 1, 1);
    net_skip(&s.net, 3600000);
    look_up(&s, DB, FEDROAM_FOUND, 1, 0);
    net_stop(&s.net);
}

static void test_in_order(void **state)
{
    (void)state;
    struct scene s;
    open_with(&s, in_order);
    look_up(&s, D1, FEDROAM_FOUND, 1, 0);
    look_up(&s, DB, FEDROAM_FOUND, 1, 1);
    look_up(&s, STRANGER, FEDROAM_UNKNOWN, 1, 1);
    look_up(&s, STRANGER, FEDROAM_UNKNOWN, 0, 0);
    s.net.brokers[0][0].does = FORBIDS;
    look_up(&s, STRANGER + 1, FEDROAM_REFUSED, 1, 1); /* unknown in the second proves nothing */
    look_up(&s, DB, FEDROAM_FOUND, 0, 0);
    net_stop(&s.net);
}

/* A federation whose brokers are silent does not take the time of the others. */
static void test_patience(void **state)
{
    (void)state;
    for (int with_home = 0; with_home < 2; with_home++) {
        struct scene s;
        open_with(&s, with_home ? NULL : in_order);
        if (with_home) {
            look_up(&s, D1, FEDROAM_FOUND, 1, 1);
            net_skip(&s.net, 3700000);
            s.net.moved = true;
        }
        s.net.brokers[0][0].does = SILENT;
        ask(&s.net, &s.a, NULL, with_home ? D1 : DB, 0);
        net_run(&s.net, 1019);
        assert_int_equal(s.a.ends, 0);
        net_run(&s.net, 1);
        expect(&s.a, FEDROAM_FOUND, FEDROAM_FRESH); /* broker_timeout + 20 ms */
        assert_string_equal(fedroam_answer_federation(s.a.answer), "other.test");
        done(&s.a);
        ask(&s.net, &s.a, NULL, STRANGER, 100); /* little time: half of it for the first */
        net_run(&s.net, 100);
        expect(&s.a, FEDROAM_NO_BROKER, FEDROAM_FRESH);
        done(&s.a);
        net_stop(&s.net);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_last_federation_is_asked_first),
        cmocka_unit_test(test_in_order),
        cmocka_unit_test(test_patience),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
