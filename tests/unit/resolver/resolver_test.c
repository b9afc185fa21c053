#include "net.h"

/* Behaviour of the whole resolver over a simulated network and clock. */

static void test_a_device_is_found(void **state)
{
    (void)state;
    struct net net;
    struct asked a;
    net_start(&net, 1, 1);
    ask(&net, &a, NULL, D1, 0);
    net_run(&net, 20);
    expect(&a, FEDROAM_FOUND, FEDROAM_FRESH);
    assert_int_equal(net_asked(&net), 1); /* one exchange tells all */
    assert_string_equal(fedroam_answer_federation(a.answer), "fed.test");
    assert_int_equal(fedroam_answer_netid(a.answer), 0x13);
    assert_int_equal(fedroam_answer_kind(a.answer), FEDROAM_DEVICE);
    assert_true(fedroam_answer_id(a.answer) == D1);
    assert_string_equal(fedroam_answer_tls_name(a.answer), "000013.netid.fed.test");
    assert_string_equal(fedroam_answer_ca_path(a.answer), "ca.pem");
    assert_string_equal(fedroam_answer_chain_path(a.answer), "chain.pem");
    assert_string_equal(fedroam_answer_key_path(a.answer), "me.key");
    assert_int_equal(fedroam_answer_ttl(a.answer), 60);
    assert_int_equal(fedroam_answer_endpoint_count(a.answer), 1);
    assert_string_equal(fedroam_answer_endpoint_text(a.answer, 0), "192.0.2.1:8005");
    assert_string_equal(fedroam_answer_endpoint_host(a.answer, 0), "e1.000013.netid.fed.test");
    assert_int_equal(fedroam_answer_endpoint_port(a.answer, 0), 8005);
    socklen_t len = 0;
    assert_non_null(fedroam_answer_endpoint(a.answer, 0, &len));
    assert_null(fedroam_answer_endpoint(a.answer, 1, &len));
    assert_string_equal(fedroam_answer_endpoint_text(a.answer, 1), "");
    assert_string_equal(fedroam_answer_reason(a.answer), "");
    done(&a);
    net_stop(&net);
}

static void test_the_cache_serves_until_the_ttl_ends(void **state)
{
    (void)state;
    struct net net;
    struct asked a;
    net_start(&net, 1, 1);
    ask(&net, &a, NULL, D1, 0);
    net_run(&net, 20);
    done(&a);

    net_skip(&net, 29000);
    ask(&net, &a, NULL, D1, 0);
    net_run(&net, 0);
    expect(&a, FEDROAM_FOUND, FEDROAM_CACHED);
    assert_int_equal(fedroam_answer_ttl(a.answer), 30);
    assert_int_equal(net_asked(&net), 1);
    done(&a);

    ask(&net, &a, NULL, D2, 0); /* another device of the same network */
    net_run(&net, 20);
    expect(&a, FEDROAM_FOUND, FEDROAM_FRESH);
    assert_int_equal(net_asked(&net), 2);
    done(&a);

    net_skip(
        &net,
        61000); /* the network's TTL is over, the device's is not: its answer tells the network again */
    ask(&net, &a, NULL, D1, 0);
    net_run(&net, 20);
    expect(&a, FEDROAM_FOUND, FEDROAM_FRESH);
    assert_int_equal(net_asked(&net), 3);
    done(&a);
    assert_int_equal(fedroam_count(net.f, FEDROAM_COUNT_CACHED), 1);
    assert_int_equal(fedroam_count(net.f, FEDROAM_COUNT_LOOKUPS), 4);
    assert_int_equal(fedroam_count(net.f, FEDROAM_COUNT_CACHE_ENTRIES), 3);
    net_stop(&net);
}

