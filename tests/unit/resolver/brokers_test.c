#include "resolver/brokers.h"

#include "net.h"

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
    net_run(&s.net, FR_BACKOFF_FIRST_MS);
    ask_device(&s, &after);
    net_run(&s.net, 20);
    assert_int_equal(after.result, FEDROAM_FOUND);
    stop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_answer_and_its_counts),
        cmocka_unit_test(test_cancelled_at_every_point),
        cmocka_unit_test(test_freed_with_questions_under_way),
        cmocka_unit_test(test_one_moment_is_one_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
