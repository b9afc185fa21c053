/* Conditions against rows: what is raised, kept, lowered, cleared. */
#include "alarm/ledger.h"
#include "alarm/notice_json.h"
#include "alarm/stage.h"

#include "support/unit.h"
#include "unit/store/fixture.h"

#include <stdio.h>

#define DAY 86400LL

static struct fr_condition condition(const char *id, enum fr_notice_stage stage,
                                     enum fr_notice_stage soon)
{
    struct fr_condition c = {
        .level = FR_NOTICE_WARNING, .stage = stage, .soon = soon, .until_s = NOW + 40 * DAY};

    (void)snprintf(c.id, sizeof c.id, "%s", id);
    (void)snprintf(c.what, sizeof c.what, "at stage %s", fr_notice_stage_text(stage));
    return c;
}

static void count_noted(void *data, const char *id, const struct fr_notice_row *row)
{
    size_t *n = data;

    assert_true(id[0] != '\0' && (!row || strcmp(row->id, id) == 0));
    ++*n;
}

/* All parts of one reckoning at this time; how many rows were raised and cleared. */
static struct fr_ledger reckon(struct fixture *f, const struct fr_condition *conditions, size_t n,
                               int64_t now_s)
{
    size_t noted = 0;
    struct fr_ledger ledger = {
        .noted = count_noted, .data = &noted, .conditions = conditions, .n = n};

    for (bool done = false; !done;) {
        const struct fr_change_by by = {.actor = "local:broker", .now_s = now_s};
        struct fr_change *change = NULL;
        assert_int_equal(fr_store_change(f->store, &by, NULL, &change), FR_OK);
        assert_int_equal(fr_ledger_reckon(&ledger, change, NULL, &done), FR_OK);
        assert_int_equal(done, fr_change_is_empty(change));
        commit_change(change);
    }
    assert_true(noted <= ledger.raised + ledger.cleared); /* not of events that go on */
    return ledger;
}

static bool find(struct fixture *f, const char *id, struct fr_notice_row *out)
{
    struct fr_snap *snap = begin_snap(f->store);
    const enum fr_err err = fr_notice_get(snap, id, out);

    fr_snap_end(snap);
    return err == FR_OK;
}

static void tell_and_ack(struct fixture *f, const char *id, enum fr_notice_stage stage)
{
    struct fr_change *change = begin_change(f->store);

    assert_int_equal(fr_notice_told(change, id, stage, FR_NOTICE_BY_EXEC), FR_OK);
    assert_int_equal(fr_notice_ack(change, id, "local:ada", "known", NULL), FR_OK);
    commit_change(change);
}

static void one_notice_through_its_stages(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *label;
        enum fr_notice_stage stage, soon; /* none, none: the condition is gone */
        bool is_other;                    /* with another end: a new list, say */
        enum fr_notice_stage row;
        bool is_told;
    } rows[] = {
        {"not yet", FR_STAGE_NONE, FR_STAGE_OVERDUE, false, FR_STAGE_NONE, false},
        {"reached", FR_STAGE_OVERDUE, FR_STAGE_OVERDUE, false, FR_STAGE_OVERDUE, false},
        {"again", FR_STAGE_OVERDUE, FR_STAGE_OVERDUE, false, FR_STAGE_OVERDUE, true},
        {"the clock a little back", FR_STAGE_NONE, FR_STAGE_OVERDUE, false, FR_STAGE_OVERDUE, true},
        {"worse", FR_STAGE_3D, FR_STAGE_1D, false, FR_STAGE_3D, false},
        {"a little back", FR_STAGE_OVERDUE, FR_STAGE_3D, false, FR_STAGE_3D, true},
        {"far back", FR_STAGE_OVERDUE, FR_STAGE_OVERDUE, false, FR_STAGE_OVERDUE, false},
        {"two stages at once", FR_STAGE_1D, FR_STAGE_OVER, false, FR_STAGE_1D, false},
        {"back before all", FR_STAGE_NONE, FR_STAGE_OVERDUE, false, FR_STAGE_NONE, false},
        {"and there again", FR_STAGE_OVERDUE, FR_STAGE_OVERDUE, false, FR_STAGE_OVERDUE, false},
        {"another end", FR_STAGE_OVERDUE, FR_STAGE_OVERDUE, true, FR_STAGE_OVERDUE, false},
        {"renewed", FR_STAGE_NONE, FR_STAGE_NONE, true, FR_STAGE_NONE, false},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fr_condition c = condition("certificate/41", rows[i].stage, rows[i].soon);
        struct fr_notice_row row = {0};
        if (rows[i].is_other) c.until_s += DAY;
        (void)reckon(f, &c, rows[i].soon != FR_STAGE_NONE, NOW + (int64_t)i);
        const bool is_there = find(f, c.id, &row);
        if (is_there != (rows[i].row != FR_STAGE_NONE))
            fail_msg("%s: there %d", rows[i].label, is_there);
        if (!is_there) continue;
        if (row.stage != rows[i].row)
            fail_msg("%s: %s", rows[i].label, fr_notice_stage_text(row.stage));
        if ((row.told != 0) != rows[i].is_told) fail_msg("%s: told %d", rows[i].label, row.told);
        assert_int_equal(row.acked_s > 0, rows[i].is_told);
        tell_and_ack(f, c.id, row.stage);
    }
}

