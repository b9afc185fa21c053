#include "store/device.h"

#include "store/check.h"

#include "fixture.h"

#include <stdio.h>

/* What the callback was told, as "row:outcome:owner " per refusal. */
struct told {
    char text[256];
};

static void on_refused(void *data, const struct fr_device_refusal *r)
{
    struct told *told = data;
    size_t n = strlen(told->text);

    snprintf(told->text + n, sizeof told->text - n, "%zu:%s:%s ", r->row,
             fr_device_outcome_text(r->outcome), r->owner ? r->owner : "-");
}

static enum fr_err apply(struct fr_store *store, struct fr_device_job *job,
                         struct fr_device_report *report, struct fr_diag *diag)
{
    struct fr_change *change = begin_change(store);
    uint64_t sequence;

    enum fr_err err = fr_device_apply(change, job, diag, report);
    if (err) {
        fr_change_cancel(change);
        return err;
    }
    return fr_change_commit(change, diag, &sequence);
}

static void no_finding(void *data, const struct fr_finding *finding)
{
    (void)data;
    fail_msg("%s", finding->what);
}

static void assert_consistent(struct fr_store *store)
{
    struct fr_snap *snap = begin_snap(store);
    struct fr_check_report report;
    struct fr_change *change = NULL;

    /* endpoints, so that devices without them are not warned of */
    fr_snap_end(snap);
    change = begin_change(store);
    struct fr_addr one = addr("192.0.2.1");
    assert_int_equal(fr_network_set_endpoints(change, 0x13, &one, 1, NULL), FR_OK);
    assert_int_equal(fr_network_set_endpoints(change, 0x2a, &one, 1, NULL), FR_OK);
    assert_int_equal(fr_network_set_endpoints(change, 0x2b, &one, 1, NULL), FR_OK);
    commit_change(change);
    snap = begin_snap(store);
    assert_int_equal(fr_check_store(snap, no_finding, NULL, &report), FR_OK);
    assert_int_equal(report.damages, 0);
    fr_snap_end(snap);
}

/* One start, many jobs: acme 13 has 1 2 3, acme 2a has 10, bolt 2b has 20. */
static void start(struct fr_store *store)
{
    static const uint64_t a[] = {1, 2, 3}, b[] = {10}, c[] = {20};
    struct fr_device_report report;
    struct fr_device_job job = {.netid = 0x13, .mode = FR_DEVICE_ADD, .euis = a, .n = 3};

    assert_int_equal(apply(store, &job, &report, NULL), FR_OK);
    job = (struct fr_device_job){.netid = 0x2a, .mode = FR_DEVICE_ADD, .euis = b, .n = 1};
    assert_int_equal(apply(store, &job, &report, NULL), FR_OK);
    job = (struct fr_device_job){.netid = 0x2b, .mode = FR_DEVICE_ADD, .euis = c, .n = 1};
    assert_int_equal(apply(store, &job, &report, NULL), FR_OK);
}

