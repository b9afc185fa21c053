#include "net.h"

#include "resolver/peer.h"

/* Peers checked by their keys, on the simulated network. */

#define PIN(digit)                                                                                 \
    "_ns.000013.netid.fed.test. 60 TLSA 3 1 1 " digit digit digit digit digit digit digit digit
#define A8 "aaaaaaaa"
#define B8 "bbbbbbbb"

static const uint8_t key_a[FR_PEER_KEY] = {
    0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa,
    0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa};

struct verdict {
    unsigned times;
    enum fedroam_peer verdict;
    bool has_network;
};

static void on_verdict(void *data, enum fedroam_peer verdict, const char *why,
                       const struct fedroam_answer *network)
{
    struct verdict *v = data;
    v->times++;
    v->verdict = verdict;
    v->has_network = network && fedroam_answer_endpoint_count(network) > 0;
    assert_int_equal(why[0] == 0, verdict == FEDROAM_PEER_OK);
}

static struct fedroam_peer_check *start_check(struct net *net, struct verdict *v)
{
    struct fedroam_peer_check *c = NULL;
    struct fr_peer_call call = {.done = on_verdict, .data = v};
    *v = (struct verdict){0};
    assert_int_equal(fr_peer_start(net->f, "fed.test", 0x13, key_a, 0, call, &c), FR_OK);
    assert_int_equal(v->times, 0);
    return c;
}

static struct verdict check(struct net *net)
{
    struct verdict v;
    start_check(net, &v);
    net_run(net, 100);
    assert_int_equal(v.times, 1);
    return v;
}

static void expect_verdict(struct net *net, enum fedroam_peer verdict, unsigned asked)
{
    unsigned before = net_asked(net);
    struct verdict v = check(net);
    if (v.verdict != verdict) fail_msg("%s", fedroam_peer_text(v.verdict));
    assert_int_equal(net_asked(net) - before, asked);
    assert_int_equal(v.has_network,
                     verdict != FEDROAM_PEER_UNKNOWN && verdict != FEDROAM_PEER_UNDECIDED);
}

static void test_from_issue_to_revocation(void **state)
{
    (void)state;
    struct net net;
    net_start(&net, 1, 1);
    net.pins = PIN(A8) "\n" PIN(B8);
    expect_verdict(&net, FEDROAM_PEER_OK, 1);
    for (int i = 0; i < 10; i++) expect_verdict(&net, FEDROAM_PEER_OK, 0);
    net.pins = PIN(B8); /* revoked; noticed when the TTL is over */
    net_skip(&net, 40000);
    expect_verdict(&net, FEDROAM_PEER_OK, 0);
    net_skip(&net, 20000);
    expect_verdict(&net, FEDROAM_PEER_REVOKED, 1);
    /* Refusals look past the cache, but not more than once a second. */
    expect_verdict(&net, FEDROAM_PEER_REVOKED, 0);
    net_skip(&net, 1000);
    expect_verdict(&net, FEDROAM_PEER_REVOKED, 1);
    net_skip(&net, 1000);
    net.pins = PIN(A8); /* issued anew: it need not wait */
    expect_verdict(&net, FEDROAM_PEER_OK, 1);
    net_stop(&net);
}

static void test_networks_that_come_and_go(void **state)
{
    (void)state;
    struct net net;
    net_start(&net, 1, 1);
    net.pins = PIN(A8);
    net.is_gone = true;
    expect_verdict(&net, FEDROAM_PEER_UNKNOWN, 1);
    expect_verdict(&net, FEDROAM_PEER_UNKNOWN, 0);
    net_skip(&net, 2000);
    net.is_gone = false;
    expect_verdict(&net, FEDROAM_PEER_OK, 1);
    struct verdict v = {0};
    struct fr_peer_call call = {.done = on_verdict, .data = &v};
    assert_int_equal(fr_peer_start(net.f, "none.test", 0x13, key_a, 0, call, NULL), FR_E_NOT_FOUND);
    net_stop(&net);
}

