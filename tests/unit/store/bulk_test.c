/* Bulks against a model: random tables, lists and changes of others in between, cut short at any step, killed at any moment. */
#include "store/device.h"

#include "store/check.h"

#include "fixture.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define EUIS 6000 /* numbers 1 … EUIS of the model */

static const uint32_t netids[] = {0, 0x13, 0x2a, 0x2b}; /* nobody, acme, acme, bolt */

struct model {
    uint8_t net[EUIS + 1]; /* index into netids */
    bool is_hidden[EUIS + 1];
};

/* A sequence of numbers that is the same every time. */
static uint64_t random_state;

static uint32_t draw(uint32_t below)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 33) % below;
}

static bool is_of(uint8_t net, uint8_t other)
{
    return net == other || (net != 3 && other != 3); /* 1 and 2 are the same member's */
}

static void tell_damage(void *data, const struct fr_finding *finding)
{
    (void)data;
    if (finding->kind == FR_FINDING_DAMAGE || strstr(finding->what, "import") != NULL)
        fail_msg("%s", finding->what);
}

static size_t list_files(const char *dir)
{
    DIR *folder = opendir(dir);
    size_t n = 0;

    assert_non_null(folder);
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;)
        if (strncmp(entry->d_name, "import-", 7) == 0) n++;
    closedir(folder);
    return n;
}

static void assert_model(struct fr_store *store, const struct model *model, unsigned round)
{
    struct fr_snap *snap = begin_snap(store);
    struct fr_check_report report;
    uint64_t count = 0, wanted = 0;

    for (uint64_t eui = 1; eui <= EUIS; eui++) {
        struct fr_device_row row = {0};
        enum fr_err err = fr_device_get(snap, eui, &row);
        assert_true(err == FR_OK || err == FR_E_NOT_FOUND);
        if (row.netid != netids[model->net[eui]])
            fail_msg("round %u: device %u is of %06x, not %06x", round, (unsigned)eui, row.netid,
                     netids[model->net[eui]]);
        if (row.netid == 0) continue;
        if (((row.flags & FR_DEVICE_HIDDEN) != 0) != model->is_hidden[eui])
            fail_msg("round %u: device %u: hidden", round, (unsigned)eui);
        wanted++;
    }
    assert_int_equal(fr_device_count(snap, &count), FR_OK);
    assert_int_equal(count, wanted);
    assert_int_equal(fr_check_store(snap, tell_damage, NULL, &report), FR_OK);
    fr_snap_end(snap);
}

/* --- what others do --- */

static void change_one(struct fr_store *store, struct model *model, bool *touched)
{
    struct fr_change *change = begin_change(store);
    uint64_t eui = draw(EUIS) + 1;
    uint8_t net = (uint8_t)(draw(3) + 1);
    struct fr_device_report report;
    struct fr_device_job job = {.netid = netids[net], .euis = &eui, .n = 1};
    uint64_t changed = 0;
    enum fr_err err = FR_OK;
    uint8_t was = model->net[eui];

    switch (draw(3)) {
    case 0: /* add or move */
        job.mode = FR_DEVICE_ADD;
        err = fr_device_apply(change, &job, NULL, &report);
        if (err == FR_OK) model->net[eui] = net;
        assert_int_equal(err, was == 0 || is_of(was, net) ? FR_OK : FR_E_CONFLICT);
        break;
    case 1:
        job.mode = FR_DEVICE_REMOVE;
        job.netid = 0;
        err = fr_device_apply(change, &job, NULL, &report);
        assert_int_equal(err, FR_OK);
        model->net[eui] = 0;
        model->is_hidden[eui] = false;
        break;
    default: {
        bool is_hidden = draw(2) == 0;
        err = fr_device_set_hidden(change, &eui, 1, is_hidden, NULL, &changed);
        assert_int_equal(err, was == 0 ? FR_E_NOT_FOUND : FR_OK);
        if (err == FR_OK) model->is_hidden[eui] = is_hidden;
        break;
    }
    }
    if (err == FR_OK && !fr_change_is_empty(change) && touched != NULL) touched[eui] = true;
    if (err == FR_OK)
        commit_change(change);
    else
        fr_change_cancel(change);
}