static const struct rule {
    const char *label;
    uint32_t netid;
    enum fr_device_mode mode;
    uint64_t euis[8];
    size_t n;
    bool keep_going;
    enum fr_err err;
    uint64_t added, moved, same, repeated, removed, absent, refused;
    const char *told;
    uint64_t left13, left2a, left2b; /* devices afterwards */
} rules[] = {
    {"new ones are added",
     0x13,
     FR_DEVICE_ADD,
     {4, 5},
     2,
     false,
     FR_OK,
     2,
     0,
     0,
     0,
     0,
     0,
     0,
     "",
     5,
     1,
     1},
    {"nothing to add", 0x13, FR_DEVICE_ADD, {0}, 0, false, FR_OK, 0, 0, 0, 0, 0, 0, 0, "", 3, 1, 1},
    {"those there stay",
     0x13,
     FR_DEVICE_ADD,
     {1, 2},
     2,
     false,
     FR_OK,
     0,
     0,
     2,
     0,
     0,
     0,
     0,
     "",
     3,
     1,
     1},
    {"repeated are counted once",
     0x13,
     FR_DEVICE_ADD,
     {9, 1, 9, 9},
     4,
     false,
     FR_OK,
     1,
     0,
     1,
     2,
     0,
     0,
     0,
     "",
     4,
     1,
     1},
    {"own other network: moved",
     0x13,
     FR_DEVICE_ADD,
     {10, 11},
     2,
     false,
     FR_OK,
     1,
     1,
     0,
     0,
     0,
     0,
     0,
     "",
     5,
     0,
     1},
    {"another member's: refused, nothing done",
     0x13,
     FR_DEVICE_ADD,
     {4, 20},
     2,
     false,
     FR_E_CONFLICT,
     0,
     0,
     0,
     0,
     0,
     0,
     0,
     "1:taken:bolt ",
     3,
     1,
     1},
    {"another member's: left out",
     0x13,
     FR_DEVICE_ADD,
     {20, 4},
     2,
     true,
     FR_OK,
     1,
     0,
     0,
     0,
     0,
     0,
     1,
     "0:taken:bolt ",
     4,
     1,
     1},
    {"zeros and ones",
     0x13,
     FR_DEVICE_ADD,
     {0, UINT64_MAX, 4},
     3,
     false,
     FR_E_INVALID,
     0,
     0,
     0,
     0,
     0,
     0,
     0,
     "0:reserved:- 1:reserved:- ",
     3,
     1,
     1},
    {"zeros left out",
     0x13,
     FR_DEVICE_ADD,
     {0, 4},
     2,
     true,
     FR_OK,
     1,
     0,
     0,
     0,
     0,
     0,
     1,
     "0:reserved:- ",
     4,
     1,
     1},
    {"refusals in the list's order",
     0x13,
     FR_DEVICE_ADD,
     {UINT64_MAX, 20, 0},
     3,
     false,
     FR_E_CONFLICT,
     0,
     0,
     0,
     0,
     0,
     0,
     0,
     "0:reserved:- 1:taken:bolt 2:reserved:- ",
     3,
     1,
     1},
    {"unknown network",
     0x99,
     FR_DEVICE_ADD,
     {4},
     1,
     false,
     FR_E_NOT_FOUND,
     0,
     0,
     0,
     0,
     0,
     0,
     0,
     "",
     3,
     1,
     1},
    {"replace",
     0x13,
     FR_DEVICE_REPLACE,
     {2, 10, 7},
     3,
     false,
     FR_OK,
     1,
     1,
     1,
     0,
     2,
     0,
     0,
     "",
     3,
     0,
     1},
    {"replace by nothing",
     0x13,
     FR_DEVICE_REPLACE,
     {0},
     0,
     false,
     FR_OK,
     0,
     0,
     0,
     0,
     3,
     0,
     0,
     "",
     0,
     1,
     1},
    {"replace by the same",
     0x13,
     FR_DEVICE_REPLACE,
     {3, 2, 1},
     3,
     false,
     FR_OK,
     0,
     0,
     3,
     0,
     0,
     0,
     0,
     "",
     3,
     1,
     1},
    {"replace never takes",
     0x13,
     FR_DEVICE_REPLACE,
     {20},
     1,
     false,
     FR_E_CONFLICT,
     0,
     0,
     0,
     0,
     0,
     0,
     0,
     "0:taken:bolt ",
     3,
     1,
     1},
    {"replace, left out",
     0x13,
     FR_DEVICE_REPLACE,
     {20, 1},
     2,
     true,
     FR_OK,
     0,
     0,
     1,
     0,
     2,
     0,
     1,
     "0:taken:bolt ",
     1,
     1,
     1},
    {"remove", 0x13, FR_DEVICE_REMOVE, {1, 99}, 2, false, FR_OK, 0, 0, 0, 0, 1, 1, 0, "", 2, 1, 1},
    {"remove another network's",
     0x13,
     FR_DEVICE_REMOVE,
     {1, 10},
     2,
     false,
     FR_E_CONFLICT,
     0,
     0,
     0,
     0,
     0,
     0,
     0,
     "1:foreign:acme ",
     3,
     1,
     1},
    {"remove anybody's",
     0,
     FR_DEVICE_REMOVE,
     {1, 10, 20},
     3,
     false,
     FR_OK,
     0,
     0,
     0,
     0,
     3,
     0,
     0,
     "",
     2,
     0,
     0},
};