static void test_missing_pieces_are_asked_for(void **state)
{
    (void)state;
    struct net net;
    struct asked a, b;
    net_start(&net, 1, 1);
    net.is_bare = true;
    ask(&net, &a, NULL, D1, 0);
    ask(&net, &b, NULL, D2, 0);
    net_run(&net, 100);
    expect(&a, FEDROAM_FOUND, FEDROAM_FRESH);
    expect(&b, FEDROAM_FOUND, FEDROAM_FRESH);
    assert_string_equal(fedroam_answer_endpoint_text(a.answer, 0), "192.0.2.1:8005");
    /* two devices, one SRV, one address, one TLSA: the network's questions are shared */
    assert_int_equal(net_asked(&net), 5);
    done(&a);
    done(&b);
    net_stop(&net);
}

static void test_one_question_per_name(void **state)
{
    (void)state;
    enum { N = 50 };
    struct net net;
    struct asked a[N];
    net_start(&net, 1, 1);
    for (int i = 0; i < N; i++) ask(&net, &a[i], i % 2 ? "fed.test" : NULL, D1, 0);
    net_run(&net, 20);
    assert_int_equal(net_asked(&net), 1);
    assert_int_equal(fedroam_count(net.f, FEDROAM_COUNT_SHARED), N - 1);
    for (int i = 0; i < N; i++) {
        expect(&a[i], FEDROAM_FOUND, FEDROAM_FRESH);
        done(&a[i]);
    }
    net_stop(&net);
}

static void test_negative_answers_are_kept(void **state)
{
    (void)state;
    struct net net;
    struct asked a;
    net_start(&net, 1, 1);
    ask(&net, &a, NULL, STRANGER, 0);
    net_run(&net, 20);
    expect(&a, FEDROAM_UNKNOWN, FEDROAM_FRESH);
    assert_int_equal(fedroam_answer_ttl(a.answer), 60);
    assert_int_equal(fedroam_answer_netid(a.answer), FEDROAM_NO_NETID);
    done(&a);
    net_skip(&net, 58000);
    ask(&net, &a, NULL, STRANGER, 0);
    net_run(&net, 0);
    expect(&a, FEDROAM_UNKNOWN, FEDROAM_CACHED);
    assert_int_equal(net_asked(&net), 1);
    done(&a);
    net_skip(&net, 2000);
    ask(&net, &a, NULL, STRANGER, 0);
    net_run(&net, 20);
    expect(&a, FEDROAM_UNKNOWN, FEDROAM_FRESH);
    assert_int_equal(net_asked(&net), 2);
    done(&a);
    net_stop(&net);
}

static void test_each_look_up_ends_by_its_deadline(void **state)
{
    (void)state;
    static const uint32_t timeouts[] = {700, 100, 0, 300, 100};
    struct net net;
    struct asked a[5];
    net_start(&net, 1, 1);
    net.brokers[0][0].does = SILENT;
    for (int i = 0; i < 5; i++) ask(&net, &a[i], NULL, D1, timeouts[i]);
    net_run(&net, 5000);
    for (int i = 0; i < 5; i++) {
        expect(&a[i], FEDROAM_NO_BROKER, FEDROAM_FRESH);
        assert_int_equal(a[i].at_ms, 1000 + (timeouts[i] ? timeouts[i] : 2000));
        done(&a[i]);
    }
    assert_int_equal(net_asked(&net), 1);
    net_stop(&net);
}

static void test_a_late_answer_is_not_lost(void **state)
{
    (void)state;
    struct net net;
    struct asked a;
    net_start(&net, 1, 1);
    net.brokers[0][0].delay_ms = 500;
    ask(&net, &a, NULL, D1, 100);
    net_run(&net, 100);
    expect(&a, FEDROAM_NO_BROKER, FEDROAM_FRESH);
    assert_string_equal(fedroam_answer_reason(a.answer), "no answer within 100 ms");
    done(&a);
    net_run(&net, 400);
    ask(&net, &a, NULL, D1, 100);
    net_run(&net, 0);
    expect(&a, FEDROAM_FOUND, FEDROAM_CACHED);
    done(&a);
    net_stop(&net);
}

