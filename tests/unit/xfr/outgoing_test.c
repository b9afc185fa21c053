#include "xfr/outgoing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "support/unit.h"
#include "unit/store/fixture.h"
#include "unit/store/joineuis.h"
#include "unit/xfr/secondary.h"

struct world {
    struct fixture *f;
    struct giver giver;
};

static void world_init(struct world *w, struct fixture *f)
{
    w->f = f;
    giver_init(&w->giver, f->store);
}

/* --- changes --- */

static void apply(struct fr_change *change, uint32_t netid, enum fr_device_mode mode,
                  const uint64_t *euis, size_t n)
{
    struct fr_device_report report;
    const struct fr_device_job job = {
        .netid = netid, .mode = mode, .euis = euis, .n = n, .keep_going = true};

    assert_int_equal(fr_device_apply(change, &job, NULL, &report), FR_OK);
}

static void suspend(struct fr_change *change, const char *id, enum fr_member_state state)
{
    struct fr_member_row row;

    assert_int_equal(fr_member_get(fr_change_snap(change), id, &row), FR_OK);
    row.state = state;
    assert_int_equal(fr_member_set(change, &row, NULL), FR_OK);
}

static unsigned pick(unsigned n)
{
    return (unsigned)(rand() % (int)n);
}

/* JoinEUIs inside of blocks, which come and go under them. */
static void change_joineui(struct fr_change *change)
{
    static const char *const prefixes[] = {"70b3d57ed0000000", "70b3d57ed0000001",
                                           "70b3d57ed0000000/48", "70b3d57000000000/28"};
    static const char *const servers[][3] = {
        {"https://192.0.2.1:8443", "https://js.acme.example"}, {"http://192.0.2.2"}, {NULL}};
    const struct fr_joineui_row row = joineui_row(prefixes[pick(4)], "acme", servers[pick(3)]);

    if (pick(3))
        assert_int_equal(fr_joineui_put(change, &row, NULL), FR_OK);
    else
        (void)fr_joineui_remove(change, row.base, row.nibbles, NULL);
}

/* Rare ones make the whole zone necessary. */
static void change_something(struct fixture *f, bool has_rare)
{
    static const uint32_t netids[] = {0x13, 0x2a, 0x2b};
    struct fr_change *change = begin_change(f->store);
    uint64_t euis[3];
    struct fr_addr endpoints[2] = {addr("192.0.2.1:8005"), addr("[2001:db8::1]:8006")};
    bool is_suspended = false;

    for (size_t i = 0; i < 3; i++) euis[i] = 0x1000 + pick(60);
    switch (pick(has_rare ? 10 : 8)) {
    case 0:
    case 1:
    case 2: apply(change, netids[pick(3)], FR_DEVICE_ADD, euis, 3); break;
    case 3: apply(change, netids[pick(3)], FR_DEVICE_MOVE, euis, 2); break;
    case 4: apply(change, 0, FR_DEVICE_REMOVE, euis, 2); break;
    case 5: {
        uint64_t changed;
        (void)fr_device_set_hidden(change, euis, 1, pick(2) == 0, NULL, &changed);
        break;
    }
    case 6:
        endpoints[0].port = (uint16_t)(8000 + pick(4));
        assert_int_equal(
            fr_network_set_endpoints(change, netids[pick(3)], endpoints, pick(3), NULL), FR_OK);
        break;
    case 7: change_joineui(change); break;
    default:
        is_suspended = pick(2) == 0;
        suspend(change, "bolt", is_suspended ? FR_MEMBER_SUSPENDED : FR_MEMBER_ACTIVE);
        break;
    }
    commit_change(change);
}

/* --- tests --- */