static void check_rule(struct fr_store *store, const struct rule *r, bool in_bulk)
{
    struct told told = {{0}};
    struct fr_device_report report = {0};
    struct fr_device_job job = {.netid = r->netid,
                                .mode = r->mode,
                                .euis = r->euis,
                                .n = r->n,
                                .keep_going = r->keep_going,
                                .refused = on_refused,
                                .data = &told};
    struct fr_diag diag = {0};
    enum fr_err err;

    if (in_bulk) {
        struct fr_bulk *bulk = NULL;
        struct fr_change_by by = by_tester();
        uint64_t sequence;
        bool done = false;
        err = fr_bulk_new(store, &job, &by, &diag, &bulk);
        while (err == FR_OK && !done) err = fr_bulk_step(bulk, 0, &diag, &done);
        if (err == FR_OK) fr_bulk_report(bulk, &report, &sequence);
        fr_bulk_free(bulk);
    } else {
        err = apply(store, &job, &report, &diag);
    }
    if (err != r->err) fail_msg("%s: %s (%s)", r->label, fr_err_text(err), diag.what);
    if (strcmp(told.text, r->told) != 0) fail_msg("%s: told \"%s\"", r->label, told.text);
    if (err == FR_OK) {
        const uint64_t got[] = {report.count[FR_DEVICE_ADDED],
                                report.count[FR_DEVICE_MOVED],
                                report.count[FR_DEVICE_SAME],
                                report.count[FR_DEVICE_REPEATED],
                                report.count[FR_DEVICE_REMOVED],
                                report.count[FR_DEVICE_ABSENT],
                                report.refused};
        const uint64_t want[] = {r->added,   r->moved,  r->same,   r->repeated,
                                 r->removed, r->absent, r->refused};
        for (size_t i = 0; i < 7; i++)
            if (got[i] != want[i]) fail_msg("%s: count %zu is %u", r->label, i, (unsigned)got[i]);
    } else {
        assert_true(diag.what[0] != '\0');
    }
    if (network_devices(store, 0x13) != r->left13 || network_devices(store, 0x2a) != r->left2a ||
        network_devices(store, 0x2b) != r->left2b)
        fail_msg("%s: counts afterwards", r->label);
    assert_consistent(store);
}

static void each_rule(bool in_bulk)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        void *state = NULL;
        assert_int_equal(store_setup(&state), 0);
        struct fixture *f = state;
        start(f->store);
        check_rule(f->store, &rules[i], in_bulk);
        store_teardown(&state);
    }
}

static void the_rules_in_a_change(void **state)
{
    (void)state;
    each_rule(false);
}

static void the_rules_in_a_bulk(void **state)
{
    (void)state;
    each_rule(true);
}

static void a_dry_bulk_changes_nothing(void **state)
{
    struct fixture *f = *state;
    static const uint64_t euis[] = {1, 4, 20, 0};
    struct fr_device_report report;
    struct fr_device_job job = {
        .netid = 0x13, .mode = FR_DEVICE_REPLACE, .euis = euis, .n = 4, .is_dry = true};
    struct fr_bulk *bulk = NULL;
    uint64_t sequence = 0;
    bool done = false;

    start(f->store);
    uint64_t before = fr_store_last_txn(f->store);
    assert_int_equal(fr_bulk_new(f->store, &job, NULL, NULL, &bulk), FR_OK);
    while (!done) assert_int_equal(fr_bulk_step(bulk, 10, NULL, &done), FR_OK);
    fr_bulk_report(bulk, &report, &sequence);
    fr_bulk_free(bulk);
    assert_int_equal(report.count[FR_DEVICE_ADDED], 1);
    assert_int_equal(report.count[FR_DEVICE_SAME], 1);
    assert_int_equal(report.count[FR_DEVICE_REMOVED], 2);
    assert_int_equal(report.count[FR_DEVICE_TAKEN], 1);
    assert_int_equal(report.refused, 2);
    assert_int_equal(report.before, 3);
    assert_int_equal(fr_store_last_txn(f->store), before);
}

