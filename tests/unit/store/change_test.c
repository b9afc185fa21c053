#include "store/change.h"

#include "fixture.h"

static uint64_t sequence_of(struct fr_store *store)
{
    struct fr_snap *snap = begin_snap(store);
    uint64_t sequence = fr_snap_sequence(snap);

    fr_snap_end(snap);
    return sequence;
}

static void a_change_leaves_one_record_with_folded_facts(void **state)
{
    struct fixture *f = *state;
    static const uint8_t serial[FR_SERIAL_SIZE] = {0xab, 1};
    struct fr_change_by by = {
        .actor = "cert:ab01", .serial = serial, .reason = "new\nlines \xff go", .now_s = NOW};
    struct fr_change *change = NULL;
    struct fr_journal_record record;
    struct fr_fact fact;
    struct fr_member_row row = {.id = "acme", .org = "Other", .state = FR_MEMBER_ACTIVE};

    assert_int_equal(fr_store_change(f->store, &by, NULL, &change), FR_OK);
    assert_true(fr_change_is_empty(change));
    assert_int_equal(fr_member_set(change, &row, NULL), FR_OK);
    strcpy(row.org, "Another");
    assert_int_equal(fr_member_set(change, &row, NULL), FR_OK);
    add_member(change, "calm");
    assert_false(fr_change_is_empty(change));
    assert_int_equal(commit_change(change), 2);

    struct fr_snap *snap = begin_snap(f->store);
    assert_int_equal(fr_journal_next(snap, 2, &record), FR_OK);
    assert_int_equal(record.sequence, 2);
    assert_int_equal(record.when_s, NOW);
    assert_string_equal(record.actor, "cert:ab01");
    assert_string_equal(record.reason, "new?lines ? go");
    assert_true(record.has_serial);
    assert_memory_equal(record.serial, serial, sizeof serial);
    assert_int_equal(record.n_facts, 2);
    assert_int_equal(fr_fact_next(&record.facts, &fact), FR_OK);
    assert_int_equal(fact.kind, FR_FACT_MEMBER);
    assert_true(fr_span_is(fact.key, "acme"));
    assert_int_equal(fr_fact_next(&record.facts, &fact), FR_OK);
    assert_true(fr_span_is(fact.key, "calm"));
    assert_int_equal(fr_fact_next(&record.facts, &fact), FR_E_NOT_FOUND);
    assert_int_equal(fr_journal_next(snap, 3, &record), FR_E_NOT_FOUND);
    assert_int_equal(fr_journal_next(snap, 0, &record), FR_OK);
    assert_int_equal(record.sequence, 1);
    fr_snap_end(snap);
}

static void nothing_changed_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    struct fr_change *change = begin_change(f->store);
    struct fr_member_row row = {.id = "acme", .org = "Organisation", .state = FR_MEMBER_ACTIVE};
    uint64_t txn = fr_store_last_txn(f->store);

    assert_int_equal(fr_member_set(change, &row, NULL), FR_OK);
    assert_int_equal(fr_network_add(change, 0x13, "acme", NULL), FR_OK);
    assert_int_equal(commit_change(change), 1);
    assert_int_equal(sequence_of(f->store), 1);
    assert_int_equal(fr_store_last_txn(f->store), txn);
}

static void a_cancelled_change_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    struct fr_change *change = begin_change(f->store);
    struct fr_member_row row;

    add_member(change, "calm");
    assert_int_equal(fr_member_get(fr_change_snap(change), "calm", &row), FR_OK);
    fr_change_cancel(change);
    struct fr_snap *snap = begin_snap(f->store);
    assert_int_equal(fr_member_get(snap, "calm", &row), FR_E_NOT_FOUND);
    assert_int_equal(fr_snap_sequence(snap), 1);
    fr_snap_end(snap);
}

static void changes_share_a_batch_and_one_can_go(void **state)
{
    struct fixture *f = *state;
    struct fr_change_by by = by_tester();
    struct fr_batch *batch = NULL;
    struct fr_member_row row;
    static const char *const ids[] = {"one", "two", "three"};

    assert_int_equal(fr_batch_begin(f->store, NULL, &batch), FR_OK);
    for (size_t i = 0; i < 3; i++) {
        struct fr_change *change = NULL;
        assert_int_equal(fr_batch_change(batch, &by, NULL, &change), FR_OK);
        add_member(change, ids[i]);
        if (i == 1)
            fr_change_cancel(change);
        else
            assert_int_equal(commit_change(change), i == 0 ? 2 : 3);
    }
    assert_int_equal(sequence_of(f->store), 1); /* not on disk yet */
    assert_int_equal(fr_batch_commit(batch, NULL), FR_OK);
    struct fr_snap *snap = begin_snap(f->store);
    assert_int_equal(fr_snap_sequence(snap), 3);
    assert_int_equal(fr_member_get(snap, "one", &row), FR_OK);
    assert_int_equal(fr_member_get(snap, "two", &row), FR_E_NOT_FOUND);
    assert_int_equal(fr_member_get(snap, "three", &row), FR_OK);
    fr_snap_end(snap);

    assert_int_equal(fr_batch_begin(f->store, NULL, &batch), FR_OK);
    struct fr_change *change = NULL;
    assert_int_equal(fr_batch_change(batch, &by, NULL, &change), FR_OK);
    add_member(change, "four");
    commit_change(change);
    fr_batch_abort(batch);
    assert_int_equal(sequence_of(f->store), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(a_change_leaves_one_record_with_folded_facts),
        STORE_TEST(nothing_changed_leaves_nothing),
        STORE_TEST(a_cancelled_change_leaves_nothing),
        STORE_TEST(changes_share_a_batch_and_one_can_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