static void what_happened_is_kept_for_a_day(void **state)
{
    struct fixture *f = *state;
    struct fr_condition c = condition("walk/acme", FR_STAGE_OPEN, FR_STAGE_OPEN);
    struct fr_notice_row row;

    c.is_event = true;
    c.until_s = NOW + DAY;
    assert_int_equal(reckon(f, &c, 1, NOW).raised, 1);
    tell_and_ack(f, c.id, FR_STAGE_OPEN);
    c.until_s += 60; /* seen a minute later: not worth a write */
    assert_int_equal(reckon(f, &c, 1, NOW + 60).raised, 0);
    c.until_s = NOW + 3 * 3600 + DAY;
    (void)reckon(f, &c, 1, NOW + 3 * 3600);
    assert_true(find(f, c.id, &row));
    assert_int_equal(row.until_s, c.until_s);
    assert_true(row.told != 0 && row.acked_s > 0);              /* and is not told again */
    assert_int_equal(reckon(f, NULL, 0, NOW + DAY).cleared, 0); /* as after a restart */
    assert_int_equal(reckon(f, NULL, 0, c.until_s).cleared, 0);
    assert_int_equal(reckon(f, NULL, 0, c.until_s + 1).cleared, 1);
    /* A clock that was far ahead leaves nothing for years. */
    c.until_s = NOW + 400 * DAY;
    assert_int_equal(reckon(f, &c, 1, NOW + 399 * DAY).raised, 1);
    assert_int_equal(reckon(f, NULL, 0, NOW).cleared, 1);
}

static void many_come_and_go_in_parts(void **state)
{
    struct fixture *f = *state;
    enum { N = 3 * FR_LEDGER_AT_ONCE + 1 };
    static struct fr_condition all[N];
    char id[32];

    for (int i = 0; i < N; i++) {
        (void)snprintf(id, sizeof id, "certificate/%06d", i);
        all[i] = condition(id, FR_STAGE_OVERDUE, FR_STAGE_OVERDUE);
    }
    assert_int_equal(reckon(f, all, N, NOW).raised, N);
    assert_int_equal(reckon(f, all, N, NOW).raised, 0);
    for (int i = 0; i < N; i += 2) all[i].stage = all[i].soon = FR_STAGE_3D;
    assert_int_equal(reckon(f, all, N, NOW).raised, (N + 1) / 2);
    /* The first and the last third are mended. */
    assert_int_equal(reckon(f, all + N / 3, N / 3, NOW).cleared, N - N / 3);
    assert_int_equal(reckon(f, NULL, 0, NOW).cleared, N / 3);
}

static void as_json(void **state)
{
    struct fr_buf out = FR_BUF_INIT(4096);
    struct fr_notice_row row = {.id = "root",
                                .level = FR_NOTICE_PLAN,
                                .stage = FR_STAGE_HALF,
                                .since_s = 1795157000,
                                .until_s = 1795157001,
                                .what = "the \"root\"",
                                .mend = "plan"};

    (void)state;
    fr_notice_write_json(&out, FED, &row, true);
    assert_string_equal(
        fr_buf_str(&out),
        "{\"federation\":\"fed.test\",\"id\":\"root\",\"level\":\"plan\",\"stage\":\"half\","
        "\"since\":\"2026-11-20T06:43:20Z\",\"until\":\"2026-11-20T06:43:21Z\","
        "\"what\":\"the \\\"root\\\"\",\"mend\":\"plan\",\"test\":true}");
    fr_buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(one_notice_through_its_stages), STORE_TEST(what_happened_is_kept_for_a_day),
        STORE_TEST(many_come_and_go_in_parts), cmocka_unit_test(as_json)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