static void too_many_for_one_change(void **state)
{
    struct fixture *f = *state;
    uint64_t *euis = calloc(FR_DEVICE_APPLY_MAX + 1, sizeof *euis);
    struct fr_device_report report;
    struct fr_device_job job = {
        .netid = 0x13, .mode = FR_DEVICE_ADD, .euis = euis, .n = FR_DEVICE_APPLY_MAX + 1};

    for (size_t i = 0; i < job.n; i++) euis[i] = i + 100;
    assert_int_equal(apply(f->store, &job, &report, NULL), FR_E_LIMIT);
    assert_int_equal(network_devices(f->store, 0x13), 0);
    job.n--;
    assert_int_equal(apply(f->store, &job, &report, NULL), FR_OK);
    assert_int_equal(network_devices(f->store, 0x13), FR_DEVICE_APPLY_MAX);
    free(euis);
}

static struct fr_bulk *bulk_of(struct fr_store *store, uint32_t netid, uint64_t *euis, size_t n,
                               bool keep_going)
{
    struct fr_change_by by = by_tester();
    struct fr_device_job job = {
        .netid = netid, .mode = FR_DEVICE_ADD, .euis = euis, .n = n, .keep_going = keep_going};
    struct fr_bulk *bulk = NULL;

    assert_int_equal(fr_bulk_new(store, &job, &by, NULL, &bulk), FR_OK);
    return bulk;
}

/* A first import is invisible until its last step; what others write meanwhile is kept, and wins. */
static void a_first_import_appears_at_once(void **state)
{
    struct fixture *f = *state;
    enum { N = 60000 };
    uint64_t *euis = calloc(N, sizeof *euis), sequence = 0;
    struct fr_device_report report;
    bool done = false, met = false;
    size_t steps = 0;

    for (size_t i = 0; i < N; i++) euis[i] = (i * 2654435761u) % 1000003 + 1000;
    struct fr_bulk *bulk = bulk_of(f->store, 0x13, euis, N, true);
    while (!done) {
        assert_int_equal(fr_bulk_step(bulk, 0, NULL, &done), FR_OK);
        if (!done) assert_int_equal(network_devices(f->store, 0x13), 0);
        if (!done && !met) {
            uint64_t others[] = {5, euis[7]};
            struct fr_device_job job = {
                .netid = 0x2b, .mode = FR_DEVICE_ADD, .euis = others, .n = 2};
            assert_int_equal(apply(f->store, &job, &report, NULL), FR_OK);
            met = true;
        }
        steps++;
    }
    assert_true(steps > 2 && met);
    fr_bulk_report(bulk, &report, &sequence);
    assert_int_equal(report.count[FR_DEVICE_ADDED], N - 1);
    assert_int_equal(report.count[FR_DEVICE_TAKEN], 1);
    assert_int_equal(report.after, N - 1);
    assert_int_equal(network_devices(f->store, 0x13), N - 1);
    assert_int_equal(network_devices(f->store, 0x2b), 2);
    assert_int_equal(device_netid(f->store, euis[7]), 0x2b);
    assert_int_equal(device_netid(f->store, euis[8]), 0x13);
    fr_bulk_free(bulk);
    assert_consistent(f->store);

    /* One record for all of it. */
    struct fr_snap *snap = begin_snap(f->store);
    struct fr_journal_record record;
    struct fr_fact fact;
    assert_int_equal(fr_journal_next(snap, sequence, &record), FR_OK);
    assert_int_equal(record.n_facts, 1);
    assert_int_equal(fr_fact_next(&record.facts, &fact), FR_OK);
    assert_int_equal(fact.kind, FR_FACT_IMAGE);
    fr_snap_end(snap);
    free(euis);
}