static void secondaries_stay_exact(void **state)
{
    struct world w;
    struct secondary often = {0}, seldom = {0};
    struct set want = {0};
    unsigned kinds[3] = {0};
    const int steps = getenv("FR_LONG") ? 20000 : 250;

    world_init(&w, *state);
    srand(11);
    for (int i = 0; i < steps; i++) {
        change_something(w.f, i % 10 == 9);
        if (i % 60 == 59) giver_restart(&w.giver); /* a restart */
        kinds[take(&w.giver, NOW, &often, 512 + pick(2000), NULL, NULL)]++;
        oracle(&w.giver, NOW, &want);
        assert_same_set(&often.set, &want, "often");
        if (i % 17 != 16) continue;
        take(&w.giver, NOW, &seldom, 16384, NULL, NULL);
        assert_same_set(&seldom.set, &want, "seldom");
    }
    assert_true(kinds[FR_OUTGOING_CHANGES] > (unsigned)steps / 3);
    assert_true(kinds[FR_OUTGOING_FULL] > 1);
    set_clear(&want);
    set_clear(&often.set);
    set_clear(&seldom.set);
    giver_restart(&w.giver);
}

#define MANY 9000

static void fill(struct world *w)
{
    static uint64_t euis[MANY];
    struct fr_change *change = begin_change(w->f->store);

    for (size_t i = 0; i < MANY; i++) euis[i] = 0x100 + 2 * i;
    apply(change, 0x13, FR_DEVICE_ADD, euis, MANY);
    commit_change(change);
}

/* Before, at and behind the place where the slices are; the registry, too. */
static void change_between(void *data, unsigned message)
{
    struct world *w = data;
    struct fr_change *change = begin_change(w->f->store);
    uint64_t euis[8], changed;

    for (size_t i = 0; i < 8; i++) euis[i] = 0x100 + pick(2 * MANY);
    apply(change, 0x2a, FR_DEVICE_ADD, euis, 4);
    apply(change, 0, FR_DEVICE_REMOVE, euis + 4, 4);
    euis[0] = 0x100 + 2 * (uint64_t)message;
    (void)fr_device_set_hidden(change, euis, 1, true, NULL, &changed);
    if (message == 3) suspend(change, "acme", FR_MEMBER_SUSPENDED);
    if (message == 5) suspend(change, "acme", FR_MEMBER_ACTIVE);
    commit_change(change);
}

static void a_zone_that_changes_while_it_is_sent(void **state)
{
    struct world w;
    struct secondary to = {0};
    struct set want = {0};

    world_init(&w, *state);
    srand(5);
    fill(&w);
    oracle(&w.giver, NOW, &want);
    assert_int_equal(take(&w.giver, NOW, &to, 16384, change_between, &w), FR_OUTGOING_FULL);
    assert_same_set(&to.set, &want, "as announced");
    /* and from there the changes are exact */
    oracle(&w.giver, NOW, &want);
    assert_int_equal(take(&w.giver, NOW, &to, 16384, NULL, NULL), FR_OUTGOING_CHANGES);
    assert_same_set(&to.set, &want, "after");
    assert_int_equal(take(&w.giver, NOW, &to, 16384, NULL, NULL), FR_OUTGOING_CURRENT);
    set_clear(&want);
    set_clear(&to.set);
    giver_restart(&w.giver);
}

static void run_bulk(struct fixture *f, bool is_whole)
{
    static uint64_t euis[MANY];
    const struct fr_change_by by = by_tester();
    struct fr_bulk *bulk = NULL;
    bool done = false;
    const struct fr_device_job job = {
        .netid = 0x2a, .mode = FR_DEVICE_ADD, .euis = euis, .n = is_whole ? MANY : 40};

    for (size_t i = 0; i < MANY; i++) euis[i] = 0x900000 + i;
    assert_int_equal(fr_bulk_new(f->store, &job, &by, NULL, &bulk), FR_OK);
    while (!done) assert_int_equal(fr_bulk_step(bulk, 1000, NULL, &done), FR_OK);
    fr_bulk_free(bulk);
}

