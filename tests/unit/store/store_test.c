#include "store/store.h"

#include "db/txn.h"

#include "fixture.h"
#include "store/tables.h"

#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void create_once_open_often(void **state)
{
    struct fixture *f = *state;
    struct fr_store_options options = store_options(f->dir);
    struct fr_store_new fresh = {.federation = FED};
    struct fr_store_info info;
    struct fr_diag diag = {0};

    fr_store_close(f->store);
    f->store = NULL;
    struct fr_store *again = NULL;
    assert_int_equal(fr_store_create(&options, &fresh, &diag, &again), FR_E_EXISTS);
    assert_null(again);
    options.is_read_only = true;
    assert_int_equal(fr_store_open(&options, &diag, &f->store), FR_OK);
    assert_string_equal(fr_store_federation(f->store), FED);
    assert_int_equal(fr_store_read_info(f->store, &info), FR_OK);
    assert_int_equal(info.sequence, 1);
    assert_int_equal(info.members, 2);
    assert_int_equal(info.networks, 3);
    assert_int_equal(info.schema, FR_STORE_SCHEMA);
    assert_string_equal(info.url, "https://broker.fed.test/dns-query");
    struct fr_change_by by = by_tester();
    struct fr_change *change = NULL;
    assert_int_equal(fr_store_change(f->store, &by, &diag, &change), FR_E_PERM);
}

static void bad_new_federations_are_refused(void **state)
{
    static const struct fr_store_new bad[] = {
        {.federation = ""},
        {.federation = "one"},
        {.federation = "Upper.test"},
        {.federation = "a..b"},
        {.federation = "fed.test."},
        {.federation = FED, .url = "a\nb"},
        {.federation = FED, .netid_pool = "0001"},
        {.federation = FED, .netid_pool = "000032-000030"},
        {.federation = FED,
         .netid_pool = "000100-0001ff"}, /* RFU bits: none of them may be given */
    };
    void *dir = NULL;

    (void)state;
    assert_int_equal(tmp_setup(&dir), 0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct fr_store_options options = store_options(dir);
        struct fr_store *store = NULL;
        struct fr_diag diag = {0};
        enum fr_err err = fr_store_create(&options, &bad[i], &diag, &store);
        if (err == FR_OK) fail_msg("row %zu was taken", i);
        assert_null(store);
        assert_true(diag.what[0] != '\0');
    }
    tmp_teardown(&dir);
}

static void set_schema(const char *dir, uint32_t schema)
{
    struct fr_db_options o = {
        .dir = dir, .schema = FR_STORE_SCHEMA, .map_size = 1 << 30, .accept_older = true};
    struct fr_db *db = NULL;
    struct fr_txn *txn = NULL;

    assert_int_equal(fr_db_open(&o, NULL, &db), FR_OK);
    assert_int_equal(fr_txn_write(db, &txn), FR_OK);
    assert_int_equal(fr_txn_set_schema(txn, schema), FR_OK);
    assert_int_equal(fr_txn_commit(txn), FR_OK);
    fr_db_close(db);
}

static void older_is_upgraded_newer_refused(void **state)
{
    struct fixture *f = *state;
    struct fr_store_options options = store_options(f->dir);
    struct fr_diag diag = {0};
    uint32_t from = 9;
    char path[128];
    struct stat st;

    fr_store_close(f->store);
    f->store = NULL;
    assert_int_equal(fr_store_upgrade(&options, &diag, &from), FR_OK);
    assert_int_equal(from, FR_STORE_SCHEMA); /* nothing to do */
    set_schema(f->dir, 0);
    assert_int_equal(fr_store_open(&options, &diag, &f->store), FR_E_SCHEMA);
    assert_non_null(strstr(diag.hint, "fedroam store upgrade"));
    assert_int_equal(fr_store_upgrade(&options, &diag, &from), FR_OK);
    assert_int_equal(from, 0);
    snprintf(path, sizeof path, "%s/backup-schema0/data.mdb", (char *)f->dir);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(fr_store_open(&options, &diag, &f->store), FR_OK);
    fr_store_close(f->store);
    f->store = NULL;
    set_schema(f->dir, FR_STORE_SCHEMA + 1);
    assert_int_equal(fr_store_open(&options, &diag, &f->store), FR_E_SCHEMA);
    assert_int_equal(fr_store_upgrade(&options, &diag, &from), FR_E_SCHEMA);
    assert_null(f->store);
}

