/* Certificates that nobody has issued: noted once, forgotten, barred; and the mark of a restore. */
#include "store/unknown.h"

#include "fixture.h"
#include "store/journal.h"
#include "support/unit.h"

static struct fr_unknown_row row_of(uint8_t number, uint16_t der_size)
{
    struct fr_unknown_row row = {.not_before_s = NOW - 10, .not_after_s = NOW + 1000};

    row.serial[0] = 1;
    row.serial[15] = number;
    strcpy(row.subject, "CN=acme");
    row.der_size = der_size;
    memset(row.der, number, der_size);
    return row;
}

static enum fr_err count_row(void *data, const struct fr_unknown_row *row)
{
    size_t *n = data;

    (void)row;
    (*n)++;
    return FR_OK;
}

static void noted_once_and_forgotten(void **state)
{
    struct fixture *f = *state;
    struct fr_change *change = begin_change(f->store);
    struct fr_unknown_row row = row_of(1, 0), got;
    size_t n = 0;

    assert_int_equal(fr_unknown_note(change, &row, NULL), FR_OK);
    row = row_of(1, 100); /* now whole */
    assert_int_equal(fr_unknown_note(change, &row, NULL), FR_OK);
    row = row_of(1, 50); /* there already */
    assert_int_equal(fr_unknown_note(change, &row, NULL), FR_OK);
    assert_int_equal(fr_unknown_get(fr_change_snap(change), row.serial, &got), FR_OK);
    assert_int_equal(got.der_size, 100);
    assert_int_equal(got.seen_s, NOW);
    assert_string_equal(got.subject, "CN=acme");
    assert_int_equal(fr_unknown_each(fr_change_snap(change), count_row, &n), FR_OK);
    assert_int_equal(n, 1);
    assert_int_equal(fr_unknown_forget(change, row.serial), FR_OK);
    assert_int_equal(fr_unknown_forget(change, row.serial), FR_E_NOT_FOUND);
    fr_change_cancel(change);
}

static void the_table_has_an_end(void **state)
{
    struct fixture *f = *state;
    struct fr_change *change = begin_change(f->store);
    struct fr_unknown_row row = row_of(0, 1);

    row.not_after_s = NOW - 1;
    for (unsigned i = 0; i < FR_UNKNOWN_MAX; i++) {
        row.serial[14] = (uint8_t)(i >> 8);
        row.serial[15] = (uint8_t)i;
        if (i == 1) row.not_after_s = NOW + 1; /* the first alone is over */
        assert_int_equal(fr_unknown_note(change, &row, NULL), FR_OK);
    }
    row.serial[1] = 1;
    assert_int_equal(fr_unknown_note(change, &row, NULL), FR_OK); /* in the place of that */
    row.serial[1] = 2;
    assert_int_equal(fr_unknown_note(change, &row, NULL), FR_E_LIMIT);
    fr_change_cancel(change);
}

static void a_barred_serial_stays_revoked(void **state)
{
    struct fixture *f = *state;
    struct fr_change *change = begin_change(f->store);
    const struct fr_cert_bar bar = {.serial = {9},
                                    .authority = "2026a",
                                    .not_after_s = NOW + 100,
                                    .revoked_s = NOW - 5,
                                    .cause = 1};
    struct fr_cert_row row;
    uint64_t before = 0, after = 0;

    assert_int_equal(fr_cert_revocations(fr_change_snap(change), &before), FR_OK);
    assert_int_equal(fr_cert_row_bar(change, &bar, NULL), FR_OK);
    assert_int_equal(fr_cert_row_bar(change, &bar, NULL), FR_E_EXISTS);
    assert_int_equal(fr_cert_row_get(fr_change_snap(change), bar.serial, &row), FR_OK);
    assert_int_equal(row.status, FR_CERT_REVOKED);
    assert_int_equal(row.revoked_s, NOW - 5);
    assert_int_equal(row.revoked_cause, 1);
    assert_int_equal(fr_cert_revocations(fr_change_snap(change), &after), FR_OK);
    assert_int_equal(after, before + 1);
    fr_change_cancel(change);
}

static void younger_than_the_backup(void **state)
{
    struct fixture *f = *state;
    struct fr_change *change = begin_change(f->store);
    struct fr_snap *snap = fr_change_snap(change);
    bool is_after = true;

    assert_int_equal(fr_unknown_is_after_backup(snap, NOW, &is_after), FR_OK);
    assert_false(is_after); /* never restored */
    assert_int_equal(fr_restored_set(change, NOW), FR_OK);
    static const struct {
        int64_t not_before_s;
        bool is_after;
    } rows[] = {{NOW, true}, {NOW + 1, true}, {NOW - 300, true}, {NOW - 301, false}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(fr_unknown_is_after_backup(snap, rows[i].not_before_s, &is_after), FR_OK);
        if (is_after != rows[i].is_after) fail_msg("row %zu", i);
    }
    fr_change_cancel(change);
}

/* Numbers go on above, the record is one that nobody steps over, and never back. */
static void numbers_go_on_after_a_restore(void **state)
{
    struct fixture *f = *state;
    const struct fr_change_by by = {.actor = "restore", .now_s = NOW};
    static const struct {
        uint64_t to, now;
    } rows[] = {{1000000, 1000000}, {1000000, 1000001}, {5, 1000002}, {1u << 31, 1u << 31}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        uint64_t latest = 0;
        struct fr_journal_record record;
        struct fr_fact fact;
        assert_int_equal(fr_restored_skip(f->store, &by, rows[i].to, NULL), FR_OK);
        struct fr_snap *snap = begin_snap(f->store);
        assert_int_equal(fr_snap_sequence(snap), rows[i].now);
        assert_int_equal(fr_journal_next(snap, rows[i].now, &record), FR_OK);
        assert_int_equal(record.sequence, rows[i].now);
        assert_int_equal(fr_fact_next(&record.facts, &fact), FR_OK);
        assert_int_equal(fact.kind, FR_FACT_IMAGE);
        assert_int_equal(fr_journal_latest(snap, 1, &latest), FR_OK);
        assert_int_equal(latest, rows[i].now);
        assert_int_equal(fr_journal_latest(snap, 2, &latest), FR_OK);
        if (i > 0) assert_int_equal(latest, rows[i - 1].now);
        assert_int_equal(fr_journal_latest(snap, 0, &latest), FR_OK);
        assert_int_equal(latest, rows[i].now + 1);
        assert_int_equal(fr_journal_latest(snap, 1000, &latest), FR_OK);
        assert_true(latest < 1000000);
        fr_snap_end(snap);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(noted_once_and_forgotten, store_setup, store_teardown),
        cmocka_unit_test_setup_teardown(the_table_has_an_end, store_setup, store_teardown),
        cmocka_unit_test_setup_teardown(a_barred_serial_stays_revoked, store_setup, store_teardown),
        cmocka_unit_test_setup_teardown(younger_than_the_backup, store_setup, store_teardown),
        cmocka_unit_test_setup_teardown(numbers_go_on_after_a_restore, store_setup, store_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