static void bulks_need_the_whole_zone(void **state)
{
    struct world w;
    struct secondary to = {0};
    struct set want = {0};
    struct fr_outgoing *outgoing = NULL;
    static uint8_t memory[16384];
    enum fr_err err = FR_OK;
    bool done = false;
    size_t n;

    world_init(&w, *state);
    fill(&w);
    take(&w.giver, NOW, &to, 16384, NULL, NULL);
    run_bulk(w.f, false);
    assert_int_equal(take(&w.giver, NOW, &to, 16384, NULL, NULL), FR_OUTGOING_FULL);
    oracle(&w.giver, NOW, &want);
    assert_same_set(&to.set, &want, "behind a bulk");
    /* one that ends while the zone is being sent ends the transfer */
    assert_int_equal(give_begin(&w.giver, NOW, FR_DNS_AXFR, 0, &outgoing), FR_OK);
    assert_int_equal(fr_outgoing_next(outgoing, memory, sizeof memory, &n, &done), FR_OK);
    run_bulk(w.f, true);
    while (!err && !done) err = fr_outgoing_next(outgoing, memory, sizeof memory, &n, &done);
    assert_int_equal(err, FR_E_CONFLICT);
    fr_outgoing_free(outgoing);
    set_clear(&want);
    set_clear(&to.set);
    giver_restart(&w.giver);
}

/* While a bulk in place is under way, what stands in the table has no serial. */
static void nothing_is_sent_during_a_bulk_in_place(void **state)
{
    struct world w;
    struct secondary to = {0};
    static uint64_t euis[600];
    const struct fr_change_by by = by_tester();
    struct fr_bulk *bulk = NULL;
    struct fr_outgoing *outgoing = NULL;
    struct fr_bulk_pending pending;
    bool done = false, was_busy = false;
    const struct fr_device_job job = {
        .netid = 0x2b, .mode = FR_DEVICE_ADD, .euis = euis, .n = sizeof euis / sizeof euis[0]};

    world_init(&w, *state);
    fill(&w);
    for (size_t i = 0; i < job.n; i++) euis[i] = 0x800000 + i;
    assert_int_equal(fr_bulk_new(w.f->store, &job, &by, NULL, &bulk), FR_OK);
    while (!done) {
        assert_int_equal(fr_bulk_step(bulk, 0, NULL, &done), FR_OK);
        struct fr_snap *snap = begin_snap(w.f->store);
        const bool is_pending = fr_bulk_find_pending(snap, &pending) == FR_OK;
        fr_snap_end(snap);
        const enum fr_err err = give_begin(&w.giver, NOW, FR_DNS_AXFR, 0, &outgoing);
        assert_int_equal(err, is_pending ? FR_E_BUSY : FR_OK);
        was_busy = was_busy || is_pending;
        if (!err) fr_outgoing_free(outgoing);
    }
    assert_true(was_busy);
    fr_bulk_free(bulk);
    take(&w.giver, NOW, &to, 16384, NULL, NULL);
    set_clear(&to.set);
    giver_restart(&w.giver);
}

static void serials_of_strangers(void **state)
{
    struct world w;
    struct fr_outgoing *outgoing = NULL;
    struct fr_snap *snap;

    world_init(&w, *state);
    change_something(w.f, false);
    snap = begin_snap(w.f->store);
    const uint32_t now = (uint32_t)fr_snap_sequence(snap);
    fr_snap_end(snap);
    const struct {
        const char *label;
        uint32_t have;
        enum fr_outgoing_kind kind;
    } rows[] = {
        {"the same", now, FR_OUTGOING_CURRENT},
        {"a later one", now + 1, FR_OUTGOING_CURRENT},
        {"much later", now + 0x7ffffffe, FR_OUTGOING_CURRENT},
        {"before there was anything", now - 1000, FR_OUTGOING_FULL},
        {"half the circle behind", now - 0x7fffffff, FR_OUTGOING_FULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(give_begin(&w.giver, NOW, FR_DNS_IXFR, rows[i].have, &outgoing), FR_OK);
        if (fr_outgoing_kind(outgoing) != rows[i].kind) fail_msg("%s", rows[i].label);
        fr_outgoing_free(outgoing);
    }
    giver_restart(&w.giver);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(secondaries_stay_exact),    STORE_TEST(a_zone_that_changes_while_it_is_sent),
        STORE_TEST(bulks_need_the_whole_zone), STORE_TEST(nothing_is_sent_during_a_bulk_in_place),
        STORE_TEST(serials_of_strangers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