/* A table beside which N more devices are few. */
static void fill_table(struct fr_store *store, size_t n)
{
    uint64_t *euis = calloc(n, sizeof *euis);
    bool done = false;

    for (size_t i = 0; i < n; i++) euis[i] = 0x1000000 + 2 * i;
    struct fr_bulk *bulk = bulk_of(store, 0x2a, euis, n, false);
    while (!done) assert_int_equal(fr_bulk_step(bulk, 1000, NULL, &done), FR_OK);
    fr_bulk_free(bulk);
    free(euis);
}

/* In place, cut short: the mark stays and says so; repeating the import ends it. */
static void a_bulk_cut_short_is_known_and_repeatable(void **state)
{
    struct fixture *f = *state;
    enum { N = 5000 };
    uint64_t euis[N];
    struct fr_bulk_pending pending;
    bool done = false;

    fill_table(f->store, 10 * N);
    for (size_t i = 0; i < N; i++) euis[i] = i + 1000;
    struct fr_bulk *bulk = bulk_of(f->store, 0x13, euis, N, false);
    while (network_devices(f->store, 0x13) == 0) {
        assert_int_equal(fr_bulk_step(bulk, 0, NULL, &done), FR_OK);
        assert_false(done);
    }
    fr_bulk_free(bulk);
    assert_true(network_devices(f->store, 0x13) < N);
    struct fr_snap *snap = begin_snap(f->store);
    assert_int_equal(fr_bulk_find_pending(snap, &pending), FR_OK);
    assert_int_equal(pending.netid, 0x13);
    assert_int_equal(pending.since_s, NOW);
    fr_snap_end(snap);

    bulk = bulk_of(f->store, 0x13, euis, N, false);
    while (!done) assert_int_equal(fr_bulk_step(bulk, 50, NULL, &done), FR_OK);
    fr_bulk_free(bulk);
    assert_int_equal(network_devices(f->store, 0x13), N);
    snap = begin_snap(f->store);
    assert_int_equal(fr_bulk_find_pending(snap, &pending), FR_E_NOT_FOUND);
    fr_snap_end(snap);
    assert_consistent(f->store);
}

/* Replacing in place: few come and few go. */
static void a_small_replacement_in_place(void **state)
{
    struct fixture *f = *state;
    enum { N = 50000, GONE = 3000 };
    uint64_t *euis = calloc(N, sizeof *euis), sequence = 0;
    struct fr_device_report report;
    struct fr_change_by by = by_tester();
    struct fr_bulk *bulk = NULL;
    bool done = false;

    fill_table(f->store, N);
    for (size_t i = GONE; i < N; i++) euis[i] = 0x1000000 + 2 * i;
    for (size_t i = 0; i < GONE; i++) euis[i] = 0x1000000 + 2 * i + 1;
    struct fr_device_job job = {.netid = 0x2a, .mode = FR_DEVICE_REPLACE, .euis = euis, .n = N};
    assert_int_equal(fr_bulk_new(f->store, &job, &by, NULL, &bulk), FR_OK);
    while (!done) assert_int_equal(fr_bulk_step(bulk, 0, NULL, &done), FR_OK);
    fr_bulk_report(bulk, &report, &sequence);
    fr_bulk_free(bulk);
    assert_int_equal(report.count[FR_DEVICE_ADDED], GONE);
    assert_int_equal(report.count[FR_DEVICE_REMOVED], GONE);
    assert_int_equal(report.count[FR_DEVICE_SAME], N - GONE);
    assert_int_equal(network_devices(f->store, 0x2a), N);
    assert_int_equal(device_netid(f->store, 0x1000000), 0);
    assert_int_equal(device_netid(f->store, 0x1000001), 0x2a);
    assert_consistent(f->store);
    free(euis);
}

