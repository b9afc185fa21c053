/* An import in place that is killed at any moment is, for whoever comes next, either not begun or finished. */
#include "fixture.h"
#include "store/check.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define TABLE 100000u /* rows that are there: a list of less than an eighth is written in place */
#define LIST 11000u
#define FIRST 0x70b3d57ed0000000
#define LISTED(round, i) (FIRST + 0x10000000 + (uint64_t)(round)*0x100000 + 7 * (uint64_t)(i))

static void put_list(struct fr_store *store, uint64_t from, uint32_t n, uint32_t step,
                     enum fr_device_mode mode, uint32_t netid)
{
    struct fr_change_by by = by_tester();
    struct fr_list *list = NULL;
    struct fr_bulk *bulk = NULL;
    bool done = false;

    assert_int_equal(fr_list_new(fr_store_dir(store), NULL, &list), FR_OK);
    for (uint32_t i = 0; i < n; i++)
        assert_int_equal(fr_list_add(list, from + (uint64_t)step * i, i, NULL), FR_OK);
    struct fr_device_job job = {.netid = netid, .mode = mode, .list = list};
    assert_int_equal(fr_bulk_new(store, &job, &by, NULL, &bulk), FR_OK);
    while (!done) assert_int_equal(fr_bulk_step(bulk, 1000, NULL, &done), FR_OK);
    fr_bulk_free(bulk);
    fr_list_free(list);
    for (done = false; !done;) assert_int_equal(fr_bulk_tidy(store, 1000, &done), FR_OK);
}

/* Begins a list in small steps; says so before each. */
static void child(const char *dir, int fd, unsigned round)
{
    struct fr_store_options options = store_options(dir);
    struct fr_change_by by = {.actor = "local:child", .reason = "the child's", .now_s = NOW};
    struct fr_store *store = NULL;
    struct fr_list *list = NULL;
    struct fr_bulk *bulk = NULL;
    bool done = false;

    if (fr_store_open(&options, NULL, &store) != FR_OK) _exit(1);
    if (fr_list_new(dir, NULL, &list) != FR_OK) _exit(1);
    for (uint32_t i = 0; i < LIST; i++)
        if (fr_list_add(list, LISTED(round, i), i, NULL) != FR_OK) _exit(1);
    struct fr_device_job job = {.netid = 0x2a, .mode = FR_DEVICE_ADD, .list = list};
    if (fr_bulk_new(store, &job, &by, NULL, &bulk) != FR_OK) _exit(1);
    while (!done) {
        if (write(fd, "", 1) != 1) _exit(1);
        if (fr_bulk_step(bulk, 2, NULL, &done) != FR_OK) _exit(1);
    }
    close(fd); /* nobody waits for more */
    for (;;) pause();
}

static void tell_damage(void *data, const struct fr_finding *finding)
{
    (void)data;
    if (finding->kind == FR_FINDING_DAMAGE) fail_msg("%s", finding->what);
}

static uint32_t listed(struct fr_store *store, unsigned round)
{
    struct fr_snap *snap = begin_snap(store);
    struct fr_device_row row;
    uint32_t n = 0;

    for (uint32_t i = 0; i < LIST; i++)
        if (fr_device_get(snap, LISTED(round, i), &row) == FR_OK) n++;
    fr_snap_end(snap);
    return n;
}

static bool has_pending(struct fr_store *store)
{
    struct fr_snap *snap = begin_snap(store);
    struct fr_bulk_pending pending;
    enum fr_err err = fr_bulk_find_pending(snap, &pending);

    fr_snap_end(snap);
    assert_true(err == FR_OK || err == FR_E_NOT_FOUND);
    return err == FR_OK;
}

static void check_record(struct fr_store *store, uint64_t from)
{
    struct fr_snap *snap = begin_snap(store);
    struct fr_journal_record record;

    assert_int_equal(fr_journal_next(snap, from, &record), FR_OK);
    assert_string_equal(record.actor, "local:child");
    assert_string_equal(record.reason, "the child's");
    assert_int_equal(fr_journal_next(snap, from + 1, &record), FR_E_NOT_FOUND);
    fr_snap_end(snap);
}

static uint64_t sequence_of(struct fr_store *store)
{
    struct fr_snap *snap = begin_snap(store);
    uint64_t sequence = fr_snap_sequence(snap);

    fr_snap_end(snap);
    return sequence;
}

static void kill_at(const char *dir, unsigned round, unsigned steps)
{
    int fds[2], status = 0;
    char byte;

    assert_int_equal(pipe(fds), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        close(fds[0]);
        child(dir, fds[1], round);
    }
    close(fds[1]);
    for (unsigned i = 0; i < steps; i++)
        if (read(fds[0], &byte, 1) != 1) break;
    usleep((round * 137) % 3000);
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    close(fds[0]);
}

static void killed_in_place_it_is_finished_or_was_not_begun(void **state)
{
    struct fixture *f = *state;
    struct fr_store_options options = store_options(f->dir);
    unsigned rounds = getenv("FR_LONG") ? 200 : 12, none = 0, part = 0, whole = 0;

    put_list(f->store, FIRST, TABLE, 1, FR_DEVICE_ADD, 0x13);
    uint64_t before = network_devices(f->store, 0x2a);
    for (unsigned round = 0; round < rounds; round++) {
        struct fr_check_report report;
        bool done = false;
        uint64_t sequence = sequence_of(f->store);
        fr_store_close(f->store);
        f->store = NULL;
        kill_at(f->dir, round, 1 + round * 3 % 31);
        assert_int_equal(fr_store_open(&options, NULL, &f->store), FR_OK);
        uint32_t found = listed(f->store, round);
        bool was_pending = has_pending(f->store);
        if (found > 0 && found < LIST) assert_true(was_pending);
        none += found == 0;
        part += found > 0 && found < LIST;
        whole += found == LIST;
        while (!done) assert_int_equal(fr_bulk_tidy(f->store, 5, &done), FR_OK);
        assert_false(has_pending(f->store));
        if (was_pending || found > 0) {
            assert_int_equal(listed(f->store, round), LIST);
            check_record(f->store, sequence + 1);
            before += LIST;
        }
        assert_int_equal(network_devices(f->store, 0x2a), before);
        struct fr_snap *snap = begin_snap(f->store);
        assert_int_equal(fr_check_store(snap, tell_damage, NULL, &report), FR_OK);
        fr_snap_end(snap);
        if (listed(f->store, round) == LIST) { /* the table stays small beside the list */
            put_list(f->store, LISTED(round, 0), LIST, 7, FR_DEVICE_REMOVE, 0x2a);
            before -= LIST;
        }
    }
    print_message("%u kills: %u times nothing was there, %u times a part, %u times all\n", rounds,
                  none, part, whole);
    assert_true(part > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(killed_in_place_it_is_finished_or_was_not_begun),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
