#include "db/db.h"

#include "base/wire.h"
#include "db/txn.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tmp.h"

#define MAP (64ULL << 20)

static const char *const names[] = {"one", "two"};

static struct fr_db_options opts(const char *dir)
{
    return (struct fr_db_options){.dir = dir,
                                  .tables = names,
                                  .n_tables = 2,
                                  .schema = 3,
                                  .map_size = MAP,
                                  .create = true,
                                  .upgrade_hint = "run: upgrade it"};
}

static struct fr_db *open_new(const char *dir)
{
    struct fr_db_options o = opts(dir);
    struct fr_db *db = NULL;

    assert_int_equal(fr_db_open(&o, NULL, &db), FR_OK);
    return db;
}

static void put(struct fr_db *db, uint32_t table, const char *key, const char *value)
{
    struct fr_txn *txn = NULL;

    assert_int_equal(fr_txn_write(db, &txn), FR_OK);
    assert_int_equal(fr_txn_put(txn, table, fr_span_str(key), fr_span_str(value)), FR_OK);
    assert_int_equal(fr_txn_commit(txn), FR_OK);
}

static bool has(struct fr_db *db, uint32_t table, const char *key, const char *value)
{
    struct fr_txn *txn = NULL;
    struct fr_span got;

    assert_int_equal(fr_txn_read(db, &txn), FR_OK);
    enum fr_err err = fr_txn_get(txn, table, fr_span_str(key), &got);
    bool is = err == FR_OK && fr_span_is(got, value);
    assert_true(err == FR_OK || err == FR_E_NOT_FOUND);
    fr_txn_end(txn);
    return is;
}

static void what_is_written_is_there_after_reopening(void **state)
{
    struct fr_db *db = open_new(*state);

    put(db, 0, "k", "v");
    put(db, 1, "k", "w");
    fr_db_close(db);
    db = open_new(*state);
    assert_true(has(db, 0, "k", "v"));
    assert_true(has(db, 1, "k", "w"));
    assert_false(has(db, 1, "x", "w"));
    assert_int_equal(fr_db_schema(db), 3);
    fr_db_close(db);
}

static void nothing_is_made_unasked(void **state)
{
    struct fr_db_options o = opts(*state);
    struct fr_db *db = NULL;
    struct fr_diag diag = {0};

    o.create = false;
    assert_int_equal(fr_db_open(&o, &diag, &db), FR_E_NOT_FOUND);
    assert_null(db);
    assert_non_null(strstr(diag.what, "no data.mdb"));
    o.create = true;
    o.dir = "/nonexistent";
    assert_int_equal(fr_db_open(&o, &diag, &db), FR_E_NOT_FOUND);
}

static void schema_older_newer_and_upgraded(void **state)
{
    struct fr_db_options o = opts(*state);
    struct fr_diag diag = {0};
    struct fr_db *db = open_new(*state), *no = NULL;
    struct fr_txn *txn = NULL;

    fr_db_close(db);
    o.schema = 4;
    assert_int_equal(fr_db_open(&o, &diag, &no), FR_E_SCHEMA);
    assert_string_equal(diag.hint, "run: upgrade it");
    o.schema = 2;
    assert_int_equal(fr_db_open(&o, &diag, &no), FR_E_SCHEMA);
    assert_non_null(strstr(diag.hint, "newer release"));
    assert_null(no);

    static const char *const more[] = {"one", "two", "three"};
    o.schema = 4;
    o.accept_older = true;
    o.tables = more;
    o.n_tables = 3;
    assert_int_equal(fr_db_open(&o, &diag, &db), FR_OK);
    assert_int_equal(fr_db_schema(db), 3);
    assert_int_equal(fr_txn_write(db, &txn), FR_OK);
    assert_int_equal(fr_txn_set_schema(txn, 4), FR_OK);
    assert_int_equal(fr_txn_commit(txn), FR_OK);
    put(db, 2, "k", "v");
    fr_db_close(db);
    o.accept_older = false;
    assert_int_equal(fr_db_open(&o, &diag, &db), FR_OK);
    assert_true(has(db, 2, "k", "v"));
    fr_db_close(db);
}

