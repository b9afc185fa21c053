#include "fixture.h"

#include "admin/writer.h"
#include "store/device.h"
#include "transport/loop_poll.h"

static const struct fr_span none = {0};

struct outcome {
    unsigned done, refused, order;
    unsigned *clock; /* counts call-backs */
};

static void note(void *data, struct fr_task *task)
{
    struct outcome *outcome = data;
    struct fr_admin_reply *reply = NULL;
    if (fr_task_take_reply(task, NULL, &reply)) outcome->refused++;
    outcome->done++;
    outcome->order = ++*outcome->clock;
    fr_admin_reply_free(reply);
    fr_task_free(task);
}

static struct fr_loop *loop_make(void)
{
    struct fr_loop *loop = NULL;
    assert_int_equal(fr_loop_poll_new(NULL, &loop), FR_OK);
    assert_int_equal(fr_loop_enable_posts(loop), FR_OK);
    return loop;
}

static void turn_until(struct fr_loop *loop, const unsigned *clock, unsigned n)
{
    for (int i = 0; *clock < n && i < 3000; i++) (void)fr_loop_poll_turn(loop, 10);
    assert_int_equal(*clock, n);
}

/* While a long task runs its slices, single ones that arrive are answered in between, and together.
 */
static void singles_get_in_between_and_share_commits(void **state)
{
    struct fixture *f = *state;
    struct fr_loop *loop = loop_make();
    struct fr_writer *writer = NULL;
    const struct fr_writer_options options = {.fed = f->fed, .queue = 100, .slice_ms = 1};
    enum { SINGLES = 20, DEVICES = 200000 };
    unsigned clock = 0;
    struct outcome longs = {.clock = &clock}, singles = {.clock = &clock};
    uint8_t *body = malloc(8 * DEVICES);
    for (size_t i = 0; i < DEVICES; i++) {
        uint64_t eui = 0x70b3d57ed0000000u + i;
        for (size_t b = 0; b < 8; b++) body[8 * i + b] = (uint8_t)(eui >> (8 * (7 - b)));
    }
    assert_int_equal(fr_writer_start(&options, &writer), FR_OK);
    struct fr_task *import =
        task_make("zone.import", "{\"netid\":\"000013\"}", fr_span(body, 8 * DEVICES), false);
    assert_int_equal(fr_writer_submit(writer, import, loop, note, &longs), FR_OK);
    for (int i = 0; i < SINGLES; i++) {
        char args[64];
        (void)snprintf(args, sizeof args, "{\"id\":\"m%d\",\"netids\":[\"0000%02x\"]}", i,
                       0x20 + i);
        struct fr_task *task = task_make("member.add", args, none, false);
        assert_int_equal(fr_writer_submit(writer, task, loop, note, &singles), FR_OK);
    }
    turn_until(loop, &clock, SINGLES + 1);
    struct fr_writer_counters counters = fr_writer_counters(writer);
    assert_int_equal(singles.done, SINGLES);
    assert_int_equal(singles.refused + longs.refused, 0);
    assert_true(longs.order == SINGLES + 1); /* the import came first and ended last */
    assert_true(counters.groups < SINGLES);
    assert_true(counters.slices > 1);
    assert_int_equal(counters.tasks, SINGLES + 1);
    fr_writer_stop(writer);
    fr_loop_poll_free(loop);
    free(body);
}

/* A long task that is short beside an import does not wait for it; two imports wait for each other. */
static void long_tasks_do_not_wait_for_an_import(void **state)
{
    struct fixture *f = *state;
    struct fr_loop *loop = loop_make();
    struct fr_writer *writer = NULL;
    const struct fr_writer_options options = {.fed = f->fed, .queue = 100, .slice_ms = 1};
    enum { DEVICES = 100000 };
    unsigned clock = 0;
    struct outcome one = {.clock = &clock}, two = {.clock = &clock}, crl = {.clock = &clock};
    uint8_t *body = calloc(DEVICES, 8);
    for (size_t i = 0; i < DEVICES; i++) {
        body[8 * i] = 1;
        for (size_t b = 0; b < 4; b++) body[8 * i + 4 + b] = (uint8_t)(i >> (8 * (3 - b)));
    }
    const struct fr_span whole = fr_span(body, 8 * DEVICES), half = fr_span(body, 4 * DEVICES);
    const char *args = "{\"netid\":\"000013\",\"replace\":true}";
    assert_int_equal(fr_writer_start(&options, &writer), FR_OK);
    assert_int_equal(
        fr_writer_submit(writer, task_make("zone.import", args, whole, false), loop, note, &one),
        FR_OK);
    assert_int_equal(
        fr_writer_submit(writer, task_make("zone.import", args, half, false), loop, note, &two),
        FR_OK);
    /* It fails, having no CA here, but not before its turn has come. */
    assert_int_equal(
        fr_writer_submit(writer, task_make("crl.publish", "{}", none, false), loop, note, &crl),
        FR_OK);
    turn_until(loop, &clock, 3);
    assert_int_equal(crl.order, 1);
    assert_int_equal(one.order, 2);
    assert_int_equal(two.order, 3);
    assert_int_equal(one.refused + two.refused, 0);
    fr_writer_stop(writer);
    fr_loop_poll_free(loop);
    free(body);
    struct fr_snap *snap = NULL;
    uint64_t devices = 0;
    assert_int_equal(fr_snap_begin(f->store, &snap), FR_OK);
    assert_int_equal(fr_device_count(snap, &devices), FR_OK);
    fr_snap_end(snap);
    assert_int_equal(devices, DEVICES / 2);
}

