#include "net.h"

#include "resolver/records.h"

/* Whole answers over the simulated network. */

struct got {
    struct net *net;
    struct fr_records_query *query;
    unsigned ends;
    enum fedroam_result result;
    enum fedroam_freshness freshness;
    unsigned rcode, answers;
    uint32_t age_s, retry_after_s;
    int ede;
    char reason[256];
};

static void on_records(void *data, const struct fr_records_answer *a)
{
    struct got *g = data;
    g->ends++;
    g->result = a->result;
    g->freshness = a->freshness;
    g->age_s = a->age_s;
    g->retry_after_s = a->retry_after_s;
    g->ede = a->ede;
    snprintf(g->reason, sizeof g->reason, "%s", a->reason);
    if (a->result != FEDROAM_FOUND) return;
    g->rcode = a->message.rcode;
    g->answers = a->message.count[FR_DNS_ANSWER];
}

static void get(struct net *net, struct got *g, const char *name, uint16_t type)
{
    struct fr_dname n = test_name(name);
    *g = (struct got){.net = net};
    assert_int_equal(fr_records_ask(net->f, 0, &n, type, 0, on_records, g, &g->query), FR_OK);
    assert_int_equal(g->ends, 0);
}

static void test_an_answer_comes_as_it_is_and_is_kept(void **state)
{
    (void)state;
    struct net net;
    struct got g;
    net_start(&net, 1, 1);
    get(&net, &g, DEVICE, FR_DNS_A);
    net_run(&net, 20);
    assert_int_equal(g.ends, 1);
    assert_int_equal(g.result, FEDROAM_FOUND);
    assert_int_equal(g.freshness, FEDROAM_FRESH);
    assert_int_equal(g.answers, 2); /* CNAME and A */
    assert_int_equal(g.age_s, 0);

    net_skip(&net, 30000); /* in another letter case, it is the same name */
    get(&net, &g, "70B3D57ED0000001.DevEUI.fed.test.", FR_DNS_A);
    net_run(&net, 0);
    assert_int_equal(g.ends, 1);
    assert_int_equal(g.freshness, FEDROAM_CACHED);
    assert_int_equal(g.age_s, 30);
    assert_int_equal(net_asked(&net), 1);

    get(&net, &g, DEVICE, FR_DNS_AAAA); /* another type is another question */
    net_run(&net, 20);
    assert_int_equal(net_asked(&net), 2);

    net_skip(&net, 30000); /* the smallest TTL of the Answer is the A record's, 60 s */
    get(&net, &g, DEVICE, FR_DNS_A);
    net_run(&net, 20);
    assert_int_equal(g.freshness, FEDROAM_FRESH);
    assert_int_equal(net_asked(&net), 3);
    net_stop(&net);
}

static void test_what_is_not_there_is_kept_too(void **state)
{
    (void)state;
    struct net net;
    struct got g;
    net_start(&net, 1, 1);
    for (int i = 0; i < 2; i++) {
        get(&net, &g, "0123456789abcdef.deveui.fed.test.", FR_DNS_A);
        net_run(&net, 20);
        assert_int_equal(g.result, FEDROAM_FOUND);
        assert_int_equal(g.rcode, FR_DNS_NXDOMAIN);
        get(&net, &g, NETWORK, FR_DNS_TXT);
        net_run(&net, 20);
        assert_int_equal(g.rcode, FR_DNS_NOERROR);
        assert_int_equal(g.answers, 0);
    }
    assert_int_equal(net_asked(&net), 2);
    net_skip(&net, 61000);
    net.brokers[0][0].does = DOWN; /* never past its TTL */
    get(&net, &g, "0123456789abcdef.deveui.fed.test.", FR_DNS_A);
    net_run(&net, 20);
    assert_int_equal(g.result, FEDROAM_NO_BROKER);
    net_stop(&net);
}

static void test_stale_only_while_no_broker_answers(void **state)
{
    (void)state;
    struct net net;
    struct got g;
    net_start(&net, 1, 1);
    get(&net, &g, DEVICE, FR_DNS_A);
    net_run(&net, 20);
    net_skip(&net, 61000);
    net.brokers[0][0].does = FORBIDS;
    get(&net, &g, DEVICE, FR_DNS_A);
    net_run(&net, 20);
    assert_int_equal(g.result, FEDROAM_REFUSED);
    net.brokers[0][0].does = DOWN;
    get(&net, &g, DEVICE, FR_DNS_A);
    net_run(&net, 20);
    assert_int_equal(g.result, FEDROAM_FOUND);
    assert_int_equal(g.freshness, FEDROAM_STALE);
    assert_int_equal(g.answers, 2);
    assert_int_equal(fedroam_count(net.f, FEDROAM_COUNT_STALE), 1);
    get(&net, &g, NETWORK, FR_DNS_A); /* never seen */
    net_run(&net, 20);
    assert_int_equal(g.result, FEDROAM_NO_BROKER);
    assert_string_not_equal(g.reason, "");
    net_stop(&net);
}

static void test_a_silent_broker_ends_at_the_deadline(void **state)
{
    (void)state;
    struct net net;
    struct got g;
    net_start(&net, 1, 1);
    net.brokers[0][0].does = SILENT;
    get(&net, &g, DEVICE, FR_DNS_A);
    net_run(&net, 1999);
    assert_int_equal(g.ends, 0);
    net_run(&net, 2);
    assert_int_equal(g.ends, 1);
    assert_int_equal(g.result, FEDROAM_NO_BROKER);
    net_stop(&net);
}

