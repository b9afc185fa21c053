#include "net.h"

/* A handle that takes over other options while look-ups are under way, and tells what happens. */

struct lines {
    unsigned n;
    char last[512];
};

static void on_line(void *data, enum fedroam_log_level level, const char *line, size_t n)
{
    struct lines *l = data;
    assert_in_range(level, FEDROAM_LOG_ERROR, FEDROAM_LOG_INFO);
    l->n++;
    snprintf(l->last, sizeof l->last, "%.*s", (int)n, line);
}

struct scene {
    struct net net;
    struct lines lines;
    struct asked a;
};

static struct fedroam_options *options(struct scene *s, int federations, int brokers)
{
    struct fedroam_options *o = net_options(federations, brokers);
    assert_int_equal(fedroam_options_set_log(o, FEDROAM_LOG_INFO, on_line, &s->lines), FEDROAM_OK);
    return o;
}

static void start(struct scene *s, int federations, int brokers)
{
    struct fedroam_options *o = options(s, federations, brokers);
    s->lines = (struct lines){0};
    net_init(&s->net);
    assert_int_equal(net_open(&s->net, o), FR_OK);
    fedroam_options_free(o);
}

static enum fedroam_err reload(struct scene *s, struct fedroam_options *o)
{
    enum fedroam_err err = fedroam_reload(s->net.f, o);
    fedroam_options_free(o);
    return err;
}

static void look_up(struct scene *s, uint64_t deveui, enum fedroam_result result)
{
    ask(&s->net, &s->a, NULL, deveui, 0);
    net_run(&s->net, 100);
    assert_int_equal(s->a.ends, 1);
    assert_int_equal(fedroam_answer_result(s->a.answer), result);
    done(&s->a);
}

static void test_a_broker_more_while_one_is_silent(void **state)
{
    (void)state;
    struct scene s;
    start(&s, 1, 1);
    s.net.brokers[0][0].delay_ms = 500;
    ask(&s.net, &s.a, NULL, D1, 0);
    net_run(&s.net, 100);
    s.net.brokers[0][0].does = DOWN; /* for what is asked from now on */
    assert_int_equal(reload(&s, options(&s, 1, 2)), FEDROAM_OK);
    struct asked b;
    ask(&s.net, &b, NULL, D2, 0);
    s.net.brokers[0][0].does = ANSWERS;
    net_run(&s.net, 400);
    expect(&s.a, FEDROAM_FOUND, FEDROAM_FRESH); /* of the old brokers */
    done(&s.a);
    net_run(&s.net, 1500);
    assert_int_equal(b.ends, 1);
    done(&b);
    assert_int_equal(fedroam_count(s.net.f, FEDROAM_COUNT_EXCHANGES), 2); /* none is forgotten */
    s.net.brokers[0][0].does = DOWN;
    look_up(&s, D1, FEDROAM_FOUND);
    net_skip(&s.net, 90000000);
    s.net.brokers[0][0].delay_ms = 10;
    look_up(&s, D1, FEDROAM_FOUND); /* by the second broker */
    assert_int_equal(s.net.brokers[0][1].asked, 1);
    net_stop(&s.net);
}

static void test_freed_while_old_brokers_still_answer(void **state)
{
    (void)state;
    struct scene s;
    start(&s, 1, 1);
    ask(&s.net, &s.a, NULL, D1, 0);
    for (int i = 0; i < 3; i++) assert_int_equal(reload(&s, options(&s, 1, 2 + i)), FEDROAM_OK);
    net_stop(&s.net);
    assert_int_equal(s.a.ends, 0);
}

static void test_a_federation_more_and_other_limits(void **state)
{
    (void)state;
    static const char *const except[] = {"70b3d57ed0000001"};
    struct scene s;
    start(&s, 1, 1);
    look_up(&s, D1, FEDROAM_FOUND);
    look_up(&s, DB, FEDROAM_UNKNOWN);
    struct fedroam_options *o = options(&s, 2, 1);
    assert_int_equal(fedroam_options_set_devices(o, "fed.test", NULL, 0, except, 1), FEDROAM_OK);
    assert_int_equal(reload(&s, o), FEDROAM_OK);
    look_up(&s, DB, FEDROAM_FOUND);
    look_up(&s, D1, FEDROAM_UNKNOWN); /* left out now */
    o = options(&s, 2, 1);
    assert_int_equal(fedroam_options_set_cache_entries(o, 16), FEDROAM_OK);
    assert_int_equal(reload(&s, o), FEDROAM_OK);
    look_up(&s, D1, FEDROAM_FOUND);
    for (uint64_t i = 0; i < 40; i++) look_up(&s, STRANGER + i, FEDROAM_UNKNOWN);
    assert_int_equal(fedroam_count(s.net.f, FEDROAM_COUNT_CACHE_ENTRIES), 16);
    net_stop(&s.net);
}