/* A stop does not wait for an import of any length: a cut one is finished or taken back, as after a crash. */
static void a_stop_cuts_an_import_short(void **state)
{
    struct fixture *f = *state;
    struct fr_loop *loop = loop_make();
    struct fr_writer *writer = NULL;
    const struct fr_writer_options options = {.fed = f->fed, .queue = 100, .slice_ms = 1};
    enum { DEVICES = 400000 };
    unsigned clock = 0;
    struct outcome import = {.clock = &clock}, single = {.clock = &clock};
    struct fr_snap *snap = NULL;
    uint64_t before = 0, after = 0;
    uint8_t *body = calloc(DEVICES, 8);
    for (size_t i = 0; i < DEVICES; i++) {
        body[8 * i] = 2;
        for (size_t b = 0; b < 4; b++) body[8 * i + 4 + b] = (uint8_t)(i >> (8 * (3 - b)));
    }
    assert_int_equal(fr_snap_begin(f->store, &snap), FR_OK);
    assert_int_equal(fr_device_count(snap, &before), FR_OK);
    fr_snap_end(snap);
    assert_int_equal(fr_writer_start(&options, &writer), FR_OK);
    struct fr_task *task =
        task_make("zone.import", "{\"netid\":\"000013\"}", fr_span(body, 8 * DEVICES), false);
    assert_int_equal(fr_writer_submit(writer, task, loop, note, &import), FR_OK);
    while (fr_writer_counters(writer).slices < 3) (void)fr_loop_poll_turn(loop, 1);
    assert_int_equal(
        fr_writer_submit(writer,
                         task_make("policy.set", "{\"set\":{\"ttl.netid\":\"61s\"}}", none, false),
                         loop, note, &single),
        FR_OK);
    fr_writer_stop(writer);
    turn_until(loop, &clock, 2);
    assert_int_equal(single.refused, 0);
    assert_int_equal(import.refused, 1);
    while (!fr_admin_tidy(f->fed, 100)) continue;
    assert_int_equal(fr_snap_begin(f->store, &snap), FR_OK);
    assert_int_equal(fr_device_count(snap, &after), FR_OK);
    fr_snap_end(snap);
    assert_true(after == before || after == before + DEVICES);
    fr_loop_poll_free(loop);
    free(body);
}

static void a_full_queue_refuses_and_stop_finishes_what_waits(void **state)
{
    struct fixture *f = *state;
    struct fr_loop *loop = loop_make();
    struct fr_writer *writer = NULL;
    const struct fr_writer_options options = {.fed = f->fed, .queue = 2, .slice_ms = 10};
    unsigned clock = 0, accepted = 0, busy = 0;
    struct outcome outcome = {.clock = &clock};
    assert_int_equal(fr_writer_start(&options, &writer), FR_OK);
    for (int i = 0; i < 200 && !busy; i++) {
        char args[64];
        (void)snprintf(args, sizeof args, "{\"set\":{\"ttl.netid\":\"%ds\"}}", 60 + i);
        struct fr_task *task = task_make("policy.set", args, none, false);
        enum fr_err err = fr_writer_submit(writer, task, loop, note, &outcome);
        if (err) fr_task_free(task);
        assert_true(err == FR_OK || err == FR_E_BUSY);
        accepted += err == FR_OK;
        busy += err == FR_E_BUSY;
    }
    assert_true(busy > 0);
    fr_writer_stop(writer);
    turn_until(loop, &clock, accepted);
    assert_int_equal(outcome.refused, 0);
    fr_loop_poll_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(singles_get_in_between_and_share_commits, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(long_tasks_do_not_wait_for_an_import, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(a_stop_cuts_an_import_short, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(a_full_queue_refuses_and_stop_finishes_what_waits,
                                        fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