static void test_fail_over_and_back_off(void **state)
{
    (void)state;
    struct net net;
    struct asked a;
    net_start(&net, 1, 2);
    net.brokers[0][0].does = DOWN;
    ask(&net, &a, NULL, D1, 0);
    net_run(&net, 40);
    expect(&a, FEDROAM_FOUND, FEDROAM_FRESH); /* the second broker, in the same look-up */
    assert_int_equal(net.brokers[0][0].asked, 1);
    assert_int_equal(net.brokers[0][1].asked, 1);
    done(&a);

    ask(&net, &a, NULL, STRANGER, 0); /* the first rests for 1 s */
    net_run(&net, 20);
    expect(&a, FEDROAM_UNKNOWN, FEDROAM_FRESH);
    assert_int_equal(net.brokers[0][0].asked, 1);
    done(&a);

    /* It is probed after 1, 2, 4 … 300 s, and no look-up is spent on it. */
    static const int64_t rests_ms[] = {1000,  2000,   4000,   8000,   16000, 32000,
                                       64000, 128000, 256000, 300000, 300000};
    int64_t failed_ms = 1020;
    for (unsigned i = 0; i < sizeof rests_ms / sizeof *rests_ms; i++) {
        net.now_ms = failed_ms + rests_ms[i] - 1;
        ask(&net, &a, NULL, STRANGER + i + 1, 0);
        net_run(&net, 0);
        assert_int_equal(net.brokers[0][0].probed, i);
        net_run(&net, 1);
        assert_int_equal(net.brokers[0][0].probed, i + 1);
        failed_ms = net.now_ms + 20;
        net_run(&net, 60);
        expect(&a, FEDROAM_UNKNOWN, FEDROAM_FRESH);
        done(&a);
    }
    assert_int_equal(net.brokers[0][0].asked, 1);
    /* Back again: from then on it is first, and its failures are forgotten. */
    net.brokers[0][0].does = ANSWERS;
    net.now_ms = failed_ms + 300000;
    net_run(&net, 60);
    unsigned second = net.brokers[0][1].asked;
    ask(&net, &a, NULL, STRANGER + 101, 0);
    net_run(&net, 20);
    done(&a);
    assert_int_equal(net.brokers[0][0].asked, 2);
    assert_int_equal(net.brokers[0][1].asked, second);
    net_stop(&net);
}

static void test_a_silent_broker_is_left_in_time(void **state)
{
    (void)state;
    struct net net;
    struct asked a;
    net_start(&net, 1, 2);
    net.brokers[0][0].does = SILENT;
    ask(&net, &a, NULL, D1, 2000);
    net_run(&net, 1020); /* broker_timeout, then the second */
    expect(&a, FEDROAM_FOUND, FEDROAM_FRESH);
    done(&a);
    net_stop(&net);
}

static void test_brokers_that_all_rest_are_left_alone(void **state)
{
    (void)state;
    struct net net;
    struct asked a;
    net_start(&net, 1, 2);
    net.brokers[0][0].does = DOWN;
    net.brokers[0][1].does = SERVFAIL;
    ask(&net, &a, NULL, D1, 0);
    net_run(&net, 40);
    expect(&a, FEDROAM_NO_BROKER, FEDROAM_FRESH);
    assert_string_equal(fedroam_answer_reason(a.answer),
                        "connection refused; b2.fed.test: HTTP 503 Service Unavailable");
    done(&a);
    for (int i = 0; i < 10; i++) {
        ask(&net, &a, NULL, D1, 0);
        net_run(&net, 0);
        expect(&a, FEDROAM_NO_BROKER, FEDROAM_FRESH); /* at once, with the reasons */
        assert_non_null(strstr(fedroam_answer_reason(a.answer), "connection refused"));
        done(&a);
    }
    assert_int_equal(net_asked(&net), 2);
    net_stop(&net);
}

