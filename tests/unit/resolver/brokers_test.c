#include "resolver/brokers.h"

#include "net.h"
#include "resolver/breaker.h"

/* The brokers of one federation, without look-ups above them. */

struct end {
    unsigned times;
    enum fedroam_result result;
    enum fr_verdict verdict;
};

static void on_end(void *data, const struct fr_judgement *j)
{
    struct end *e = data;
    e->times++;
    e->result = j->result;
    e->verdict = j->reply.verdict;
}

struct scene {
    struct net net;
    struct fedroam_options *o;
    struct fr_brokers *b;
};

static void start(struct scene *s, int brokers)
{
    struct fr_link_maker maker = {net_make, &s->net};
    net_init(&s->net);
    s->o = net_options(1, brokers);
    s->b = NULL;
    assert_int_equal(fr_brokers_new(s->o, s->o->federations[0], s->net.loop, &maker, &s->b), FR_OK);
}

static void stop(struct scene *s)
{
    fr_brokers_free(s->b);
    fedroam_options_free(s->o);
    fr_loop_poll_free(s->net.loop);
}

static struct fr_ask *ask_device(struct scene *s, struct end *e)
{
    struct fr_dname name = test_name(DEVICE);
    struct fr_ask *ask = NULL;
    assert_int_equal(fr_brokers_ask(s->b, &name, FR_DNS_A, s->net.now_ms + 2000, on_end, e, &ask),
                     FR_OK);
    assert_int_equal(e->times, 0);
    return ask;
}

static void test_an_answer_and_its_counts(void **state)
{
    (void)state;
    struct scene s;
    struct end e = {0};
    start(&s, 2);
    s.net.brokers[0][0].does = DOWN;
    ask_device(&s, &e);
    net_run(&s.net, 40);
    assert_int_equal(e.times, 1);
    assert_int_equal(e.result, FEDROAM_FOUND);
    assert_int_equal(e.verdict, FR_VERDICT_DATA);
    struct fr_brokers_counts counts = fr_brokers_counts(s.b);
    assert_int_equal(counts.exchanges, 2);
    assert_int_equal(counts.failures, 1);
    struct fr_resolver_traffic sum = {0};
    fr_brokers_add_traffic(s.b, &sum);
    assert_int_equal(sum.exchanges, 2);
    stop(&s);
}

static void test_cancelled_at_every_point(void **state)
{
    (void)state;
    for (int64_t ms = 0; ms < 40; ms++) {
        struct scene s;
        struct end e = {0};
        start(&s, 2);
        s.net.brokers[0][0].does = DOWN;
        struct fr_ask *ask = ask_device(&s, &e);
        net_run(&s.net, ms);
        assert_int_equal(e.times, 0);
        fr_ask_cancel(ask);
        net_run(&s.net, 3000);
        assert_int_equal(e.times, 0);
        stop(&s);
    }
    fr_ask_cancel(NULL);
}

static void test_freed_with_questions_under_way(void **state)
{
    (void)state;
    struct scene s;
    struct end e[3] = {0};
    start(&s, 1);
    for (int i = 0; i < 3; i++) ask_device(&s, &e[i]);
    s.net.brokers[0][0].does = LOCAL_FAULT;
    ask_device(&s, &e[2]); /* ends at the end of the turn, which does not come */
    stop(&s);
    for (int i = 0; i < 3; i++) assert_int_equal(e[i].times, 0);
}

/* Many questions fail at the same moment: that is one failure of the broker, not many. */
static void test_one_moment_is_one_failure(void **state)
{
    (void)state;
    struct scene s;
    struct end e[10] = {0}, after = {0};
    start(&s, 1);
    s.net.brokers[0][0].does = DOWN;
    for (int i = 0; i < 10; i++) ask_device(&s, &e[i]);
    net_run(&s.net, 20);
    for (int i = 0; i < 10; i++) assert_int_equal(e[i].result, FEDROAM_NO_BROKER);
    s.net.brokers[0][0].does = ANSWERS;
    net_run(&s.net, FR_REST_FIRST_MS);
    ask_device(&s, &after);
    net_run(&s.net, 20);
    assert_int_equal(after.result, FEDROAM_FOUND);
    stop(&s);
}

