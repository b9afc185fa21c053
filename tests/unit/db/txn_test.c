#include "db/txn.h"

#include "tmp.h"

static const char *const names[] = {"t"};

static struct fr_db *open_new(const char *dir)
{
    struct fr_db_options o = {.dir = dir,
                              .tables = names,
                              .n_tables = 1,
                              .schema = 1,
                              .map_size = 64 << 20,
                              .create = true};
    struct fr_db *db = NULL;

    assert_int_equal(fr_db_open(&o, NULL, &db), FR_OK);
    return db;
}

static void snapshots_do_not_move(void **state)
{
    struct fr_db *db = open_new(*state);
    struct fr_txn *r = NULL, *w = NULL;
    struct fr_span got;

    assert_int_equal(fr_txn_read(db, &r), FR_OK);
    assert_int_equal(fr_txn_write(db, &w), FR_OK);
    assert_int_equal(fr_txn_put(w, 0, FR_SPAN_LIT("a"), FR_SPAN_LIT("1")), FR_OK);
    assert_int_equal(fr_txn_commit(w), FR_OK);
    assert_int_equal(fr_txn_get(r, 0, FR_SPAN_LIT("a"), &got), FR_E_NOT_FOUND);
    uint64_t before = fr_txn_id(r);
    fr_txn_reset(r);
    fr_txn_reset(r); /* twice is fine */
    assert_int_equal(fr_txn_renew(r), FR_OK);
    assert_true(fr_txn_id(r) > before);
    assert_int_equal(fr_txn_get(r, 0, FR_SPAN_LIT("a"), &got), FR_OK);
    assert_true(fr_span_is(got, "1"));
    fr_txn_end(r);
    fr_db_close(db);
}

static void nested_work_is_undone_alone(void **state)
{
    struct fr_db *db = open_new(*state);
    struct fr_txn *w = NULL, *n = NULL;
    struct fr_span got;

    assert_int_equal(fr_txn_write(db, &w), FR_OK);
    assert_int_equal(fr_txn_put(w, 0, FR_SPAN_LIT("a"), FR_SPAN_LIT("1")), FR_OK);
    assert_int_equal(fr_txn_nested(w, &n), FR_OK);
    assert_int_equal(fr_txn_put(n, 0, FR_SPAN_LIT("b"), FR_SPAN_LIT("2")), FR_OK);
    fr_txn_end(n);
    assert_int_equal(fr_txn_nested(w, &n), FR_OK);
    assert_int_equal(fr_txn_put(n, 0, FR_SPAN_LIT("c"), FR_SPAN_LIT("3")), FR_OK);
    assert_int_equal(fr_txn_commit(n), FR_OK);
    assert_int_equal(fr_txn_commit(w), FR_OK);
    assert_int_equal(fr_txn_read(db, &w), FR_OK);
    assert_int_equal(fr_txn_get(w, 0, FR_SPAN_LIT("a"), &got), FR_OK);
    assert_int_equal(fr_txn_get(w, 0, FR_SPAN_LIT("b"), &got), FR_E_NOT_FOUND);
    assert_int_equal(fr_txn_get(w, 0, FR_SPAN_LIT("c"), &got), FR_OK);
    fr_txn_end(w);
    fr_db_close(db);
}

static void keys_have_their_limits(void **state)
{
    struct fr_db *db = open_new(*state);
    struct fr_txn *w = NULL;
    uint8_t key[FR_DB_KEY_MAX + 1] = {1};
    struct fr_span got;

    assert_int_equal(fr_txn_write(db, &w), FR_OK);
    assert_int_equal(fr_txn_put(w, 0, (struct fr_span){key, FR_DB_KEY_MAX}, (struct fr_span){0}),
                     FR_OK);
    assert_int_equal(fr_txn_get(w, 0, (struct fr_span){key, FR_DB_KEY_MAX}, &got), FR_OK);
    assert_int_equal(got.n, 0);
    assert_int_equal(fr_txn_put(w, 0, (struct fr_span){key, sizeof key}, (struct fr_span){0}),
                     FR_E_RANGE);
    assert_int_equal(fr_txn_put(w, 0, (struct fr_span){0}, (struct fr_span){0}), FR_E_RANGE);
    fr_txn_end(w);
    fr_db_close(db);
}