static void put_cert(struct fr_store *store, const char *member, uint32_t netid, uint8_t serial)
{
    struct fr_change *change = begin_change(store);
    struct fr_cert_row row = {.profile = netid ? FR_PROFILE_NS : FR_PROFILE_DOH, .netid = netid};

    (void)snprintf(row.member, sizeof row.member, "%s", member);
    row.serial[0] = row.spki[0] = serial;
    assert_int_equal(fr_cert_row_intend(change, &row, NULL), FR_OK);
    commit_change(change);
}

/* As schema 3 left it: without the index of certificates by NetID. */
static void take_index_away(const char *dir)
{
    struct fr_store_options o = store_options(dir);
    struct fr_store *store = NULL;
    struct fr_txn *txn = NULL;
    uint64_t n = 0;
    bool left = true;

    assert_int_equal(fr_store_open(&o, NULL, &store), FR_OK);
    assert_int_equal(fr_txn_write(store->db, &txn), FR_OK);
    assert_int_equal(fr_txn_count(txn, FR_TABLE_CERTS_BY_NETID, &n), FR_OK);
    assert_int_equal(n, 2);
    assert_int_equal(fr_txn_drop_some(txn, FR_TABLE_CERTS_BY_NETID, 10, &left), FR_OK);
    assert_false(left);
    assert_int_equal(fr_txn_commit(txn), FR_OK);
    fr_store_close(store);
}

static enum fr_err note_serial(void *data, const struct fr_cert_row *row)
{
    char *text = data;
    size_t n = strlen(text);

    text[n] = (char)row->serial[0];
    text[n + 1] = '\0';
    return FR_OK;
}

static void an_upgrade_fills_the_index_by_netid(void **state)
{
    struct fixture *f = *state;
    struct fr_store_options options = store_options(f->dir);
    const struct fr_cert_scope scope = {.has_netid = true, .netid = 0x13};
    struct fr_snap *snap = NULL;
    uint32_t from = 9;
    char serials[8] = "";

    put_cert(f->store, "acme", 0x13, 'b');
    put_cert(f->store, "acme", 0, 'c');
    put_cert(f->store, "acme", 0x13, 'a');
    fr_store_close(f->store);
    f->store = NULL;
    take_index_away(f->dir);
    set_schema(f->dir, 3);
    assert_int_equal(fr_store_upgrade(&options, NULL, &from), FR_OK);
    assert_int_equal(from, 3);
    assert_int_equal(fr_store_open(&options, NULL, &f->store), FR_OK);
    assert_int_equal(fr_snap_begin(f->store, &snap), FR_OK);
    assert_int_equal(fr_cert_row_each_after(snap, &scope, NULL, note_serial, serials), FR_OK);
    assert_string_equal(serials, "ab");
    fr_snap_end(snap);
}

/* The child adds devices one change at a time and tells each number once its commit is done; it is killed at any moment. */
static void writer_child(const char *dir, int fd, uint64_t from)
{
    struct fr_store_options options = store_options(dir);
    struct fr_store *store = NULL;
    struct fr_change_by by = by_tester();

    if (fr_store_open(&options, NULL, &store) != FR_OK) _exit(1);
    for (uint64_t eui = from;; eui++) {
        struct fr_change *change = NULL;
        struct fr_device_report report;
        uint64_t sequence;
        struct fr_device_job job = {.netid = 0x13, .mode = FR_DEVICE_ADD, .euis = &eui, .n = 1};
        if (fr_store_change(store, &by, NULL, &change) != FR_OK) _exit(2);
        if (fr_device_apply(change, &job, NULL, &report) != FR_OK) _exit(3);
        if (fr_change_commit(change, NULL, &sequence) != FR_OK) _exit(4);
        if (write(fd, &eui, sizeof eui) != sizeof eui) _exit(5);
    }
}

static uint64_t read_acknowledged(int fd, uint64_t last)
{
    uint64_t eui;

    while (read(fd, &eui, sizeof eui) == sizeof eui) last = eui;
    return last;
}