static void test_when_no_broker_answers(void **state)
{
    (void)state;
    static const struct {
        enum behaviour does;
        enum fedroam_peer known,
            unknown; /* with something in the cache, past its TTL, or nothing */
    } rows[] = {
        {DOWN, FEDROAM_PEER_STALE, FEDROAM_PEER_UNDECIDED},
        {SILENT, FEDROAM_PEER_STALE, FEDROAM_PEER_UNDECIDED},
        {BUDGET, FEDROAM_PEER_STALE, FEDROAM_PEER_UNDECIDED},
        {FORBIDS, FEDROAM_PEER_UNDECIDED, FEDROAM_PEER_UNDECIDED}, /* we are out: nothing old */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct net net;
        struct verdict v;
        net_start(&net, 1, 1);
        net.brokers[0][0].does = rows[i].does;
        start_check(&net, &v);
        net_run(&net, 2000);
        assert_int_equal(v.verdict, rows[i].unknown);
        net_stop(&net);

        net_start(&net, 1, 1);
        net.pins = PIN(A8);
        expect_verdict(&net, FEDROAM_PEER_OK, 1);
        net_skip(&net, 3600000);
        net.brokers[0][0].does = rows[i].does;
        start_check(&net, &v);
        net_run(&net, 2000);
        assert_int_equal(v.times, 1);
        if (v.verdict != rows[i].known) fail_msg("row %zu: %s", i, fedroam_peer_text(v.verdict));
        net_skip(&net, 86400000);
        start_check(&net, &v);
        net_run(&net, 2000);
        assert_int_equal(v.verdict, FEDROAM_PEER_UNDECIDED); /* too old by now */
        net_stop(&net);
    }
}

/* A key that was not known, while nobody can be asked: not refused as revoked. */
static void test_another_key_when_no_broker_answers(void **state)
{
    (void)state;
    struct net net;
    net_start(&net, 1, 1);
    net.pins = PIN(B8);
    expect_verdict(&net, FEDROAM_PEER_REVOKED, 1);
    net_skip(&net, 5000);
    net.brokers[0][0].does = DOWN;
    struct verdict v = check(&net);
    assert_int_equal(v.verdict, FEDROAM_PEER_UNDECIDED);
    net_stop(&net);
}

static void test_its_own_time_for_stale_keys(void **state)
{
    (void)state;
    for (int peers_longer = 0; peers_longer < 2; peers_longer++) {
        struct fedroam_options *o = net_options(1, 1);
        struct net net;
        struct asked a;
        assert_int_equal(fedroam_options_set_peer_stale(o, peers_longer ? 3600 : 0), FEDROAM_OK);
        assert_int_equal(fedroam_options_set_stale(o, peers_longer ? 0 : 3600), FEDROAM_OK);
        net_init(&net);
        net.pins = PIN(A8);
        assert_int_equal(net_open(&net, o), FR_OK);
        fedroam_options_free(o);
        expect_verdict(&net, FEDROAM_PEER_OK, 1);
        ask(&net, &a, NULL, D1, 0);
        net_run(&net, 50);
        done(&a);
        net_skip(&net, 1800000);
        net.brokers[0][0].does = DOWN;
        struct verdict v = check(&net);
        assert_int_equal(v.verdict, peers_longer ? FEDROAM_PEER_STALE : FEDROAM_PEER_UNDECIDED);
        ask(&net, &a, NULL, D1, 0);
        net_run(&net, 50);
        expect(&a, peers_longer ? FEDROAM_NO_BROKER : FEDROAM_FOUND,
               peers_longer ? FEDROAM_FRESH : FEDROAM_STALE);
        done(&a);
        net_stop(&net);
    }
}

static void test_cancelled_and_freed(void **state)
{
    (void)state;
    struct net net;
    struct verdict v[3];
    net_start(&net, 1, 1);
    net.pins = PIN(B8);
    for (int64_t ms = 0; ms < 20; ms += 5) {
        struct fedroam_peer_check *c = start_check(&net, &v[0]);
        net_run(&net, ms);
        fedroam_check_peer_cancel(c);
        net_run(&net, 100);
        assert_int_equal(v[0].times, 0);
        net_skip(&net, 61000);
    }
    start_check(&net, &v[1]);
    start_check(&net, &v[2]);
    net_stop(&net);
    assert_int_equal(v[1].times + v[2].times, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_from_issue_to_revocation),
        cmocka_unit_test(test_networks_that_come_and_go),
        cmocka_unit_test(test_when_no_broker_answers),
        cmocka_unit_test(test_another_key_when_no_broker_answers),
        cmocka_unit_test(test_its_own_time_for_stale_keys),
        cmocka_unit_test(test_cancelled_and_freed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