/* A hedge: the second broker is asked when the first is slow, and the first answer counts. */
static void test_a_hedge(void **state)
{
    (void)state;
    static const struct {
        int64_t first_ms, second_ms;
        enum behaviour first, second;
        enum fedroam_result result;
        int64_t at_ms;
        unsigned hedges;
    } rows[] = {
        {50, 20, ANSWERS, ANSWERS, FEDROAM_FOUND, 50, 0},    /* quick enough */
        {300, 20, ANSWERS, ANSWERS, FEDROAM_FOUND, 120, 1},  /* the second wins */
        {110, 200, ANSWERS, ANSWERS, FEDROAM_FOUND, 110, 1}, /* the first wins after all */
        {300, 20, ANSWERS, DOWN, FEDROAM_FOUND, 300, 1},     /* the hedge fails: the first counts */
        {300, 400, DOWN, ANSWERS, FEDROAM_FOUND, 500, 1},    /* the first fails: the hedge counts */
        {300, 20, ANSWERS, BUDGET, FEDROAM_OVER_BUDGET, 120, 1},
        {0, 20, BUDGET, ANSWERS, FEDROAM_OVER_BUDGET, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct scene s;
        struct end e = {0};
        start(&s, 2);
        s.o->hedge_ms = 100;
        struct net_broker *k = s.net.brokers[0];
        k[0].does = rows[i].first;
        k[0].delay_ms = rows[i].first_ms;
        k[1].does = rows[i].second;
        k[1].delay_ms = rows[i].second_ms;
        ask_device(&s, &e);
        net_run(&s.net, rows[i].at_ms ? rows[i].at_ms - 1 : 0);
        if (rows[i].at_ms) assert_int_equal(e.times, 0);
        net_run(&s.net, 1);
        if (e.times != 1 || e.result != rows[i].result)
            fail_msg("row %zu: %u times, %s", i, e.times, fedroam_result_text(e.result));
        assert_int_equal(fr_brokers_counts(s.b).hedges, rows[i].hedges);
        net_run(&s.net, 1000);
        assert_int_equal(e.times, 1);
        stop(&s);
    }
}

/* A connection that is lost while nothing is asked is made anew with a question of our own; one
 * that ends right behind an answer is not. */
static void test_a_lost_connection_is_made_anew(void **state)
{
    (void)state;
    struct scene s;
    struct end e = {0};
    start(&s, 1);
    struct net_broker *k = &s.net.brokers[0][0];
    ask_device(&s, &e);
    net_run(&s.net, 20);
    k->link->on_lost(k->link->lost_data);
    net_run(&s.net, 100);
    assert_int_equal(k->probed, 0);
    net_run(&s.net, FR_LOST_AFTER_MS);
    k->link->on_lost(k->link->lost_data);
    k->link->on_lost(k->link->lost_data); /* one is under way */
    net_run(&s.net, 100);
    assert_int_equal(k->probed, 1);
    k->does = DOWN; /* gone altogether: the probe finds out, not a look-up */
    net_run(&s.net, FR_LOST_AFTER_MS);
    k->link->on_lost(k->link->lost_data);
    net_run(&s.net, 100);
    assert_int_equal(k->probed, 2);
    e = (struct end){0};
    ask_device(&s, &e);
    net_run(&s.net, 0);
    assert_int_equal(e.result, FEDROAM_NO_BROKER); /* at once */
    assert_int_equal(k->asked, 1);
    assert_int_equal(fr_brokers_counts(s.b).probes, 2);
    assert_int_equal(fr_brokers_counts(s.b).failures, 0);
    stop(&s); /* with the next probe armed */
}

/* Over budget, probes wait too. */
static void test_no_probe_over_budget(void **state)
{
    (void)state;
    struct scene s;
    struct end e = {0}, f = {0};
    start(&s, 2);
    struct net_broker *k = s.net.brokers[0];
    k[0].does = DOWN;
    k[1].does = BUDGET;
    k[1].retry_after_s = 10;
    ask_device(&s, &e);
    net_run(&s.net, 40);
    assert_int_equal(e.result, FEDROAM_OVER_BUDGET);
    net_run(&s.net, 9990);
    ask_device(&s, &f);
    net_run(&s.net, 0);
    assert_int_equal(f.result, FEDROAM_OVER_BUDGET);
    assert_int_equal(k[0].probed + k[1].probed, 0);
    net_run(&s.net, 20);
    assert_int_equal(k[0].probed, 1);
    stop(&s);
}

/* A question that finds only brokers whose rest is over tries them; a 503 may ask for a longer
 * rest. */
static void test_half_open_and_retry_after(void **state)
{
    (void)state;
    struct scene s;
    struct end e = {0}, f = {0};
    start(&s, 1);
    struct net_broker *k = &s.net.brokers[0][0];
    k->does = SERVFAIL;
    k->retry_after_s = 20;
    ask_device(&s, &e);
    net_run(&s.net, 20);
    assert_int_equal(e.result, FEDROAM_NO_BROKER);
    k->does = ANSWERS;
    k->delay_ms = 200;
    net_run(&s.net, 19999);
    assert_int_equal(k->probed, 0);
    net_run(&s.net, 1);
    assert_int_equal(k->probed, 1);
    ask_device(&s, &f); /* the probe is under way, nobody else is there */
    net_run(&s.net, 200);
    assert_int_equal(f.result, FEDROAM_FOUND);
    stop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_answer_and_its_counts),
        cmocka_unit_test(test_cancelled_at_every_point),
        cmocka_unit_test(test_freed_with_questions_under_way),
        cmocka_unit_test(test_one_moment_is_one_failure),
        cmocka_unit_test(test_a_hedge),
        cmocka_unit_test(test_a_lost_connection_is_made_anew),
        cmocka_unit_test(test_no_probe_over_budget),
        cmocka_unit_test(test_half_open_and_retry_after),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
