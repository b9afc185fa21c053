/* A store with notices, a real program that takes them or not, and a clock of the test's own. */
#include "notify/messenger.h"

#include "support/unit.h"
#include "transport/loop_poll.h"
#include "unit/store/fixture.h"

#include <stdio.h>
#include <unistd.h>

struct world {
    struct fixture *f;
    int64_t mono_ms;
    struct fr_clock clock;
    struct fr_loop *loop;
    struct fr_messenger *m;
    char sh[8], c[4], script[400];
    char *argv[3];
    bool refuses_to_record;
    unsigned told;
};

static int64_t mono(void *data)
{
    return ((struct world *)data)->mono_ms;
}

static int64_t real(void *data)
{
    (void)data;
    return (int64_t)NOW * 1000;
}

/* As the writer does it. */
static bool told(void *data, const char *id, enum fr_notice_stage stage, enum fr_notice_way way)
{
    struct world *w = data;

    if (w->refuses_to_record) return false;
    struct fr_change *change = begin_change(w->f->store);
    assert_int_equal(fr_notice_told(change, id, stage, way), FR_OK);
    commit_change(change);
    w->told++;
    return true;
}

static void begin(struct world *w, struct fixture *f, const char *script)
{
    *w = (struct world){.f = f, .sh = "/bin/sh", .c = "-c", .mono_ms = 1000};
    w->clock = (struct fr_clock){mono, real, w};
    (void)snprintf(w->script, sizeof w->script, "cd %s; %s", (const char *)f->dir, script);
    w->argv[0] = w->sh;
    w->argv[1] = w->c;
    w->argv[2] = w->script;
    assert_int_equal(fr_loop_poll_new(NULL, &w->loop), FR_OK);
    const struct fr_messenger_options options = {
        .loop = w->loop, .store = f->store, .clock = &w->clock, .told = told, .data = w};
    assert_int_equal(fr_messenger_new(&options, &w->m), FR_OK);
    const struct fr_notify_conf conf = {.exec = w->argv, .n_exec = 3, .exec_ms = 60000};
    assert_int_equal(fr_messenger_set(w->m, &conf), FR_OK);
}

static void end(struct world *w)
{
    fr_messenger_free(w->m);
    fr_loop_poll_free(w->loop);
}

static void note(struct fixture *f, const char *id, enum fr_notice_stage stage)
{
    struct fr_notice_row row = {
        .level = FR_NOTICE_WARNING, .stage = stage, .begun_s = NOW, .since_s = NOW, .what = "so"};
    struct fr_change *change = begin_change(f->store);

    (void)snprintf(row.id, sizeof row.id, "%s", id);
    assert_int_equal(fr_notice_put(change, &row, NULL), FR_OK);
    commit_change(change);
}

static uint64_t attempts(const struct world *w)
{
    struct fr_messenger_counters c;

    fr_messenger_count(w->m, &c);
    return c.taken[0] + c.failed[0];
}

/* Until so many were tried. */
static void go(struct world *w, uint64_t n)
{
    for (int turns = 0; attempts(w) < n; turns++) {
        const unsigned before = w->told;
        fr_messenger_tend(w->m);
        (void)fr_loop_poll_turn(w->loop, 1000);
        if (w->told != before) fr_messenger_recorded(w->m, FR_NOTICE_BY_EXEC, true);
        assert_true(turns < 100000);
    }
}

/* The ids that the program wrote down, and a blank behind each. */
static void expect_file(const struct fixture *f, const char *want)
{
    char path[200], text[1000] = "";

    (void)snprintf(path, sizeof path, "%s/got", (const char *)f->dir);
    FILE *in = fopen(path, "r");
    if (in) {
        text[fread(text, 1, sizeof text - 1, in)] = '\0';
        fclose(in);
    }
    assert_string_equal(text, want);
}

#define TAKE                                                                                       \
    "sed 's/.*\"id\":\"\\([a-z]*\\)\".*\"stage\":\"\\([0-9a-z]*\\)\".*/\\1-\\2 /' | tr -d '\\n' "  \
    ">> got"

static void each_once_and_in_order(void **state)
{
    struct world w;

    begin(&w, *state, TAKE);
    fr_messenger_tend(w.m);
    assert_int_equal(attempts(&w), 0); /* there is nothing */
    note(w.f, "b", FR_STAGE_OPEN);
    note(w.f, "a", FR_STAGE_OVERDUE);
    note(w.f, "c", FR_STAGE_OPEN);
    struct fr_change *change = begin_change(w.f->store);
    assert_int_equal(fr_notice_ack(change, "c", "local:ada", "known", NULL), FR_OK);
    commit_change(change);
    go(&w, 2);
    expect_file(w.f, "a-overdue b-open ");
    note(w.f, "a", FR_STAGE_3D); /* the next stage; what was acknowledged is quiet */
    go(&w, 3);
    for (int i = 0; i < 5; i++) {
        fr_messenger_tend(w.m);
        (void)fr_loop_poll_turn(w.loop, 0);
    }
    assert_int_equal(attempts(&w), 3);
    expect_file(w.f, "a-overdue b-open a-3d ");
    end(&w);
}

