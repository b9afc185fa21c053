/* db/db.h: compacting gives space back, keeps every row, and is refused while anybody has the environment open. */
#include "db/db.h"
#include "db/txn.h"
#include "tmp.h"

#include <sys/wait.h>
#include <unistd.h>

#define ROWS 4000u

static struct fr_db *open_db(const char *dir)
{
    static const char *const tables[] = {"rows"};
    const struct fr_db_options options = {.dir = dir,
                                          .tables = tables,
                                          .n_tables = 1,
                                          .schema = 1,
                                          .map_size = 1u << 28,
                                          .create = true};
    struct fr_db *db = NULL;

    if (fr_db_open(&options, NULL, &db) != FR_OK) return NULL;
    return db;
}

static void fill(struct fr_db *db, uint32_t n)
{
    static uint8_t value[1000];
    struct fr_txn *txn = NULL;
    bool left = true;

    assert_int_equal(fr_txn_write(db, &txn), FR_OK);
    while (left) assert_int_equal(fr_txn_drop_some(txn, 0, 1000, &left), FR_OK);
    for (uint32_t i = 0; i < n; i++) {
        const uint8_t key[] = {(uint8_t)(i >> 8), (uint8_t)i};
        assert_int_equal(fr_txn_put(txn, 0, fr_span(key, sizeof key), fr_span(value, sizeof value)),
                         FR_OK);
    }
    assert_int_equal(fr_txn_commit(txn), FR_OK);
}

static uint64_t count(struct fr_db *db)
{
    struct fr_txn *txn = NULL;
    uint64_t n = 0;

    assert_int_equal(fr_txn_read(db, &txn), FR_OK);
    assert_int_equal(fr_txn_count(txn, 0, &n), FR_OK);
    fr_txn_end(txn);
    return n;
}

static void space_comes_back_and_rows_stay(void **state)
{
    const char *dir = *state;
    uint64_t before = 0, after = 0, again = 0;
    struct fr_db *db = open_db(dir);

    assert_non_null(db);
    fill(db, ROWS);
    fill(db, 10);
    fr_db_close(db);
    assert_int_equal(fr_db_compact(dir, NULL, &before, &after), FR_OK);
    assert_true(before > ROWS * 1000);
    assert_true(after < before / 10);
    assert_int_equal(fr_db_compact(dir, NULL, &again, &after), FR_OK);
    db = open_db(dir);
    assert_non_null(db);
    assert_int_equal(count(db), 10);
    fill(db, 20);
    assert_int_equal(count(db), 20);
    fr_db_close(db);
}

static void nobody_may_have_it_open(void **state)
{
    const char *dir = *state;
    uint64_t before = 0, after = 0;
    int ready[2], end[2], status = 0;
    char byte = 0;

    assert_int_equal(pipe(ready) | pipe(end), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct fr_db *db = open_db(dir);
        if (db == NULL || write(ready[1], "", 1) != 1 || read(end[0], &byte, 1) != 1) _exit(1);
        fr_db_close(db);
        _exit(0);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    struct fr_diag diag = {0};
    assert_int_equal(fr_db_compact(dir, &diag, &before, &after), FR_E_BUSY);
    assert_non_null(strstr(diag.hint, "broker"));
    assert_int_equal(write(end[1], "", 1), 1);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(fr_db_compact(dir, NULL, &before, &after), FR_OK);

    struct fr_db *db = open_db(dir); /* this process itself */
    assert_non_null(db);
    assert_int_not_equal(fr_db_compact(dir, NULL, &before, &after), FR_OK);
    fr_db_close(db);
}

static void nothing_is_made_where_nothing_is(void **state)
{
    uint64_t before = 0, after = 0;

    assert_int_equal(fr_db_compact(*state, NULL, &before, &after), FR_E_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TMP_TEST(space_comes_back_and_rows_stay),
        TMP_TEST(nobody_may_have_it_open),
        TMP_TEST(nothing_is_made_where_nothing_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
