/* Requests that wait for others: who may agree, when it is enough, what ends them, and how many there may be. */
#include "store/approval.h"

#include "fixture.h"
#include "support/unit.h"

static struct fr_approval_row row_of(const char *person, uint8_t needed, uint8_t digest)
{
    struct fr_approval_row row = {
        .op = "member.add", .args = "{\"id\":\"new\"}", .needed = needed, .expires_s = NOW + 100};

    (void)snprintf(row.person, sizeof row.person, "%s", person);
    (void)snprintf(row.asker, sizeof row.asker, "local:root");
    row.digest[0] = digest;
    return row;
}

static void it_takes_as_many_as_it_says(void **state)
{
    struct fixture *f = *state;
    struct fr_change *change = begin_change(f->store);
    struct fr_approval_row row = row_of("ada", 3, 1), got = {0};
    static const struct {
        const char *person;
        enum fr_err err;
        enum fr_approval_state state;
    } rows[] = {
        {"ada", FR_E_DENIED, FR_APPROVAL_WAITING}, /* his own */
        {"", FR_E_DENIED, FR_APPROVAL_WAITING},    /* nobody */
        {"bob", FR_OK, FR_APPROVAL_WAITING},
        {"bob", FR_E_EXISTS, FR_APPROVAL_WAITING}, /* once each */
        {"cleo", FR_OK, FR_APPROVAL_AGREED},
        {"bob", FR_OK, FR_APPROVAL_AGREED}, /* again, because it was not done */
        {"dora", FR_OK, FR_APPROVAL_AGREED},
        {"ada", FR_E_DENIED, FR_APPROVAL_AGREED},
    };

    assert_int_equal(fr_approval_ask(change, &row, NULL), FR_OK);
    for (size_t i = 0; i < COUNT(rows); i++) {
        enum fr_err err = fr_approval_agree(change, row.id, rows[i].person, NULL, &got);
        if (err != rows[i].err) fail_msg("row %zu: %s", i, fr_err_text(err));
        assert_int_equal(fr_approval_get(fr_change_snap(change), row.id, &got), FR_OK);
        assert_int_equal(got.state, rows[i].state);
    }
    assert_int_equal(got.n, 2);
    assert_string_equal(got.by[1].person, "cleo");
    assert_int_equal(got.asked_s, NOW);
    assert_int_equal(fr_approval_close(change, row.id, FR_APPROVAL_DONE, NULL, NULL, NULL), FR_OK);
    assert_int_equal(fr_approval_agree(change, row.id, "bob", NULL, &got), FR_E_CONFLICT);
    assert_int_equal(fr_approval_close(change, row.id, FR_APPROVAL_REFUSED, "bob", NULL, NULL),
                     FR_E_CONFLICT);
    row.id[0] ^= 1;
    assert_int_equal(fr_approval_agree(change, row.id, "bob", NULL, &got), FR_E_NOT_FOUND);
    (void)commit_change(change);
}

static void what_is_over_is_worth_nothing(void **state)
{
    struct fixture *f = *state;
    struct fr_change *change = begin_change(f->store);
    struct fr_approval_row late = row_of("ada", 2, 1), other = row_of("ada", 2, 2), got = {0};
    struct fr_snap *snap = fr_change_snap(change);

    late.expires_s = NOW - 1;
    assert_int_equal(fr_approval_ask(change, &late, NULL), FR_OK);
    assert_int_equal(fr_approval_agree(change, late.id, "bob", NULL, &got), FR_E_EXPIRED);
    assert_int_equal(fr_approval_find(snap, late.digest, "ada", NOW, &got), FR_E_NOT_FOUND);
    assert_int_equal(fr_approval_find(snap, late.digest, "ada", NOW - 1, &got), FR_OK);
    assert_int_equal(fr_approval_ask(change, &other, NULL), FR_OK);
    assert_int_equal(fr_approval_find(snap, other.digest, NULL, NOW, &got), FR_OK);
    assert_memory_equal(got.id, other.id, sizeof got.id);
    assert_int_equal(fr_approval_find(snap, other.digest, "bob", NOW, &got), FR_E_NOT_FOUND);
    assert_int_equal(
        fr_approval_close(change, other.id, FR_APPROVAL_REFUSED, "bob", "not ours", NULL), FR_OK);
    assert_int_equal(fr_approval_get(snap, other.id, &got), FR_OK);
    assert_string_equal(got.closer, "bob");
    assert_string_equal(got.why, "not ours");
    assert_int_equal(fr_approval_find(snap, other.digest, "ada", NOW, &got), FR_E_NOT_FOUND);
    fr_change_cancel(change);
}

static enum fr_err count_row(void *data, const struct fr_approval_row *row)
{
    size_t *n = data;

    (void)row;
    (*n)++;
    return FR_OK;
}

static void the_table_has_an_end(void **state)
{
    struct fixture *f = *state;
    struct fr_change *change = begin_change(f->store);
    struct fr_approval_row row, got = {0};
    size_t n = 0;

    for (unsigned i = 0; i < FR_APPROVALS_OPEN; i++) {
        row = row_of("ada", 2, (uint8_t)i);
        assert_int_equal(fr_approval_ask(change, &row, NULL), FR_OK);
    }
    row = row_of("ada", 2, 200);
    assert_int_equal(fr_approval_ask(change, &row, NULL), FR_E_LIMIT);
    assert_int_equal(fr_approval_close_all(change, "restored", &n), FR_OK);
    assert_int_equal(n, FR_APPROVALS_OPEN);
    const struct fr_approval_row first = row_of("bob", 2, 1);
    for (unsigned i = FR_APPROVALS_OPEN; i < FR_APPROVALS_MAX + 5; i++) {
        row = first;
        row.expires_s = NOW - 1; /* over, so that it does not count as waiting */
        assert_int_equal(fr_approval_ask(change, &row, NULL), FR_OK);
    }
    n = 0;
    assert_int_equal(fr_approval_each(fr_change_snap(change), count_row, &n), FR_OK);
    assert_int_equal(n, FR_APPROVALS_MAX);
    assert_int_equal(fr_approval_get(fr_change_snap(change), row.id, &got), FR_OK);
    fr_change_cancel(change);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_takes_as_many_as_it_says, store_setup, store_teardown),
        cmocka_unit_test_setup_teardown(what_is_over_is_worth_nothing, store_setup, store_teardown),
        cmocka_unit_test_setup_teardown(the_table_has_an_end, store_setup, store_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