static void one_bulk_at_a_time(void **state)
{
    struct fixture *f = *state;
    struct fr_change_by by = by_tester();
    uint64_t euis[] = {1, 2, 3};
    struct fr_device_job job = {.netid = 0x2b, .mode = FR_DEVICE_ADD, .euis = euis, .n = 3};
    struct fr_diag diag = {0};
    struct fr_bulk *two = NULL;
    bool done = false;

    struct fr_bulk *one = bulk_of(f->store, 0x13, euis, 3, false);
    assert_int_equal(fr_bulk_new(f->store, &job, &by, &diag, &two), FR_E_BUSY);
    assert_non_null(strstr(diag.what, "under way"));
    while (!done) assert_int_equal(fr_bulk_step(one, 10, NULL, &done), FR_OK);
    fr_bulk_free(one);
    assert_int_equal(fr_bulk_new(f->store, &job, &by, NULL, &two), FR_OK);
    fr_bulk_free(two);
}

/* A conflict that comes up while it is built ends it, and nothing of it is seen. */
static void who_was_first_keeps_a_device(void **state)
{
    struct fixture *f = *state;
    enum { N = 20000 };
    uint64_t *euis = calloc(N, sizeof *euis);
    struct fr_device_report report;
    struct fr_diag diag = {0};
    enum fr_err err = FR_OK;
    bool done = false;

    for (size_t i = 0; i < N; i++) euis[i] = i + 1000;
    struct fr_bulk *bulk = bulk_of(f->store, 0x13, euis, N, false);
    for (unsigned steps = 0; err == FR_OK && !done; steps++) {
        err = fr_bulk_step(bulk, 0, &diag, &done);
        struct fr_device_job job = {.netid = 0x2b, .mode = FR_DEVICE_ADD, .euis = euis, .n = 1};
        if (steps == 5) assert_int_equal(apply(f->store, &job, &report, NULL), FR_OK);
    }
    assert_int_equal(err, FR_E_CONFLICT);
    assert_non_null(strstr(diag.what, "00000000000003e8"));
    fr_bulk_free(bulk);
    assert_int_equal(network_devices(f->store, 0x13), 0);
    assert_int_equal(network_devices(f->store, 0x2b), 1);
    for (done = false; !done;) assert_int_equal(fr_bulk_tidy(f->store, 0, &done), FR_OK);
    assert_consistent(f->store);
    free(euis);
}

/* Runs a bulk into 000013 of a listed device of 00002a and many more; `meddle` once the merge is past that device. */
static enum fr_err run_meddled(struct fr_store *store, void (*meddle)(struct fr_store *),
                               struct fr_diag *diag)
{
    enum { N = 20000 };
    uint64_t *euis = calloc(N, sizeof *euis), moved = 7;
    struct fr_device_report report;
    struct fr_device_job job = {.netid = 0x2a, .mode = FR_DEVICE_ADD, .euis = &moved, .n = 1};
    enum fr_err err = FR_OK;
    bool done = false;

    assert_int_equal(apply(store, &job, &report, NULL), FR_OK);
    euis[0] = moved;
    for (size_t i = 1; i < N; i++) euis[i] = i + 1000;
    struct fr_bulk *bulk = bulk_of(store, 0x13, euis, N, true);
    for (unsigned step = 0; err == FR_OK && !done; step++) {
        if (step == 25) meddle(store); /* 20 steps check the list */
        err = fr_bulk_step(bulk, 0, diag, &done);
    }
    fr_bulk_free(bulk);
    free(euis);
    return err;
}

static void hand_over(struct fr_store *store)
{
    struct fr_device_report report;
    uint64_t eui = 7;
    struct fr_device_job job = {.netid = 0x2a, .mode = FR_DEVICE_REMOVE, .euis = &eui, .n = 1};

    assert_int_equal(apply(store, &job, &report, NULL), FR_OK);
    struct fr_change *change = begin_change(store);
    assert_int_equal(fr_network_remove(change, 0x2a, NULL), FR_OK);
    assert_int_equal(fr_network_add(change, 0x2a, "bolt", NULL), FR_OK);
    commit_change(change);
}

static void give_up(struct fr_store *store)
{
    struct fr_change *change = begin_change(store);

    assert_int_equal(fr_network_remove(change, 0x13, NULL), FR_OK);
    commit_change(change);
}