static void test_over_budget(void **state)
{
    (void)state;
    struct net net;
    struct got g;
    net_start(&net, 1, 1);
    net.brokers[0][0].does = BUDGET;
    net.brokers[0][0].retry_after_s = 7;
    get(&net, &g, DEVICE, FR_DNS_A);
    net_run(&net, 20);
    assert_int_equal(g.result, FEDROAM_OVER_BUDGET);
    assert_int_equal(g.retry_after_s, 7);
    net_stop(&net);
}

static void test_the_same_question_is_sent_once(void **state)
{
    (void)state;
    enum { N = 20 };
    struct net net;
    struct got g[N], other;
    net_start(&net, 1, 1);
    for (int i = 0; i < N; i++) get(&net, &g[i], DEVICE, FR_DNS_A);
    get(&net, &other, NETWORK, FR_DNS_A);
    fr_records_cancel(g[3].query); /* before it started */
    net_run(&net, 10);
    fr_records_cancel(g[4].query); /* while it waits */
    net_run(&net, 10);
    assert_int_equal(net_asked(&net), 2);
    for (int i = 0; i < N; i++) assert_int_equal(g[i].ends, i == 3 || i == 4 ? 0 : 1);
    assert_int_equal(other.ends, 1);
    net_stop(&net);
}

static void test_limits_and_the_end_of_the_handle(void **state)
{
    (void)state;
    struct net net;
    struct got g[3];
    struct fr_dname name = test_name(DEVICE);
    struct fedroam_options *o = net_options(1, 1);
    assert_int_equal(fedroam_options_set_pending(o, 2), FEDROAM_OK);
    net_init(&net);
    assert_int_equal(net_open(&net, o), FR_OK);
    fedroam_options_free(o);
    get(&net, &g[0], DEVICE, FR_DNS_A);
    net_run(&net, 5);
    get(&net, &g[1], NETWORK, FR_DNS_A);
    assert_int_equal(fr_records_ask(net.f, 0, &name, FR_DNS_A, 0, on_records, &g[2], &g[2].query),
                     FR_E_LIMIT);
    assert_int_equal(fr_records_ask(net.f, 1, &name, FR_DNS_A, 0, on_records, &g[2], &g[2].query),
                     FR_E_NOT_FOUND);
    net_stop(&net); /* one on its trip, one starting: no call-back, no leak */
    assert_int_equal(g[0].ends + g[1].ends, 0);
}

static void test_strangers_are_asked_about_less_and_less(void **state)
{
    (void)state;
    struct net net;
    struct got g;
    struct asked a;
    net_start(&net, 1, 1);
    for (int64_t minutes = 1; minutes <= 8; minutes *= 2) {
        unsigned before = net_asked(&net);
        get(&net, &g, "0123456789abcdef.deveui.fed.test.", FR_DNS_A);
        net_run(&net, 20);
        assert_int_equal(g.rcode, FR_DNS_NXDOMAIN);
        assert_int_equal(net_asked(&net), before + 1);
        net_skip(&net, minutes * 60000 - 1000);
        get(&net, &g, "0123456789abcdef.deveui.fed.test.", FR_DNS_A);
        net_run(&net, 20);
        assert_int_equal(g.freshness, FEDROAM_CACHED);
        ask(&net, &a, NULL, 0x0123456789abcdef, 0); /* other ways to look it up know it too */
        net_run(&net, 20);
        expect(&a, FEDROAM_UNKNOWN, FEDROAM_CACHED);
        done(&a);
        assert_int_equal(net_asked(&net), before + 1);
        net_skip(&net, 2000);
    }
    net_stop(&net);
}

static void test_a_device_not_to_be_asked_about(void **state)
{
    (void)state;
    struct net net;
    struct got g;
    struct fedroam_options *o = net_options(1, 1);
    static const char *const except[] = {"70b3d57ed0000001"};
    assert_int_equal(fedroam_options_set_devices(o, "fed.test", NULL, 0, except, 1), FEDROAM_OK);
    net_init(&net);
    assert_int_equal(net_open(&net, o), FR_OK);
    fedroam_options_free(o);
    get(&net, &g, DEVICE, FR_DNS_A);
    net_run(&net, 20);
    assert_int_equal(g.ends, 1);
    assert_int_equal(g.result, FEDROAM_UNKNOWN);
    assert_int_equal(net_asked(&net), 0);
    get(&net, &g, "70b3d57ed0000002.deveui.fed.test", FR_DNS_A);
    net_run(&net, 20);
    assert_int_equal(g.result, FEDROAM_FOUND);
    net_stop(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_answer_comes_as_it_is_and_is_kept),
        cmocka_unit_test(test_what_is_not_there_is_kept_too),
        cmocka_unit_test(test_stale_only_while_no_broker_answers),
        cmocka_unit_test(test_a_silent_broker_ends_at_the_deadline),
        cmocka_unit_test(test_over_budget),
        cmocka_unit_test(test_strangers_are_asked_about_less_and_less),
        cmocka_unit_test(test_a_device_not_to_be_asked_about),
        cmocka_unit_test(test_the_same_question_is_sent_once),
        cmocka_unit_test(test_limits_and_the_end_of_the_handle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
