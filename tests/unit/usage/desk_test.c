/* Budgets with a clock and a log of the test's own. */
#include "usage/desk.h"

#include "base/mem.h"
#include "unit/store/fixture.h"

#define DAY 86400
#define NOON ((int64_t)20000 * DAY + DAY / 2)

struct world {
    void *fixture; /* of the store */
    struct fr_snap *snap;
    struct fr_usage *usage;
    struct fr_desk *desks[2];
    struct fr_log log;
    int64_t mono_ms, real_s;
    char said[4096];
};

static int64_t mono_ms(void *data)
{
    return ((struct world *)data)->mono_ms;
}

static int64_t real_ms(void *data)
{
    return ((struct world *)data)->real_s * 1000;
}

static void say(void *data, enum fr_log_level level, const char *line, size_t n)
{
    struct world *w = data;

    (void)level;
    strncat(w->said, line, n);
    strcat(w->said, "\n");
}

static struct fr_clock clock_of_test;

static void set_policy(struct world *w, enum fr_policy_key key, const char *value)
{
    struct fixture *f = w->fixture;
    struct fr_change *change = begin_change(f->store);

    assert_int_equal(fr_policy_set(change, key, value, NULL), FR_OK);
    commit_change(change);
    fr_snap_reset(w->snap);
    assert_int_equal(fr_snap_renew(w->snap), FR_OK);
    for (int i = 0; i < 2; i++) assert_int_equal(fr_desk_refresh(w->desks[i], w->snap), FR_OK);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);

    if (w == NULL || store_setup(&w->fixture) != 0) return -1;
    w->mono_ms = 1000000;
    w->real_s = NOON;
    clock_of_test = (struct fr_clock){.mono_ms = mono_ms, .real_ms = real_ms, .data = w};
    const struct fr_log_options log = {
        .level = FR_LOG_INFO, .sink = say, .sink_data = w, .clock = &clock_of_test};
    assert_int_equal(fr_log_init(&w->log, &log), FR_OK);
    const struct fr_usage_options options = {FED, &w->log, &clock_of_test};
    assert_int_equal(fr_usage_new(&options, &w->usage), FR_OK);
    w->snap = begin_snap(((struct fixture *)w->fixture)->store);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(fr_desk_new(w->usage, &w->desks[i]), FR_OK);
        assert_int_equal(fr_desk_refresh(w->desks[i], w->snap), FR_OK);
    }
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    for (int i = 0; i < 2; i++) fr_desk_free(w->desks[i]);
    fr_usage_free(w->usage);
    fr_snap_end(w->snap);
    int rc = store_teardown(&w->fixture);
    free(w);
    return rc;
}

static struct fr_till *till(struct world *w, int desk, const char *member)
{
    struct fr_till *out = NULL;

    assert_int_equal(fr_desk_till(w->desks[desk], member, &out), FR_OK);
    assert_string_equal(fr_till_member(out), member);
    return out;
}

static unsigned count_lines(const struct world *w, const char *needle)
{
    unsigned n = 0;

    for (const char *at = w->said; (at = strstr(at, needle)) != NULL; at++) n++;
    return n;
}

/* EUIs far from each other, so that nobody walks. */
static uint64_t stranger(uint64_t i)
{
    return i * 0x9e3779b97f4a7c15u;
}

