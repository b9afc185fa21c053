#include "xfr/undo.h"

#include "support/unit.h"
#include "unit/store/fixture.h"

/* Facts as a store writes them: the last record's. */
static struct fr_journal_record last(struct fr_snap *snap)
{
    struct fr_journal_record record;

    assert_int_equal(fr_journal_next(snap, fr_snap_sequence(snap), &record), FR_OK);
    return record;
}

static void put(struct fr_store *store, uint32_t netid, enum fr_device_mode mode, uint64_t eui)
{
    struct fr_change *change = begin_change(store);
    struct fr_device_report report;
    const struct fr_device_job job = {.netid = netid, .mode = mode, .euis = &eui, .n = 1};

    assert_int_equal(fr_device_apply(change, &job, NULL, &report), FR_OK);
    commit_change(change);
}

static void the_first_fact_says_what_was(void **state)
{
    struct fixture *f = *state;
    struct fr_undo undo = {0};
    static const struct {
        uint32_t netid;
        enum fr_device_mode mode;
        uint64_t eui;
    } changes[] = {{0x13, FR_DEVICE_ADD, 5},
                   {0x2a, FR_DEVICE_ADD, 5},
                   {0x13, FR_DEVICE_ADD, 3},
                   {0, FR_DEVICE_REMOVE, 7},
                   {0x13, FR_DEVICE_ADD, 2}};

    put(f->store, 0x2b, FR_DEVICE_ADD, 7);
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        put(f->store, changes[i].netid, changes[i].mode, changes[i].eui);
        struct fr_snap *snap = begin_snap(f->store);
        assert_int_equal(fr_undo_take(&undo, last(snap).facts, 3), FR_OK);
        fr_snap_end(snap);
    }
    assert_int_equal(undo.n, 3); /* 2 was below */
    assert_int_equal(undo.rows[0].eui, 3);
    assert_int_equal(undo.rows[0].netid, 0);
    assert_int_equal(undo.rows[1].eui, 5);
    assert_int_equal(undo.rows[1].netid, 0);
    assert_int_equal(undo.rows[2].eui, 7);
    assert_int_equal(undo.rows[2].netid, 0x2b);
    assert_int_equal(fr_undo_find(&undo, 6), 2);
    fr_undo_drop(&undo, 6);
    assert_int_equal(undo.n, 1);
    assert_int_equal(undo.rows[0].eui, 7);
    fr_undo_deinit(&undo);
}

int main(void)
{
    const struct CMUnitTest tests[] = {STORE_TEST(the_first_fact_says_what_was)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