/* Something that is no device's. */
static void change_network(struct fr_store *store)
{
    struct fr_change *change = begin_change(store);
    char text[32];

    snprintf(text, sizeof text, "192.0.2.%u", draw(200) + 1);
    struct fr_addr one = addr(text);
    assert_int_equal(fr_network_set_endpoints(change, netids[draw(3) + 1], &one, 1, NULL), FR_OK);
    commit_change(change);
}

/* --- one import --- */

struct trial {
    uint64_t list[EUIS + 2];
    bool is_listed[EUIS + 1];
    size_t n;
    uint8_t net;
    bool is_replace, keep_going;
    bool touched[EUIS + 1];
    bool may_fail; /* a listed device was another member's at some moment */
    struct model before;
};

static void plan_trial(struct trial *t)
{
    uint32_t share = draw(4) == 0 ? 40 : draw(9) + 1; /* one in … is listed */

    memset(t, 0, sizeof *t);
    t->net = (uint8_t)(draw(3) + 1);
    t->is_replace = draw(2) == 0;
    t->keep_going = draw(3) != 0;
    for (uint32_t eui = 1; eui <= EUIS; eui++) {
        t->is_listed[eui] = draw(share) == 0;
        if (t->is_listed[eui]) t->list[t->n++] = eui;
    }
    for (size_t i = t->n; i > 1; i--) { /* in any order */
        size_t j = draw((uint32_t)i);
        uint64_t swap = t->list[i - 1];
        t->list[i - 1] = t->list[j];
        t->list[j] = swap;
    }
    if (t->keep_going && draw(2) == 0) t->list[t->n++] = 0;
    if (t->keep_going && draw(2) == 0) t->list[t->n++] = UINT64_MAX;
}

static bool has_conflict(const struct trial *t, const struct model *now)
{
    for (uint32_t eui = 1; eui <= EUIS; eui++)
        if (t->is_listed[eui] && now->net[eui] != 0 && !is_of(now->net[eui], t->net)) return true;
    return false;
}

/* Surely at least an eighth of the table, whatever others change meanwhile. */
static bool is_large(const struct trial *t, const struct model *now)
{
    size_t devices = 0, writes = 0;

    for (uint32_t eui = 1; eui <= EUIS; eui++) {
        uint8_t was = now->net[eui];
        devices += was != 0;
        if (t->is_listed[eui])
            writes += was != t->net && (was == 0 || is_of(was, t->net));
        else
            writes += t->is_replace && was == t->net;
    }
    return writes > devices / 7;
}

/* The import happened before everything the others did. */
static void apply_to_model(const struct trial *t, struct model *now)
{
    for (uint32_t eui = 1; eui <= EUIS; eui++) {
        uint8_t was = t->before.net[eui];
        if (t->touched[eui]) continue;
        if (t->is_listed[eui] && (was == 0 || is_of(was, t->net)))
            now->net[eui] = t->net;
        else if (t->is_replace && !t->is_listed[eui] && was == t->net)
            now->net[eui] = 0;
        if (now->net[eui] == 0) now->is_hidden[eui] = false;
    }
}

/* Steps until it is over or `cut` steps are done (0: not cut); when busy, others change things in between. */
static enum fr_err run_trial(struct fr_store *store, struct trial *t, struct model *now,
                             unsigned cut, bool is_busy, bool *done)
{
    struct fr_change_by by = by_tester();
    struct fr_device_job job = {.netid = netids[t->net],
                                .mode = t->is_replace ? FR_DEVICE_REPLACE : FR_DEVICE_ADD,
                                .euis = t->list,
                                .n = t->n,
                                .keep_going = t->keep_going};
    struct fr_bulk *bulk = NULL;
    struct fr_diag diag = {0};

    t->before = *now;
    t->may_fail = has_conflict(t, now);
    *done = false;
    enum fr_err err = fr_bulk_new(store, &job, &by, &diag, &bulk);
    assert_int_equal(err, FR_OK);
    for (unsigned step = 1; err == FR_OK && !*done; step++) {
        if (cut != 0 && step > cut) break;
        err = fr_bulk_step(bulk, 0, &diag, done);
        if (err || *done) break;
        for (uint32_t i = draw(4); is_busy && i > 0; i--) {
            change_one(store, now, t->touched);
            t->may_fail = t->may_fail || has_conflict(t, now);
        }
        if (draw(10) == 0) change_network(store);
    }
    fr_bulk_free(bulk);
    if (err && (err != FR_E_CONFLICT || t->keep_going || !t->may_fail))
        fail_msg("%s: %s", fr_err_text(err), diag.what);
    return err;
}