static void misses_come_in_bursts(void **state)
{
    struct world *w = *state;
    struct fr_till *a = till(w, 0, "acme"), *b = till(w, 1, "acme"), *bolt = till(w, 0, "bolt");
    struct fr_refusal why = {0};

    /* a hundred over both workers; the next question is refused, known or unknown */
    for (uint64_t i = 0; i < 100; i++)
        assert_true(fr_till_device(i % 2 ? a : b, stranger(i), true, &why));
    assert_false(fr_till_device(a, stranger(0), true, &why));
    assert_int_equal(why.budget, FR_BUDGET_MISSES);
    assert_int_equal(why.retry_after_s, 1);
    assert_false(fr_till_device(b, stranger(1), false, &why));
    assert_true(fr_till_device(bolt, stranger(1), true, &why)); /* its own budget */
    assert_int_equal(count_lines(w, "budget.exceeded"), 1);
    assert_int_equal(count_lines(w, "member=acme budget=misses limit=100"), 1);

    w->mono_ms += 10;
    assert_true(fr_till_device(a, stranger(1), false, &why)); /* costs nothing */
    assert_true(fr_till_device(a, stranger(2), true, &why));
    assert_false(fr_till_device(a, stranger(3), true, &why));
    assert_int_equal(count_lines(w, "budget.exceeded"), 1); /* not yet a minute */
    w->mono_ms += 60000;
    for (uint64_t i = 0; i < 100; i++) assert_true(fr_till_device(a, stranger(i), true, &why));
    assert_false(fr_till_device(a, stranger(4), true, &why));
    assert_int_equal(count_lines(w, "budget.exceeded"), 2);
    assert_non_null(strstr(w->said, "refused=3"));
    assert_int_equal(fr_desk_counters(w->desks[0])->over[FR_BUDGET_MISSES], 3);
    assert_int_equal(fr_desk_counters(w->desks[1])->over[FR_BUDGET_MISSES], 1);
}

static void unknown_devices_are_counted_once_a_day(void **state)
{
    struct world *w = *state;
    struct fr_till *a = till(w, 0, "acme");
    struct fr_refusal why = {0};
    unsigned n = 0;

    set_policy(w, FR_POLICY_BUDGET_MISSES, "0");
    set_policy(w, FR_POLICY_BUDGET_UNKNOWN, "1000");
    for (int round = 0; round < 20; round++)
        for (uint64_t i = 0; i < 900; i++) assert_true(fr_till_device(a, stranger(i), true, &why));
    for (uint64_t i = 900; fr_till_device(a, stranger(i), true, &why); i++) n++;
    if (n < 60 || n > 140) fail_msg("%u more", n);
    assert_int_equal(why.budget, FR_BUDGET_UNKNOWN);
    assert_int_equal(why.retry_after_s, DAY / 2); /* until midnight */
    assert_false(fr_till_device(a, stranger(0), true, &why));
    assert_false(fr_till_device(a, stranger(0), false, &why));
    assert_true(fr_till_query(a, &why)); /* other questions go on */

    set_policy(w, FR_POLICY_BUDGET_UNKNOWN, "2000"); /* at once */
    assert_true(fr_till_device(a, stranger(5000), true, &why));
    set_policy(w, FR_POLICY_BUDGET_UNKNOWN, "500");
    assert_true(fr_till_device(a, stranger(5001), true, &why)); /* who pays finds out … */
    assert_false(fr_till_device(a, stranger(5002), true, &why));
    w->real_s += DAY / 2 - 1;
    assert_false(fr_till_device(a, stranger(0), true, &why));
    assert_int_equal(why.retry_after_s, 1);
    w->real_s += 1;
    assert_true(fr_till_device(a, stranger(0), true, &why));
}

static void note_row(void *data, const struct fr_usage_row *row)
{
    char *out = data;

    sprintf(out + strlen(out), "%s %llu %u\n", row->member, (unsigned long long)row->unknown_today,
            row->connections);
}

static void usage_is_told(void **state)
{
    struct world *w = *state;
    struct fr_refusal why;
    char text[256] = "";

    assert_true(fr_till_enter(till(w, 0, "acme"), &why));
    assert_true(fr_till_enter(till(w, 1, "acme"), &why));
    for (uint64_t i = 0; i < 3; i++)
        assert_true(fr_till_device(till(w, 1, "bolt"), stranger(i), true, &why));
    fr_usage_each(w->usage, note_row, text);
    assert_string_equal(text, "acme 0 2\nbolt 3 0\n");
    w->real_s += DAY;
    text[0] = '\0';
    fr_till_leave(till(w, 0, "acme"));
    fr_usage_each(w->usage, note_row, text);
    assert_string_equal(text, "acme 0 1\nbolt 0 0\n");
}