static void a_second_open_in_this_process_is_refused(void **state)
{
    struct fr_db_options o = opts(*state);
    struct fr_db *db = open_new(*state), *again = NULL;
    struct fr_diag diag = {0};

    assert_int_equal(fr_db_open(&o, &diag, &again), FR_E_CONFLICT);
    assert_non_null(strstr(diag.what, "already open"));
    put(db, 0, "still", "works");
    fr_db_close(db);
}

static void garbage_is_refused(void **state)
{
    struct fr_db_options o = opts(*state);
    struct fr_db *db = NULL;
    char path[128];

    snprintf(path, sizeof path, "%s/data.mdb", (char *)*state);
    FILE *f = fopen(path, "w");
    for (int i = 0; i < 5000; i++) fputs("garbage ", f);
    fclose(f);
    assert_int_equal(fr_db_open(&o, NULL, &db), FR_E_MALFORMED);
    assert_null(db);
}

static void read_only_cannot_write(void **state)
{
    struct fr_db_options o = opts(*state);
    struct fr_txn *txn = NULL;
    struct fr_db *db = open_new(*state);

    put(db, 0, "k", "v");
    fr_db_close(db);
    o.is_read_only = true;
    o.create = false;
    assert_int_equal(fr_db_open(&o, NULL, &db), FR_OK);
    assert_true(has(db, 0, "k", "v"));
    assert_int_equal(fr_txn_write(db, &txn), FR_E_PERM);
    assert_null(txn);
    fr_db_close(db);
}

static void copies_are_complete_private_and_never_overwrite(void **state)
{
    struct fr_db *db = open_new(*state);
    char dir[128], path[160];
    struct fr_diag diag = {0};
    struct stat st;

    put(db, 0, "k", "v");
    snprintf(dir, sizeof dir, "%s/copy", (char *)*state);
    assert_int_equal(mkdir(dir, 0700), 0);
    assert_int_equal(fr_db_copy(db, dir, &diag), FR_OK);
    assert_int_equal(fr_db_copy(db, dir, &diag), FR_E_EXISTS);
    fr_db_close(db);
    snprintf(path, sizeof path, "%s/data.mdb", dir);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    db = open_new(dir);
    assert_true(has(db, 0, "k", "v"));
    fr_db_close(db);
}

static void a_full_map_says_so_and_loses_nothing(void **state)
{
    struct fr_db_options o = opts(*state);
    struct fr_db *db = NULL;
    struct fr_txn *txn = NULL;
    static uint8_t big[100000];
    char key[16];
    enum fr_err err = FR_OK;

    o.map_size = 1 << 20;
    assert_int_equal(fr_db_open(&o, NULL, &db), FR_OK);
    put(db, 0, "before", "safe");
    assert_int_equal(fr_txn_write(db, &txn), FR_OK);
    for (int i = 0; err == FR_OK && i < 100; i++) {
        snprintf(key, sizeof key, "%d", i);
        err = fr_txn_put(txn, 0, fr_span_str(key), (struct fr_span){big, sizeof big});
    }
    assert_int_equal(err, FR_E_FULL);
    fr_txn_end(txn);
    assert_true(has(db, 0, "before", "safe"));
    put(db, 0, "after", "works");
    assert_true(has(db, 0, "after", "works"));
    fr_db_close(db);
}

static void last_txn_moves_with_every_commit(void **state)
{
    struct fr_db *db = open_new(*state);
    uint64_t before = fr_db_last_txn(db);
    struct fr_db_info info;

    assert_int_equal(fr_db_last_txn(db), before);
    put(db, 0, "k", "v");
    assert_true(fr_db_last_txn(db) > before);
    assert_int_equal(fr_db_read_info(db, &info), FR_OK);
    assert_int_equal(info.map_size, MAP);
    assert_int_equal(info.last_txn, fr_db_last_txn(db));
    assert_true(info.used > 0 && info.used < MAP);
    fr_db_close(db);
}