static void test_refusals_end_the_look_up(void **state)
{
    (void)state;
    static const struct {
        enum behaviour does;
        enum fedroam_result result;
        unsigned status;
        const char *alert;
        uint32_t retry_after_s;
    } rows[] = {
        {FORBIDS, FEDROAM_REFUSED, 403, "", 0},
        {ALERTS, FEDROAM_REFUSED, 0, "certificate revoked", 0},
        {BUDGET, FEDROAM_OVER_BUDGET, 429, "", 7},
        {LOCAL_FAULT, FEDROAM_FAILED, 0, "", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct net net;
        struct asked a;
        net_start(&net, 1, 2);
        net.brokers[0][0].does = rows[i].does;
        net.brokers[0][0].retry_after_s = rows[i].retry_after_s;
        ask(&net, &a, NULL, D1, 0);
        net_run(&net, 100);
        expect(&a, rows[i].result, FEDROAM_FRESH);
        assert_int_equal(fedroam_answer_http_status(a.answer), rows[i].status);
        assert_string_equal(fedroam_answer_tls_alert(a.answer), rows[i].alert);
        assert_int_equal(fedroam_answer_retry_after(a.answer), rows[i].retry_after_s);
        assert_string_not_equal(fedroam_answer_reason(a.answer), "");
        assert_int_equal(net.brokers[0][1].asked, 0); /* nobody else is bothered */
        done(&a);
        net.brokers[0][0].does =
            ANSWERS; /* it is not held against the broker, and not remembered */
        net.now_ms += rows[i].retry_after_s * 1000;
        ask(&net, &a, NULL, D1, 0);
        net_run(&net, 20);
        expect(&a, FEDROAM_FOUND, FEDROAM_FRESH);
        done(&a);
        net_stop(&net);
    }
}

/* A 429 is the federation's word, kept until its time is over: no other broker, no question. */
static void test_over_budget_asks_nothing(void **state)
{
    (void)state;
    struct net net;
    struct asked a;
    net_start(&net, 2, 2);
    ask(&net, &a, "fed.test", D2, 0);
    net_run(&net, 20);
    done(&a);
    unsigned before = net_asked(&net);
    net.brokers[0][0].does = BUDGET;
    net.brokers[0][0].retry_after_s = 30;
    ask(&net, &a, "fed.test", STRANGER, 0);
    net_run(&net, 20);
    expect(&a, FEDROAM_OVER_BUDGET, FEDROAM_FRESH);
    assert_int_equal(fedroam_answer_retry_after(a.answer), 30);
    done(&a);
    net.brokers[0][0].does = ANSWERS;
    net_run(&net, 10500);
    ask(&net, &a, "fed.test", STRANGER, 0);
    net_run(&net, 0);
    expect(&a, FEDROAM_OVER_BUDGET, FEDROAM_FRESH);
    assert_int_equal(fedroam_answer_retry_after(a.answer), 20);
    assert_int_equal(fedroam_answer_http_status(a.answer), 429);
    assert_string_not_equal(fedroam_answer_reason(a.answer), "");
    done(&a);
    ask(&net, &a, "fed.test", D2, 0); /* what is known is known */
    net_run(&net, 0);
    expect(&a, FEDROAM_FOUND, FEDROAM_CACHED);
    done(&a);
    assert_int_equal(net_asked(&net), before + 1);
    assert_int_equal(fedroam_count(net.f, FEDROAM_COUNT_HELD), 1);
    ask(&net, &a, "other.test", STRANGER, 0); /* another federation has its own budget */
    net_run(&net, 20);
    expect(&a, FEDROAM_UNKNOWN, FEDROAM_FRESH);
    done(&a);
    net_run(&net, 20000);
    ask(&net, &a, "fed.test", STRANGER, 0);
    net_run(&net, 20);
    expect(&a, FEDROAM_UNKNOWN, FEDROAM_FRESH);
    done(&a);
    net_stop(&net);
}

static void test_stale_only_when_no_broker_answers(void **state)
{
    (void)state;
    struct net net;
    struct asked a;
    net_start(&net, 1, 1);
    ask(&net, &a, NULL, D1, 0);
    net_run(&net, 20);
    done(&a);
    net_skip(&net, 7200000);

    net.brokers[0][0].does = FORBIDS;
    ask(&net, &a, NULL, D1, 0);
    net_run(&net, 20);
    expect(&a, FEDROAM_REFUSED, FEDROAM_FRESH); /* a revoked member gets nothing old */
    done(&a);

    net.brokers[0][0].does = DOWN;
    ask(&net, &a, NULL, D1, 0);
    net_run(&net, 20);
    expect(&a, FEDROAM_FOUND, FEDROAM_STALE);
    assert_int_equal(fedroam_answer_ttl(a.answer), 0);
    assert_int_equal(fedroam_answer_netid(a.answer), 0x13);
    done(&a);
    net_skip(&net, 5000);
    net.brokers[0][0].does = SILENT;
    ask(&net, &a, NULL, D1, 200); /* its deadline comes before the broker's: stale then, too */
    net_run(&net, 200);
    expect(&a, FEDROAM_FOUND, FEDROAM_STALE);
    done(&a);
    ask(&net, &a, NULL, STRANGER, 200);
    net_run(&net, 2000);
    expect(&a, FEDROAM_NO_BROKER, FEDROAM_FRESH);
    done(&a);

    net_skip(&net, 90000000); /* more than a day */
    net.brokers[0][0].does = DOWN;
    ask(&net, &a, NULL, D1, 0);
    net_run(&net, 20);
    expect(&a, FEDROAM_NO_BROKER, FEDROAM_FRESH);
    done(&a);
    assert_int_equal(fedroam_count(net.f, FEDROAM_COUNT_STALE), 2);
    net_stop(&net);
}

static void test_bad_answers_fail_closed(void **state)
{
    (void)state;
    static const char *const aliases[] = {
        "000013.netid.evil.test.",          "000000.netid.fed.test.",
        "x.000013.netid.fed.test.",         "fed.test.",
        "000013.netid.fed.test.evil.test.",
    };
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++) {
        struct net net;
        struct asked a;
        net_start(&net, 1, 2);
        net.alias = aliases[i];
        ask(&net, &a, NULL, D1, 0);
        net_run(&net, 100);
        expect(&a, FEDROAM_BAD_ANSWER, FEDROAM_FRESH);
        assert_int_equal(fedroam_answer_netid(a.answer), FEDROAM_NO_NETID);
        assert_string_not_equal(fedroam_answer_reason(a.answer), "");
        assert_int_equal(net_asked(&net), 1);
        assert_int_equal(fedroam_count(net.f, FEDROAM_COUNT_CACHE_ENTRIES), 0);
        done(&a);
        net_stop(&net);
    }
}