static void queries_are_paid_in_advance(void **state)
{
    struct world *w = *state;
    struct fr_till *a = till(w, 0, "acme"), *b = till(w, 1, "acme");
    struct fr_refusal why = {0};
    unsigned n = 0;

    set_policy(w, FR_POLICY_BUDGET_QUERIES, "1000");
    while (fr_till_query(n % 2 ? a : b, &why)) n++;
    assert_in_range(n, 990, 1000); /* some are prepaid at the other desk */
    assert_int_equal(why.budget, FR_BUDGET_QUERIES);
    w->mono_ms += 500;
    for (n = 0; fr_till_query(a, &why);) n++;
    assert_in_range(n, 490, 510);
    set_policy(w, FR_POLICY_BUDGET_QUERIES, "0");
    for (n = 0; n < 5000; n++) assert_true(fr_till_query(a, &why));
    set_policy(w, FR_POLICY_BUDGET_QUERIES, "5"); /* what was prepaid is gone */
    w->mono_ms += 100000;
    for (n = 0; fr_till_query(a, &why);) n++;
    assert_int_equal(n, 5);
}

static void connections_have_a_number(void **state)
{
    struct world *w = *state;
    struct fr_refusal why = {0};

    set_policy(w, FR_POLICY_BUDGET_CONNECTIONS, "3");
    for (int i = 0; i < 3; i++) assert_true(fr_till_enter(till(w, i % 2, "acme"), &why));
    assert_false(fr_till_enter(till(w, 0, "acme"), &why));
    assert_int_equal(why.budget, FR_BUDGET_CONNECTIONS);
    assert_true(fr_till_enter(till(w, 0, "bolt"), &why));
    fr_till_leave(till(w, 1, "acme"));
    assert_true(fr_till_enter(till(w, 0, "acme"), &why));
    set_policy(w, FR_POLICY_BUDGET_CONNECTIONS, "0");
    assert_true(fr_till_enter(till(w, 0, "acme"), &why));
}

static void walks_are_told_once_a_minute(void **state)
{
    struct world *w = *state;
    struct fr_refusal why;
    struct fr_till *a = till(w, 0, "acme");

    set_policy(w, FR_POLICY_BUDGET_MISSES, "0");
    for (uint64_t i = 0; i < 1000; i++)
        assert_true(fr_till_device(a, 0x70b3d57ed0000000 + i, i % 2 == 0, &why));
    assert_int_equal(count_lines(w, "budget.walk"), 1);
    assert_true(fr_desk_counters(w->desks[0])->walks > 10);
    assert_null(strstr(w->said, "70b3d57ed00000")); /* shortened */
    w->mono_ms += 60000;
    for (uint64_t i = 1000; i < 1100; i++)
        assert_true(fr_till_device(a, 0x70b3d57ed0000000 + i, true, &why));
    assert_int_equal(count_lines(w, "budget.walk"), 2);
}

static void without_memory_nobody_is_charged_wrongly(void **state)
{
    struct world *w = *state;
    const struct fr_usage_options options = {FED, NULL, &clock_of_test};
    struct fr_usage *usage = NULL;
    struct fr_desk *desk = NULL;
    struct fr_till *t = NULL;
    struct fr_refusal why;

    fr_mem_fail_nth(1);
    assert_int_equal(fr_usage_new(&options, &usage), FR_E_NOMEM);
    fr_mem_fail_nth(1);
    assert_int_equal(fr_desk_new(w->usage, &desk), FR_E_NOMEM);
    for (unsigned nth = 1; nth <= 3; nth++) {
        fr_mem_fail_nth(nth);
        assert_int_equal(fr_desk_till(w->desks[0], "cord", &t), FR_E_NOMEM);
        assert_null(t);
    }
    fr_mem_fail_nth(0);
    t = till(w, 0, "cord");
    fr_mem_fail_nth(1); /* no sketch: the tokens still count */
    for (uint64_t i = 0; i < 100; i++) {
        assert_true(fr_till_device(t, stranger(i), true, &why));
        fr_mem_fail_nth(1);
    }
    fr_mem_fail_nth(0);
    assert_false(fr_till_device(t, stranger(1), true, &why));
}

#define WORLD_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(misses_come_in_bursts),
        WORLD_TEST(unknown_devices_are_counted_once_a_day),
        WORLD_TEST(usage_is_told),
        WORLD_TEST(queries_are_paid_in_advance),
        WORLD_TEST(connections_have_a_number),
        WORLD_TEST(walks_are_told_once_a_minute),
        WORLD_TEST(without_memory_nobody_is_charged_wrongly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
