#include "store/notice.h"

#include "support/unit.h"
#include "unit/store/fixture.h"

#include <stdio.h>

static struct fr_notice_row row_of(const char *id, enum fr_notice_stage stage)
{
    struct fr_notice_row row = {.level = FR_NOTICE_WARNING,
                                .stage = stage,
                                .begun_s = NOW,
                                .since_s = NOW,
                                .until_s = NOW + 9};

    (void)snprintf(row.id, sizeof row.id, "%s", id);
    strcpy(row.what, "the certificate was not renewed");
    strcpy(row.mend, "fedroam renew --all");
    return row;
}

static struct fr_notice_row get(struct fr_change *change, const char *id)
{
    struct fr_notice_row row;

    assert_int_equal(fr_notice_get(fr_change_snap(change), id, &row), FR_OK);
    return row;
}

static enum fr_err count_row(void *data, const struct fr_notice_row *row)
{
    size_t *n = data;

    (void)row;
    ++*n;
    return FR_OK;
}

static void noted_told_acknowledged_mended(void **state)
{
    struct fixture *f = *state;
    struct fr_notice_row row = row_of("certificate/41", FR_STAGE_OVERDUE), got;
    struct fr_change *change = begin_change(f->store);
    size_t n = 0;

    assert_int_equal(fr_notice_put(change, &row, NULL), FR_OK);
    const uint64_t first = commit_change(change);
    change = begin_change(f->store);
    assert_int_equal(fr_notice_put(change, &row, NULL), FR_OK);
    assert_int_equal(commit_change(change), first); /* the same again leaves no trace */

    change = begin_change(f->store);
    assert_int_equal(fr_notice_told(change, row.id, FR_STAGE_3D, FR_NOTICE_BY_EXEC), FR_OK);
    assert_true(fr_change_is_empty(change)); /* of another stage */
    assert_int_equal(fr_notice_told(change, "none", FR_STAGE_3D, FR_NOTICE_BY_EXEC), FR_OK);
    assert_int_equal(fr_notice_told(change, row.id, FR_STAGE_OVERDUE, FR_NOTICE_BY_POST), FR_OK);
    assert_int_equal(fr_notice_told(change, row.id, FR_STAGE_OVERDUE, FR_NOTICE_BY_EXEC), FR_OK);
    got = get(change, row.id);
    assert_int_equal(got.told, FR_NOTICE_BY_EXEC | FR_NOTICE_BY_POST);
    assert_int_equal(got.told_s, NOW);
    assert_string_equal(got.mend, row.mend);

    assert_int_equal(fr_notice_ack(change, row.id, "local:ada", "called them", NULL), FR_OK);
    assert_int_equal(fr_notice_ack(change, row.id, "local:bob", "me too", NULL), FR_OK);
    assert_int_equal(fr_notice_ack(change, "none", "local:ada", "x", NULL), FR_E_NOT_FOUND);
    got = get(change, row.id);
    assert_string_equal(got.acked_by, "local:ada");
    assert_string_equal(got.acked_why, "called them");
    commit_change(change);

    change = begin_change(f->store);
    assert_int_equal(fr_notice_each(fr_change_snap(change), count_row, &n), FR_OK);
    assert_int_equal(n, 1);
    assert_int_equal(fr_notice_remove(change, row.id), FR_OK);
    assert_int_equal(fr_notice_remove(change, row.id), FR_E_NOT_FOUND);
    assert_int_equal(fr_notice_get(fr_change_snap(change), row.id, &got), FR_E_NOT_FOUND);
    commit_change(change);
}

static void rows_that_cannot_be(void **state)
{
    struct fixture *f = *state;
    struct fr_change *change = begin_change(f->store);
    struct fr_notice_row rows[] = {row_of("", FR_STAGE_OPEN), row_of("a\nb", FR_STAGE_OPEN),
                                   row_of("a", FR_STAGE_NONE), row_of("a", (enum fr_notice_stage)9),
                                   row_of("a", FR_STAGE_OPEN)};

    rows[4].level = (enum fr_notice_level)4;
    for (size_t i = 0; i < COUNT(rows); i++)
        if (fr_notice_put(change, &rows[i], NULL) != FR_E_INVALID) fail_msg("row %zu", i);
    fr_change_cancel(change);
}

static void texts_are_made_printable(void **state)
{
    struct fixture *f = *state;
    struct fr_change *change = begin_change(f->store);
    struct fr_notice_row row = row_of("audit", FR_STAGE_OPEN);

    strcpy(row.what, "a\x1b[2J of caf\xe9");
    assert_int_equal(fr_notice_put(change, &row, NULL), FR_OK);
    row = get(change, "audit");
    assert_string_equal(row.what, "a?[2J of caf?");
    fr_change_cancel(change);
}

static void there_are_only_so_many(void **state)
{
    struct fixture *f = *state;
    struct fr_notice_row row;
    struct fr_batch *batch = NULL;
    char id[24];

    assert_int_equal(fr_batch_begin(f->store, NULL, &batch), FR_OK);
    for (int i = 0; i < FR_NOTICES_MAX;) { /* a change has room for some hundred */
        const struct fr_change_by by = by_tester();
        struct fr_change *change = NULL;
        assert_int_equal(fr_batch_change(batch, &by, NULL, &change), FR_OK);
        for (int n = 0; n < 400 && i < FR_NOTICES_MAX; n++, i++) {
            (void)snprintf(id, sizeof id, "walk/%d", i);
            row = row_of(id, FR_STAGE_OPEN);
            assert_int_equal(fr_notice_put(change, &row, NULL), FR_OK);
        }
        commit_change(change);
    }
    assert_int_equal(fr_batch_commit(batch, NULL), FR_OK);
    struct fr_change *change = begin_change(f->store);
    row = row_of("one more", FR_STAGE_OPEN);
    assert_int_equal(fr_notice_put(change, &row, NULL), FR_E_LIMIT);
    row = row_of("walk/7", FR_STAGE_3D);
    assert_int_equal(fr_notice_put(change, &row, NULL), FR_OK); /* in the place of that */
    fr_change_cancel(change);
}

static void every_number_has_its_word(void **state)
{
    static const enum fr_notice_stage order[] = {
        FR_STAGE_OPEN,    FR_STAGE_HALF, FR_STAGE_THIRD, FR_STAGE_YEAR, FR_STAGE_90D, FR_STAGE_30D,
        FR_STAGE_OVERDUE, FR_STAGE_7D,   FR_STAGE_3D,    FR_STAGE_1D,   FR_STAGE_OVER};

    (void)state;
    for (size_t i = 0; i < COUNT(order); i++) {
        assert_true(fr_notice_stage_text(order[i])[0] != '\0');
        if (i > 0) assert_true(order[i] > order[i - 1]);
    }
    assert_string_equal(fr_notice_stage_text((enum fr_notice_stage)200), "");
    assert_string_equal(fr_notice_level_text((enum fr_notice_level)0), "");
    assert_string_equal(fr_notice_level_text(FR_NOTICE_CRITICAL), "critical");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(noted_told_acknowledged_mended), STORE_TEST(rows_that_cannot_be),
        STORE_TEST(texts_are_made_printable), STORE_TEST(there_are_only_so_many),
        cmocka_unit_test(every_number_has_its_word)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