static void what_was_acknowledged_survives_kill_9(void **state)
{
    struct fixture *f = *state;
    uint64_t acknowledged = 0;

    fr_store_close(f->store);
    f->store = NULL;
    for (int round = 0; round < 20; round++) {
        int fds[2];
        uint64_t first;
        assert_int_equal(pipe(fds), 0);
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            close(fds[0]);
            writer_child(f->dir, fds[1], acknowledged + 1);
        }
        close(fds[1]);
        /* Once it is writing, let it get a little further each round. */
        assert_int_equal(read(fds[0], &first, sizeof first), sizeof first);
        usleep((useconds_t)(500 + 700 * round));
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        acknowledged = read_acknowledged(fds[0], first);
        close(fds[0]);

        struct fr_store_options options = store_options(f->dir);
        assert_int_equal(fr_store_open(&options, NULL, &f->store), FR_OK);
        for (uint64_t eui = 1; eui <= acknowledged; eui++)
            assert_int_equal(device_netid(f->store, eui), 0x13);
        /* At most the one that was on its way is there as well. */
        uint64_t there = network_devices(f->store, 0x13);
        assert_true(there == acknowledged || there == acknowledged + 1);
        struct fr_snap *snap = begin_snap(f->store);
        assert_int_equal(fr_snap_sequence(snap), 1 + there);
        fr_snap_end(snap);
        acknowledged = there;
        fr_store_close(f->store);
        f->store = NULL;
    }
    print_message("%u acknowledged changes over 20 kills\n", (unsigned)acknowledged);
}

static void a_full_store_refuses_and_keeps_what_it_has(void **state)
{
    struct fixture *f = *state;
    struct fr_store_options options = {.dir = f->dir, .map_size = 4 << 20};
    enum { N = 200000 };
    uint64_t *euis = calloc(N, sizeof *euis);
    struct fr_diag diag = {0};
    struct fr_device_report report;
    bool done = false;

    fr_store_close(f->store);
    assert_int_equal(fr_store_open(&options, NULL, &f->store), FR_OK);
    for (uint64_t i = 0; i < N; i++) euis[i] = i + 1;
    struct fr_device_job job = {.netid = 0x13, .mode = FR_DEVICE_ADD, .euis = euis, .n = 10};
    struct fr_change *change = begin_change(f->store);
    assert_int_equal(fr_device_apply(change, &job, NULL, &report), FR_OK);
    commit_change(change);

    job.n = N;
    struct fr_change_by by = by_tester();
    struct fr_bulk *bulk = NULL;
    assert_int_equal(fr_bulk_new(f->store, &job, &by, NULL, &bulk), FR_OK);
    enum fr_err err = FR_OK;
    while (err == FR_OK && !done) err = fr_bulk_step(bulk, 1, &diag, &done);
    assert_int_equal(err, FR_E_FULL);
    assert_non_null(strstr(diag.what, "full"));
    fr_bulk_free(bulk);
    for (uint64_t i = 1; i <= 10; i++) assert_int_equal(device_netid(f->store, i), 0x13);

    /* With more room the same import goes through. */
    fr_store_close(f->store);
    options.map_size = 64 << 20;
    assert_int_equal(fr_store_open(&options, NULL, &f->store), FR_OK);
    assert_int_equal(fr_bulk_new(f->store, &job, &by, NULL, &bulk), FR_OK);
    for (done = false; !done;) assert_int_equal(fr_bulk_step(bulk, 100, &diag, &done), FR_OK);
    fr_bulk_free(bulk);
    assert_int_equal(network_devices(f->store, 0x13), N);
    free(euis);
}

static void snapshots_follow_commits_only_when_renewed(void **state)
{
    struct fixture *f = *state;
    struct fr_snap *snap = begin_snap(f->store);
    struct fr_member_row row;

    uint64_t txn = fr_store_last_txn(f->store), sequence = fr_snap_sequence(snap);
    assert_int_equal(fr_snap_txn(snap), txn);
    struct fr_change *change = begin_change(f->store);
    add_member(change, "calm");
    assert_int_equal(commit_change(change), sequence + 1);
    assert_true(fr_store_last_txn(f->store) > txn);
    assert_int_equal(fr_member_get(snap, "calm", &row), FR_E_NOT_FOUND);
    fr_snap_reset(snap);
    assert_int_equal(fr_snap_renew(snap), FR_OK);
    assert_int_equal(fr_member_get(snap, "calm", &row), FR_OK);
    assert_int_equal(fr_snap_sequence(snap), sequence + 1);
    fr_snap_end(snap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(create_once_open_often),
        cmocka_unit_test(bad_new_federations_are_refused),
        STORE_TEST(older_is_upgraded_newer_refused),
        STORE_TEST(an_upgrade_fills_the_index_by_netid),
        STORE_TEST(what_was_acknowledged_survives_kill_9),
        STORE_TEST(a_full_store_refuses_and_keeps_what_it_has),
        STORE_TEST(snapshots_follow_commits_only_when_renewed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