static void insert_append_delete_and_count(void **state)
{
    struct fr_db *db = open_new(*state);
    struct fr_txn *w = NULL;
    uint64_t n = 9;
    struct fr_span v = FR_SPAN_LIT("v");

    assert_int_equal(fr_txn_write(db, &w), FR_OK);
    assert_int_equal(fr_txn_count(w, 0, &n), FR_OK);
    assert_int_equal(n, 0);
    assert_int_equal(fr_txn_append(w, 0, FR_SPAN_LIT("b"), v), FR_OK);
    assert_int_equal(fr_txn_append(w, 0, FR_SPAN_LIT("a"), v), FR_E_EXISTS);
    assert_int_equal(fr_txn_insert(w, 0, FR_SPAN_LIT("b"), v), FR_E_EXISTS);
    assert_int_equal(fr_txn_insert(w, 0, FR_SPAN_LIT("a"), v), FR_OK);
    assert_int_equal(fr_txn_delete(w, 0, FR_SPAN_LIT("x")), FR_E_NOT_FOUND);
    assert_int_equal(fr_txn_delete(w, 0, FR_SPAN_LIT("b")), FR_OK);
    assert_int_equal(fr_txn_count(w, 0, &n), FR_OK);
    assert_int_equal(n, 1);
    fr_txn_end(w);
    fr_db_close(db);
}

static void cursors_walk_in_key_order(void **state)
{
    struct fr_db *db = open_new(*state);
    struct fr_txn *w = NULL;
    struct fr_cursor *c = NULL;
    struct fr_span k, v;

    assert_int_equal(fr_txn_write(db, &w), FR_OK);
    assert_int_equal(fr_cursor_open(w, 0, &c), FR_OK);
    assert_int_equal(fr_cursor_first(c, &k, &v), FR_E_NOT_FOUND);
    assert_int_equal(fr_cursor_last(c, &k, &v), FR_E_NOT_FOUND);
    fr_cursor_close(c);
    for (const char *p = "dbca"; *p; p++)
        assert_int_equal(
            fr_txn_put(w, 0, (struct fr_span){(const uint8_t *)p, 1}, FR_SPAN_LIT("v")), FR_OK);
    assert_int_equal(fr_cursor_open(w, 0, &c), FR_OK);
    assert_int_equal(fr_cursor_seek(c, FR_SPAN_LIT("bb"), &k, &v), FR_OK);
    assert_true(fr_span_is(k, "c"));
    assert_int_equal(fr_cursor_next(c, &k, &v), FR_OK);
    assert_true(fr_span_is(k, "d"));
    assert_int_equal(fr_cursor_next(c, &k, &v), FR_E_NOT_FOUND);
    assert_int_equal(fr_cursor_seek(c, FR_SPAN_LIT("e"), &k, &v), FR_E_NOT_FOUND);
    assert_int_equal(fr_cursor_last(c, &k, &v), FR_OK);
    assert_true(fr_span_is(k, "d"));
    fr_cursor_close(c);
    fr_txn_end(w);
    fr_db_close(db);
}

static void tables_are_emptied_in_slices(void **state)
{
    struct fr_db *db = open_new(*state);
    struct fr_txn *w = NULL;
    bool left = false;
    uint64_t n;

    assert_int_equal(fr_txn_write(db, &w), FR_OK);
    for (uint8_t i = 0; i < 10; i++)
        assert_int_equal(fr_txn_put(w, 0, (struct fr_span){&i, 1}, FR_SPAN_LIT("v")), FR_OK);
    assert_int_equal(fr_txn_drop_some(w, 0, 4, &left), FR_OK);
    assert_true(left);
    assert_int_equal(fr_txn_drop_some(w, 0, 6, &left), FR_OK);
    assert_false(left);
    assert_int_equal(fr_txn_drop_some(w, 0, 1, &left), FR_OK);
    assert_false(left);
    assert_int_equal(fr_txn_count(w, 0, &n), FR_OK);
    assert_int_equal(n, 0);
    fr_txn_end(w);
    fr_db_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TMP_TEST(snapshots_do_not_move),     TMP_TEST(nested_work_is_undone_alone),
        TMP_TEST(keys_have_their_limits),    TMP_TEST(insert_append_delete_and_count),
        TMP_TEST(cursors_walk_in_key_order), TMP_TEST(tables_are_emptied_in_slices),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