/* Another program on the same files: never across a fork with an open environment, so both open after it. */
static void other_processes_see_commits(void **state)
{
    int to_child[2], to_parent[2];
    char c = 0;
    struct fr_db *db = open_new(*state);

    fr_db_close(db);
    assert_int_equal(pipe(to_child), 0);
    assert_int_equal(pipe(to_parent), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct fr_db_options o = opts(*state);
        struct fr_txn *txn = NULL;
        o.map_size = 256ULL << 20; /* larger than the parent's */
        static uint8_t big[1 << 20];
        char key[16];
        if (read(to_child[0], &c, 1) != 1 || fr_db_open(&o, NULL, &db) != FR_OK) _exit(1);
        if (fr_txn_write(db, &txn) != FR_OK) _exit(2);
        for (int i = 0; i < 100; i++) {
            snprintf(key, sizeof key, "big%d", i);
            if (fr_txn_put(txn, 0, fr_span_str(key), (struct fr_span){big, sizeof big}) != FR_OK)
                _exit(3);
        }
        if (fr_txn_put(txn, 0, FR_SPAN_LIT("k"), FR_SPAN_LIT("child")) != FR_OK) _exit(4);
        if (fr_txn_commit(txn) != FR_OK) _exit(5);
        if (write(to_parent[1], &c, 1) != 1) _exit(6);
        (void)!read(to_child[0], &c, 1);
        fr_db_close(db);
        _exit(0);
    }
    db = open_new(*state);
    struct fr_txn *txn = NULL;
    assert_int_equal(fr_txn_read(db, &txn), FR_OK);
    fr_txn_reset(txn);
    assert_int_equal(write(to_child[1], &c, 1), 1);
    assert_int_equal(read(to_parent[0], &c, 1), 1);
    /* The child wrote past our map: renewing takes its size over. */
    struct fr_span got;
    assert_int_equal(fr_txn_renew(txn), FR_OK);
    assert_int_equal(fr_txn_get(txn, 0, FR_SPAN_LIT("k"), &got), FR_OK);
    assert_true(fr_span_is(got, "child"));
    fr_txn_end(txn);
    put(db, 0, "k", "parent");
    assert_int_equal(write(to_child[1], &c, 1), 1);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    fr_db_close(db);
    close(to_child[0]), close(to_child[1]), close(to_parent[0]), close(to_parent[1]);
}

/* A lock on the byte of a process id that is not the holder's: what a holder in another PID namespace looks like. */
static void holders_of_another_pid_namespace_are_seen(void **state)
{
    int ready[2];
    char c = 0, path[128];
    struct fr_db_options o = opts(*state);
    struct fr_db *db = open_new(*state);
    struct fr_diag diag = {0};

    fr_db_close(db);
    snprintf(path, sizeof path, "%s/lock.mdb", (char *)*state);
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        FILE *f = fopen(path, "r+");
        struct flock lock = {
            .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = getpid() + 7, .l_len = 1};
        if (f == NULL || fcntl(fileno(f), F_SETLK, &lock) != 0) _exit(1);
        if (write(ready[1], &c, 1) != 1) _exit(2);
        pause();
        _exit(0);
    }
    assert_int_equal(read(ready[0], &c, 1), 1);
    db = NULL;
    assert_int_equal(fr_db_open(&o, &diag, &db), FR_E_CONFLICT);
    assert_null(db);
    assert_non_null(strstr(diag.what, "PID namespace"));
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    db = open_new(*state);
    fr_db_close(db);
    close(ready[0]), close(ready[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TMP_TEST(what_is_written_is_there_after_reopening),
        TMP_TEST(nothing_is_made_unasked),
        TMP_TEST(schema_older_newer_and_upgraded),
        TMP_TEST(a_second_open_in_this_process_is_refused),
        TMP_TEST(garbage_is_refused),
        TMP_TEST(read_only_cannot_write),
        TMP_TEST(copies_are_complete_private_and_never_overwrite),
        TMP_TEST(a_full_map_says_so_and_loses_nothing),
        TMP_TEST(last_txn_moves_with_every_commit),
        TMP_TEST(other_processes_see_commits),
        TMP_TEST(holders_of_another_pid_namespace_are_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