static void reopen(struct fixture *f)
{
    struct fr_store_options options = store_options(f->dir);

    fr_store_close(f->store);
    assert_int_equal(fr_store_open(&options, NULL, &f->store), FR_OK);
    assert_int_equal(list_files(f->dir), 0);
}

/* Lists of an eighth of the table and more are all or nothing, whatever happens meanwhile; every change of somebody else is
 * there afterwards, exactly as it was made. */
static void imports_agree_with_the_model(void **state)
{
    struct fixture *f = *state;
    struct model now = {0};
    struct trial *t = calloc(1, sizeof *t);
    unsigned whole = 0, failed = 0, cut = 0, rounds = getenv("FR_LONG") ? 1000 : 60;
    const char *seed = getenv("FR_SEED");

    random_state = seed ? strtoull(seed, NULL, 0) : 1;
    for (unsigned round = 0; round < rounds; round++) {
        bool done = false;
        plan_trial(t);
        for (unsigned i = draw(30); i > 0; i--) change_one(f->store, &now, NULL);
        /* Small ones go in place: all of it when nobody cuts it short, but not at once. */
        bool is_apart = is_large(t, &now), is_busy = is_apart && draw(5) != 0;
        unsigned steps = is_apart && draw(2) == 0 ? draw(12) + 1 : 0;
        enum fr_err err = run_trial(f->store, t, &now, steps, is_busy, &done);
        if (err == FR_OK && done && !t->keep_going) assert_false(has_conflict(t, &now));
        if (err == FR_OK && done) apply_to_model(t, &now);
        if (!done && draw(2) == 0) reopen(f);
        if (!done && err == FR_OK) {
            for (bool tidy = false; !tidy && draw(4) != 0;)
                assert_int_equal(fr_bulk_tidy(f->store, 0, &tidy), FR_OK);
        }
        whole += done;
        failed += err != FR_OK;
        cut += !done && err == FR_OK;
        assert_model(f->store, &now, round);
    }
    print_message("%u imported, %u refused, %u cut short\n", whole, failed, cut);
    assert_true(whole > 5 && failed > 0 && cut > 2);
    free(t);
}

/* --- kill -9 --- */

#define KILL_SIZE 20000 /* devices in each of the two sets, some of them in both */
#define KILL_EUI(set, i) (0x1000000 + (uint64_t)(i) * ((set) == 0 ? 2 : 3))
#define KILL_OTHER(i) (0x100 + (uint64_t)(i))

/* One device of somebody else's, acknowledged through the pipe. */
static void child_change(struct fr_store *store, int fd, uint64_t number)
{
    struct fr_change_by by = by_tester();
    struct fr_change *change = NULL;
    uint64_t eui = KILL_OTHER(number), sequence;
    struct fr_device_report report;
    struct fr_device_job job = {.netid = 0x2b, .mode = FR_DEVICE_ADD, .euis = &eui, .n = 1};

    if (fr_store_change(store, &by, NULL, &change) != FR_OK) _exit(1);
    if (fr_device_apply(change, &job, NULL, &report) != FR_OK) _exit(1);
    if (fr_change_commit(change, NULL, &sequence) != FR_OK) _exit(1);
    if (write(fd, &number, sizeof number) != sizeof number) _exit(1);
}

/* A list of one of the two sets, handed over by file like a command does. */
static struct fr_list *child_list(const char *dir, int set)
{
    struct fr_list *made = NULL, *list = NULL;
    const char *name = NULL;
    bool done = false;

    if (fr_list_new(dir, NULL, &made) != FR_OK) _exit(1);
    for (uint32_t i = KILL_SIZE; i-- > 0;)
        if (fr_list_add(made, KILL_EUI(set, i), i, NULL) != FR_OK) _exit(1);
    while (!done)
        if (fr_list_finish(made, 10, NULL, &done) != FR_OK) _exit(1);
    if (fr_list_publish(made, NULL, &name) != FR_OK) _exit(1);
    if (fr_list_open(dir, name, NULL, &list) != FR_OK) _exit(1);
    fr_list_free(made);
    return list;
}