static void test_networks_and_join_servers(void **state)
{
    (void)state;
    struct net net;
    struct asked a = {.net = &net};
    net_start(&net, 1, 1);
    assert_int_equal(fedroam_lookup_network(net.f, NULL, 0x13, 0, on_answer, &a, NULL), FEDROAM_OK);
    net_run(&net, 20);
    expect(&a, FEDROAM_FOUND, FEDROAM_FRESH);
    assert_int_equal(fedroam_answer_kind(a.answer), FEDROAM_NETWORK);
    assert_int_equal(fedroam_answer_netid(a.answer), 0x13);
    assert_int_equal(fedroam_answer_ttl(a.answer), 60);
    done(&a);
    a = (struct asked){.net = &net};
    assert_int_equal(fedroam_lookup_network(net.f, NULL, 0x14, 0, on_answer, &a, NULL), FEDROAM_OK);
    net_run(&net, 20);
    expect(&a, FEDROAM_UNKNOWN, FEDROAM_FRESH);
    done(&a);
    a = (struct asked){.net = &net};
    assert_int_equal(
        fedroam_lookup_join_server(net.f, NULL, 0x7000000000000008, 0, on_answer, &a, NULL), 0);
    net_run(&net, 20);
    expect(&a, FEDROAM_FOUND, FEDROAM_FRESH);
    assert_int_equal(fedroam_answer_netid(a.answer), FEDROAM_NO_NETID);
    assert_string_equal(fedroam_answer_endpoint_text(a.answer, 0), "192.0.2.5:8009");
    assert_string_equal(fedroam_answer_tls_name(a.answer),
                        "8.0.0.0.0.0.0.0.0.0.0.0.0.0.0.7.joineui.fed.test");
    done(&a);
    net_stop(&net);
}