static void networks_that_change_hands_end_a_merge(void **state)
{
    struct fixture *f = *state;
    struct fr_diag diag = {0};

    assert_int_equal(run_meddled(f->store, hand_over, &diag), FR_E_BUSY);
    assert_non_null(strstr(diag.what, "00002a changed hands"));
    assert_int_equal(network_devices(f->store, 0x13), 0);
    assert_int_equal(network_devices(f->store, 0x2a), 0);
    struct fr_change *change = begin_change(f->store);
    assert_int_equal(fr_network_remove(change, 0x2a, NULL), FR_OK);
    assert_int_equal(fr_network_add(change, 0x2a, "acme", NULL), FR_OK);
    commit_change(change);
    assert_int_equal(run_meddled(f->store, give_up, &diag), FR_E_NOT_FOUND);
    assert_non_null(strstr(diag.what, "no member holds NetID 000013"));
    assert_int_equal(device_netid(f->store, 7), 0x2a);
    assert_int_equal(device_netid(f->store, 1001), 0);
    change = begin_change(f->store);
    assert_int_equal(fr_network_add(change, 0x13, "acme", NULL), FR_OK);
    commit_change(change);
    assert_consistent(f->store);
}

/* Printed, not asserted: how long a large import takes on this machine. */
static void a_million_devices(void **state)
{
    struct fixture *f = *state;
    enum { N = 1000000 };
    uint64_t *euis = calloc(N, sizeof *euis);
    const struct fr_clock *clock = fr_clock_system();
    bool done = false;
    int64_t longest = 0;

    for (uint64_t i = 0; i < N; i++) euis[i] = 0x70b3d57ed0000000 + (i * 0x9e3779b97f4a7c15u >> 24);
    int64_t started = fr_clock_mono_ms(clock);
    struct fr_bulk *bulk = bulk_of(f->store, 0x13, euis, N, false);
    int64_t planned = fr_clock_mono_ms(clock);
    while (!done) {
        int64_t t = fr_clock_mono_ms(clock);
        assert_int_equal(fr_bulk_step(bulk, 100, NULL, &done), FR_OK);
        if (fr_clock_mono_ms(clock) - t > longest) longest = fr_clock_mono_ms(clock) - t;
    }
    int64_t ended = fr_clock_mono_ms(clock);
    fr_bulk_free(bulk);
    uint64_t there = network_devices(f->store, 0x13);
    struct fr_store_info info;
    assert_int_equal(fr_store_read_info(f->store, &info), FR_OK);
    assert_int_equal(there, info.devices);
    print_message(
        "1,000,000 rows: plan %d ms, write %d ms, longest step %d ms, %.1f bytes a device\n",
        (int)(planned - started), (int)(ended - planned), (int)longest,
        (double)info.used / (double)there);
    /* Again, with another thousand: found the same, the rest added in place. */
    for (uint64_t i = 0; i < 1000; i++) euis[i] = i + 1;
    started = fr_clock_mono_ms(clock);
    bulk = bulk_of(f->store, 0x13, euis, N, false);
    for (done = false; !done;) assert_int_equal(fr_bulk_step(bulk, 100, NULL, &done), FR_OK);
    fr_bulk_free(bulk);
    print_message("again with 1,000 new ones: %d ms\n", (int)(fr_clock_mono_ms(clock) - started));
    assert_int_equal(network_devices(f->store, 0x13), there + 1000);
    free(euis);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rules_in_a_change),
        cmocka_unit_test(the_rules_in_a_bulk),
        STORE_TEST(a_dry_bulk_changes_nothing),
        STORE_TEST(too_many_for_one_change),
        STORE_TEST(a_first_import_appears_at_once),
        STORE_TEST(a_bulk_cut_short_is_known_and_repeatable),
        STORE_TEST(a_small_replacement_in_place),
        STORE_TEST(one_bulk_at_a_time),
        STORE_TEST(who_was_first_keeps_a_device),
        STORE_TEST(networks_that_change_hands_end_a_merge),
        STORE_TEST(a_million_devices),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