/* Replaces one set by the other for ever, with changes of others in between. */
static void child(const char *dir, int fd, uint64_t number, int set)
{
    struct fr_store_options options = store_options(dir);
    struct fr_change_by by = by_tester();
    struct fr_store *store = NULL;

    if (fr_store_open(&options, NULL, &store) != FR_OK) _exit(1);
    for (;; set = !set) {
        struct fr_list *list = child_list(dir, set);
        struct fr_device_job job = {.netid = 0x13, .mode = FR_DEVICE_REPLACE, .list = list};
        struct fr_bulk *bulk = NULL;
        bool done = false;
        if (fr_bulk_new(store, &job, &by, NULL, &bulk) != FR_OK) _exit(1);
        while (!done) {
            if (fr_bulk_step(bulk, 2, NULL, &done) != FR_OK) _exit(1);
            child_change(store, fd, number++);
        }
        fr_bulk_free(bulk);
        fr_list_free(list);
        for (done = false; !done;)
            if (fr_bulk_tidy(store, 2, &done) != FR_OK) _exit(1);
    }
}

/* Which of the two sets is there, whole; -1: neither. */
static int which_set(struct fr_store *store)
{
    int found = -1;

    for (int set = 0; set < 2; set++) {
        bool is_whole = network_devices(store, 0x13) == KILL_SIZE;
        struct fr_snap *snap = begin_snap(store);
        struct fr_device_row row;
        for (uint32_t i = 0; is_whole && i < KILL_SIZE; i++)
            is_whole = fr_device_get(snap, KILL_EUI(set, i), &row) == FR_OK && row.netid == 0x13;
        fr_snap_end(snap);
        if (is_whole) found = set;
    }
    return found;
}

static void check_after_kill(struct fixture *f, uint64_t acknowledged, int *set)
{
    struct fr_store_options options = store_options(f->dir);
    struct fr_check_report report;

    assert_int_equal(fr_store_open(&options, NULL, &f->store), FR_OK);
    assert_int_equal(list_files(f->dir), 0);
    uint64_t there = network_devices(f->store, 0x2b);
    assert_true(there == acknowledged || there == acknowledged + 1);
    for (uint64_t i = 0; i < there; i++)
        assert_int_equal(device_netid(f->store, KILL_OTHER(i)), 0x2b);
    int now = which_set(f->store);
    if (now < 0) assert_int_equal(network_devices(f->store, 0x13), 0);
    assert_true(now >= 0 || *set < 0); /* before the first import there is neither */
    *set = now;
    struct fr_snap *snap = begin_snap(f->store);
    assert_int_equal(fr_check_store(snap, tell_damage, NULL, &report), FR_OK);
    fr_snap_end(snap);
    fr_store_close(f->store);
    f->store = NULL;
}

static void killed_at_any_moment_it_is_old_or_new(void **state)
{
    struct fixture *f = *state;
    uint64_t number = 0;
    int set = -1;
    unsigned rounds = getenv("FR_LONG") ? 300 : 20, changes[3] = {0};

    fr_store_close(f->store);
    f->store = NULL;
    random_state = 7;
    for (unsigned round = 0; round < rounds; round++) {
        int fds[2];
        uint64_t last = 0;
        assert_int_equal(pipe(fds), 0);
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            close(fds[0]);
            child(f->dir, fds[1], number, set == 0);
        }
        close(fds[1]);
        /* Some steps far, and then at any moment of one. */
        for (uint32_t i = draw(50) + 1; i > 0 && read(fds[0], &last, sizeof last) > 0; i--)
            number = last + 1;
        usleep((useconds_t)draw(4000));
        kill(pid, SIGKILL);
        int status = 0;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status)); /* it did not end by itself */
        while (read(fds[0], &last, sizeof last) == sizeof last) number = last + 1;
        close(fds[0]);
        check_after_kill(f, number, &set);
        changes[set + 1]++;
        struct fr_store_options options = store_options(f->dir);
        assert_int_equal(fr_store_open(&options, NULL, &f->store), FR_OK);
        number = network_devices(f->store, 0x2b); /* the one that was on its way may be there */
        fr_store_close(f->store);
        f->store = NULL;
    }
    print_message(
        "%u kills: %u times neither yet, %u the one set, %u the other; %u other changes\n", rounds,
        changes[0], changes[1], changes[2], (unsigned)number);
    assert_true(changes[1] > 0 && changes[2] > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(imports_agree_with_the_model),
        STORE_TEST(killed_at_any_moment_it_is_old_or_new),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