static void test_several_federations(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        enum behaviour first, second;
        uint64_t deveui;
        enum fedroam_result result;
        const char *federation;
    } rows[] = {
        {"in the second", ANSWERS, ANSWERS, DB, FEDROAM_FOUND, "other.test"},
        {"in the first", ANSWERS, ANSWERS, D1, FEDROAM_FOUND, "fed.test"},
        {"in the first, the second is down", ANSWERS, DOWN, D1, FEDROAM_FOUND, "fed.test"},
        {"in the second, the first is silent", SILENT, ANSWERS, DB, FEDROAM_FOUND, "other.test"},
        {"in none", ANSWERS, ANSWERS, STRANGER, FEDROAM_UNKNOWN, "fed.test"},
        {"unknown is not proved", ANSWERS, DOWN, STRANGER, FEDROAM_NO_BROKER, "other.test"},
        {"a refusal is told", FORBIDS, DOWN, STRANGER, FEDROAM_REFUSED, "fed.test"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct net net;
        struct asked a;
        net_start(&net, 2, 1);
        net.brokers[0][0].does = rows[i].first;
        net.brokers[1][0].does = rows[i].second;
        ask(&net, &a, NULL, rows[i].deveui, 0);
        net_run(&net, 20);
        if (a.ends != 1) fail_msg("%s: %u ends", rows[i].label, a.ends);
        expect(&a, rows[i].result, FEDROAM_FRESH);
        if (strcmp(fedroam_answer_federation(a.answer), rows[i].federation) != 0)
            fail_msg("%s: %s", rows[i].label, fedroam_answer_federation(a.answer));
        done(&a);
        net_stop(&net);
    }
}

/* The same EUI in two federations: each answer belongs to its own. */
static void test_federations_are_kept_apart(void **state)
{
    (void)state;
    struct net net;
    struct asked a;
    net_start(&net, 2, 1);
    ask(&net, &a, "fed.test", D1, 0);
    net_run(&net, 20);
    expect(&a, FEDROAM_FOUND, FEDROAM_FRESH);
    done(&a);
    ask(&net, &a, "other.test", D1, 0);
    net_run(&net, 20);
    expect(&a, FEDROAM_UNKNOWN, FEDROAM_FRESH);
    assert_string_equal(fedroam_answer_federation(a.answer), "other.test");
    done(&a);
    net_stop(&net);
}

struct chain {
    struct asked asked;
    struct fedroam_lookup *victim;
};

static void start_another(void *data, const struct fedroam_answer *answer)
{
    struct chain *c = data;
    (void)answer;
    if (c->victim) fedroam_lookup_cancel(c->victim);
    assert_int_equal(
        fedroam_lookup_device(c->asked.net->f, NULL, D1, 0, on_answer, &c->asked, NULL), 0);
}

static void test_call_backs_may_start_and_cancel(void **state)
{
    (void)state;
    struct net net;
    struct asked victim;
    struct chain c = {.asked = {.net = &net}};
    net_start(&net, 1, 1);
    assert_int_equal(fedroam_lookup_device(net.f, NULL, D1, 0, start_another, &c, NULL),
                     FEDROAM_OK);
    ask(&net, &victim, NULL, D1, 0);
    c.victim = victim.lookup;
    net_run(&net, 20);
    assert_int_equal(victim.ends, 0); /* cancelled when it was ready already */
    expect(&c.asked, FEDROAM_FOUND, FEDROAM_CACHED);
    done(&c.asked);
    net_stop(&net);
}

static void test_cancelled_look_ups_do_not_call_back(void **state)
{
    (void)state;
    struct net net;
    struct asked a, b;
    net_start(&net, 1, 1);
    ask(&net, &a, NULL, D1, 0);
    ask(&net, &b, NULL, D1, 0);
    net_run(&net, 5);
    fedroam_lookup_cancel(a.lookup);
    net_run(&net, 3000);
    assert_int_equal(a.ends, 0);
    expect(&b, FEDROAM_FOUND, FEDROAM_FRESH);
    done(&b);
    ask(&net, &a, NULL, STRANGER, 0); /* dropped with the handle */
    net_stop(&net);
    assert_int_equal(a.ends, 0);
}