static void what_is_not_taken_waits_and_holds_up_none(void **state)
{
    struct world w;

    begin(&w, *state,
          "grep -v '\"id\":\"a\"' | " TAKE "; test -s got && ! grep -q bad got || exit 1");
    note(w.f, "a", FR_STAGE_OPEN); /* which the program will not have while there is nothing else */
    note(w.f, "b", FR_STAGE_OPEN);
    go(&w, 1);
    assert_int_equal(w.told, 0);
    fr_messenger_tend(w.m);
    (void)fr_loop_poll_turn(w.loop, 0);
    assert_int_equal(attempts(&w), 1); /* not before its time */
    w.mono_ms += FR_NOTIFY_RETRY_MS * 2;
    go(&w, 2); /* b gets its turn */
    expect_file(w.f, "b-open ");
    assert_int_equal(w.told, 1);
    end(&w);
}

/* Every failure waits twice as long as the one before, an hour at most. */
static void it_backs_off(void **state)
{
    struct world w;
    int64_t wait_ms = FR_NOTIFY_RETRY_MS;

    begin(&w, *state, "exit 1");
    note(w.f, "a", FR_STAGE_OPEN);
    for (uint64_t n = 1; n < 14; n++) {
        go(&w, n);
        w.mono_ms += wait_ms - wait_ms / 10 - 1;
        fr_messenger_tend(w.m);
        (void)fr_loop_poll_turn(w.loop, 0);
        assert_int_equal(attempts(&w), n);
        w.mono_ms += wait_ms / 5 + 2;
        wait_ms = 2 * wait_ms < FR_NOTIFY_RETRY_MAX_MS ? 2 * wait_ms : FR_NOTIFY_RETRY_MAX_MS;
    }
    end(&w);
}

/* Killed between the program's 0 and the store: it goes once more. */
static void at_least_once_over_a_crash(void **state)
{
    struct world w;

    begin(&w, *state, TAKE);
    note(w.f, "a", FR_STAGE_OPEN);
    w.refuses_to_record = true;
    go(&w, 1);
    end(&w);
    expect_file(w.f, "a-open ");
    begin(&w, *state, TAKE);
    go(&w, 1);
    expect_file(w.f, "a-open a-open ");
    end(&w);
    begin(&w, *state, TAKE); /* recorded now: not again */
    fr_messenger_tend(w.m);
    (void)fr_loop_poll_turn(w.loop, 0);
    assert_int_equal(attempts(&w), 0);
    end(&w);
}

static void on_tested(void *data, const struct fr_messenger_test *result)
{
    struct fr_messenger_test *out = data;

    *out = *result;
}

static void a_test_says_what_came_of_it(void **state)
{
    struct world w;
    struct fr_messenger_test result = {0};
    const struct fr_notify_conf none = {0};

    begin(&w, *state, "grep -q '\"test\":true' || exit 4; echo pager is empty; exit 1");
    assert_int_equal(fr_messenger_try(w.m, on_tested, &result), FR_OK);
    assert_int_equal(fr_messenger_try(w.m, on_tested, &result), FR_E_BUSY);
    while (!result.is_set[0]) (void)fr_loop_poll_turn(w.loop, 1000);
    assert_string_equal(result.why[0], "it failed (exit code 1): pager is empty");
    assert_false(result.is_set[1]);
    result = (struct fr_messenger_test){0};
    assert_int_equal(fr_messenger_try(w.m, on_tested, &result), FR_OK);
    fr_messenger_stop(w.m); /* whoever waits is answered */
    assert_string_equal(result.why[0], "the broker stops");
    end(&w);
    begin(&w, *state, "exit 0");
    assert_int_equal(fr_messenger_set(w.m, &none), FR_OK);
    assert_int_equal(fr_messenger_try(w.m, on_tested, &result), FR_E_NOT_FOUND);
    end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(each_once_and_in_order), STORE_TEST(what_is_not_taken_waits_and_holds_up_none),
        STORE_TEST(it_backs_off), STORE_TEST(at_least_once_over_a_crash),
        STORE_TEST(a_test_says_what_came_of_it)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