static void test_what_cannot_be_taken_over(void **state)
{
    (void)state;
    struct scene s;
    start(&s, 2, 1);
    assert_int_equal(reload(&s, options(&s, 1, 1)), FEDROAM_E_ARGUMENT); /* one less */
    struct fedroam_options *o = fedroam_options_new();
    assert_int_equal(fedroam_reload(s.net.f, o), FEDROAM_E_ARGUMENT);
    assert_int_equal(fedroam_options_add_federation(o, "other.test", "a", "b", "c"), 0);
    assert_int_equal(fedroam_options_add_federation(o, "fed.test", "a", "b", "c"), 0);
    assert_int_equal(fedroam_options_add_broker(o, "fed.test", "https://127.0.0.1/q", NULL, 0), 0);
    assert_int_equal(fedroam_options_add_broker(o, "other.test", "https://127.0.0.1/q", NULL, 0),
                     0);
    assert_int_equal(fedroam_reload(s.net.f, o), FEDROAM_E_ARGUMENT); /* another order */
    fedroam_options_free(o);
    look_up(&s, D1, FEDROAM_FOUND);
    assert_int_equal(fedroam_reload(s.net.f, NULL), FEDROAM_OK);
    s.net.brokers[1][0].does = LOCAL_FAULT;
    assert_int_equal(fedroam_reload(s.net.f, NULL), FEDROAM_E_SYSTEM);
    assert_non_null(strstr(s.lines.last, "certificate.unusable"));
    assert_non_null(strstr(s.lines.last, "federation=other.test"));
    net_stop(&s.net);
}

static void test_without_memory(void **state)
{
    (void)state;
    bool is_over = false;
    for (unsigned long n = 1; !is_over; n++) {
        struct scene s;
        start(&s, 1, 1);
        struct fedroam_options *o = options(&s, 2, 2);
        fr_mem_fail_nth(n);
        enum fedroam_err err = fedroam_reload(s.net.f, o);
        is_over = !fr_mem_failed();
        fr_mem_fail_nth(0);
        assert_int_equal(err, is_over ? FEDROAM_OK : FEDROAM_E_MEMORY);
        look_up(&s, D1, FEDROAM_FOUND);
        fedroam_options_free(o);
        net_stop(&s.net);
    }
}

static void test_the_log(void **state)
{
    (void)state;
    struct scene s;
    start(&s, 1, 1);
    s.net.brokers[0][0].does = DOWN;
    for (uint64_t i = 0; i < 3; i++) look_up(&s, STRANGER + i, FEDROAM_NO_BROKER);
    assert_int_equal(s.lines.n, 1);
    assert_non_null(strstr(s.lines.last, "broker.failed"));
    assert_non_null(strstr(s.lines.last, "broker=b1.fed.test"));
    assert_non_null(strstr(s.lines.last, "connection refused"));
    s.net.brokers[0][0].does = ANSWERS;
    net_run(&s.net, 1100);
    assert_int_equal(s.lines.n, 2);
    assert_non_null(strstr(s.lines.last, "broker.back"));
    s.net.brokers[0][0].does = BUDGET;
    look_up(&s, STRANGER, FEDROAM_OVER_BUDGET);
    look_up(&s, STRANGER, FEDROAM_OVER_BUDGET);
    assert_int_equal(s.lines.n, 3);
    assert_non_null(strstr(s.lines.last, "federation.over_budget"));
    net_stop(&s.net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_broker_more_while_one_is_silent),
        cmocka_unit_test(test_freed_while_old_brokers_still_answer),
        cmocka_unit_test(test_a_federation_more_and_other_limits),
        cmocka_unit_test(test_what_cannot_be_taken_over),
        cmocka_unit_test(test_without_memory),
        cmocka_unit_test(test_the_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