static void test_limits_and_wrong_arguments(void **state)
{
    (void)state;
    struct net net;
    struct asked a[3];
    struct fedroam_options *o = net_options(1, 1);
    net_init(&net);
    assert_int_equal(fedroam_options_set_pending(o, 2), FEDROAM_OK);
    assert_int_equal(net_open(&net, o), FR_OK);
    fedroam_options_free(o);
    ask(&net, &a[0], NULL, D1, 0);
    ask(&net, &a[1], NULL, D2, 0);
    assert_int_equal(fedroam_lookup_device(net.f, NULL, D1, 0, on_answer, &a[2], NULL),
                     FEDROAM_E_LIMIT);
    net_run(&net, 20);
    assert_int_equal(fedroam_lookup_device(net.f, "none.test", D1, 0, on_answer, &a[2], NULL),
                     FEDROAM_E_FEDERATION);
    assert_int_equal(fedroam_lookup_device(net.f, NULL, D1, 0, NULL, NULL, NULL),
                     FEDROAM_E_ARGUMENT);
    assert_int_equal(fedroam_lookup_network(net.f, NULL, 0x1000000, 0, on_answer, &a[2], NULL),
                     FEDROAM_E_ARGUMENT);
    struct fedroam_answer *answer = NULL;
    assert_int_equal(fedroam_wait_device(net.f, NULL, D1, 0, &answer),
                     FEDROAM_E_STATE); /* not its own loop */
    done(&a[0]);
    done(&a[1]);
    net_stop(&net);
}

/* The n-th allocation fails, for every n: the call says so, or the look-up ends once; nothing
 * leaks. */
static void test_without_memory(void **state)
{
    (void)state;
    struct fedroam_options *o = net_options(2, 2);
    unsigned found = 0;
    for (unsigned long n = 1; found == 0; n++) {
        struct net net;
        struct asked a = {.net = &net};
        net_init(&net);
        net.is_bare = true;
        fr_mem_fail_nth(n);
        enum fr_err err = net_open(&net, o);
        if (err == FR_OK) {
            enum fedroam_err asked = fedroam_lookup_device(net.f, NULL, D1, 0, on_answer, &a, NULL);
            net_run(&net, 3000);
            assert_int_equal(a.ends, asked == FEDROAM_OK ? 1 : 0);
            if (asked != FEDROAM_OK) assert_int_equal(asked, FEDROAM_E_MEMORY);
        } else {
            assert_int_equal(err, FR_E_NOMEM);
        }
        bool has_failed = fr_mem_failed();
        fr_mem_fail_nth(0);
        if (!has_failed) {
            expect(&a, FEDROAM_FOUND, FEDROAM_FRESH);
            found++;
        }
        done(&a);
        net_stop(&net);
    }
    fedroam_options_free(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_device_is_found),
        cmocka_unit_test(test_the_cache_serves_until_the_ttl_ends),
        cmocka_unit_test(test_missing_pieces_are_asked_for),
        cmocka_unit_test(test_one_question_per_name),
        cmocka_unit_test(test_negative_answers_are_kept),
        cmocka_unit_test(test_each_look_up_ends_by_its_deadline),
        cmocka_unit_test(test_a_late_answer_is_not_lost),
        cmocka_unit_test(test_fail_over_and_back_off),
        cmocka_unit_test(test_a_silent_broker_is_left_in_time),
        cmocka_unit_test(test_brokers_that_all_rest_are_left_alone),
        cmocka_unit_test(test_refusals_end_the_look_up),
        cmocka_unit_test(test_over_budget_asks_nothing),
        cmocka_unit_test(test_stale_only_when_no_broker_answers),
        cmocka_unit_test(test_bad_answers_fail_closed),
        cmocka_unit_test(test_networks_and_join_servers),
        cmocka_unit_test(test_several_federations),
        cmocka_unit_test(test_federations_are_kept_apart),
        cmocka_unit_test(test_call_backs_may_start_and_cancel),
        cmocka_unit_test(test_cancelled_look_ups_do_not_call_back),
        cmocka_unit_test(test_limits_and_wrong_arguments),
        cmocka_unit_test(test_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
