/* store/conflict.h: second claims are remembered, a bounded number of them. */
#include "support/unit.h"

#include "fixture.h"
#include "store/conflict.h"
#include "unit/store/joineuis.h"

#define EUI 0x70b3d57ed0000000

static void add_devices(struct fixture *f, uint32_t netid, uint64_t from, size_t n)
{
    uint64_t euis[FR_CONFLICTS_AT_ONCE];
    struct fr_device_report report;
    struct fr_change *change = begin_change(f->store);

    for (size_t i = 0; i < n; i++) euis[i] = from + i;
    struct fr_device_job job = {.netid = netid, .mode = FR_DEVICE_ADD, .euis = euis, .n = n};
    assert_int_equal(fr_device_apply(change, &job, NULL, &report), FR_OK);
    commit_change(change);
}

static void note(struct fixture *f, uint32_t netid, uint64_t from, size_t n, int64_t now_s)
{
    uint64_t euis[FR_CONFLICTS_AT_ONCE];
    struct fr_change_by by = by_tester();
    struct fr_change *change = NULL;

    by.now_s = now_s;
    for (size_t i = 0; i < n; i++) euis[i] = from + i;
    assert_int_equal(fr_store_change(f->store, &by, NULL, &change), FR_OK);
    assert_int_equal(fr_conflict_note(change, netid, euis, n), FR_OK);
    commit_change(change);
}

struct seen {
    size_t n;
    uint64_t lowest;
    struct fr_conflict_row last;
};

static enum fr_err see(void *data, const struct fr_conflict_row *row)
{
    struct seen *seen = data;

    if (seen->n++ == 0) seen->lowest = row->eui;
    seen->last = *row;
    return FR_OK;
}

static struct seen look(struct fixture *f, const char *member)
{
    struct fr_snap *snap = begin_snap(f->store);
    struct seen seen = {0};

    assert_int_equal(fr_conflict_each(snap, member, see, &seen), FR_OK);
    fr_snap_end(snap);
    return seen;
}

static void a_second_claim_is_remembered(void **state)
{
    struct fixture *f = *state;

    add_devices(f, 0x13, EUI, 2);
    note(f, 0x2b, EUI, 1, NOW);
    note(f, 0x2b, EUI, 1, NOW + 5);
    note(f, 0x2a, EUI, 1, NOW);      /* the same member's: nothing */
    note(f, 0x2b, EUI + 99, 1, NOW); /* nobody's: nothing */
    note(f, 0x99, EUI, 1, NOW);      /* nobody claims */
    struct seen seen = look(f, NULL);
    assert_int_equal(seen.n, 1);
    assert_string_equal(seen.last.claimant, "bolt");
    assert_string_equal(seen.last.owner, "acme");
    assert_int_equal(seen.last.netid, 0x2b);
    assert_int_equal(seen.last.count, 2);
    assert_int_equal(seen.last.first_s, NOW);
    assert_int_equal(seen.last.last_s, NOW + 5);
    assert_int_equal(look(f, "acme").n, 1);
    assert_int_equal(look(f, "bolt").n, 1);
    assert_int_equal(look(f, "third").n, 0);

    uint64_t count = 0;
    struct fr_change *change = begin_change(f->store);
    assert_int_equal(fr_conflict_forget(change, EUI + 1, &count), FR_OK);
    assert_int_equal(count, 0);
    assert_int_equal(fr_conflict_forget(change, EUI, &count), FR_OK);
    assert_int_equal(count, 1);
    commit_change(change);
    note(f, 0x2b, EUI, 2, NOW);
    change = begin_change(f->store);
    assert_int_equal(fr_conflict_forget_member(change, "bolt", &count), FR_OK);
    assert_int_equal(count, 2);
    commit_change(change);
    assert_int_equal(look(f, NULL).n, 0);
}

/* Of a JoinEUI: beside those of a device with the same digits, and by the member alone. */
static void claims_of_joineuis(void **state)
{
    struct fixture *f = *state;
    static const char *const none[3] = {NULL};
    const struct fr_joineui_row row = joineui_row("70b3d57ed0000000/40", "acme", none);
    struct fr_change *change = begin_change(f->store);

    assert_int_equal(fr_joineui_put(change, &row, NULL), FR_OK);
    assert_int_equal(fr_conflict_note_joineui(change, "bolt", EUI + 1, 16), FR_OK);
    assert_int_equal(fr_conflict_note_joineui(change, "bolt", EUI + 1, 16), FR_OK);
    assert_int_equal(fr_conflict_note_joineui(change, "bolt", 0x70b3d57e00000000, 8), FR_OK);
    assert_int_equal(fr_conflict_note_joineui(change, "bolt", 0x80b3d57e00000000, 8), FR_OK);
    assert_int_equal(fr_conflict_note_joineui(change, "acme", EUI + 1, 16), FR_OK);
    commit_change(change);
    struct seen seen = look(f, "acme");
    assert_int_equal(seen.n, 2);
    assert_int_equal(seen.last.eui, EUI + 1);
    assert_int_equal(seen.last.nibbles, 16);
    assert_int_equal(seen.last.count, 2);
    assert_string_equal(seen.last.claimant, "bolt");
    assert_string_equal(seen.last.owner, "acme");
    add_devices(f, 0x13, EUI + 1, 1);
    note(f, 0x2b, EUI + 1, 1, NOW);
    seen = look(f, "bolt");
    assert_int_equal(seen.n, 3);
    assert_int_equal(seen.last.nibbles, 0);
    assert_int_equal(seen.last.count, 1);
}

static void the_oldest_go_when_there_is_no_room(void **state)
{
    struct fixture *f = *state;
    const uint64_t newer = EUI; /* lower EUIs are claimed later: it is not the order of the table */

    for (unsigned i = 0; i <= FR_CONFLICTS_MAX / FR_CONFLICTS_AT_ONCE; i++) {
        unsigned up = FR_CONFLICTS_MAX / FR_CONFLICTS_AT_ONCE - i;
        uint64_t from = newer + (uint64_t)up * FR_CONFLICTS_AT_ONCE;
        add_devices(f, 0x13, from, FR_CONFLICTS_AT_ONCE);
        note(f, 0x2b, from, FR_CONFLICTS_AT_ONCE, NOW + (int64_t)i);
    }
    struct seen seen = look(f, NULL);
    assert_true(seen.n <= FR_CONFLICTS_MAX);
    assert_true(seen.n >= FR_CONFLICTS_MAX - FR_CONFLICTS_MAX / 8);
    assert_int_equal(seen.lowest, newer);
    assert_true(seen.last.first_s <= NOW + 1);
    /* everything of the last round is there */
    size_t n = 0;
    struct fr_snap *snap = begin_snap(f->store);
    struct seen all = {0};
    assert_int_equal(fr_conflict_each(snap, "bolt", see, &all), FR_OK);
    fr_snap_end(snap);
    n = all.n;
    note(f, 0x2b, newer, FR_CONFLICTS_AT_ONCE, NOW + 100); /* all there: none is added */
    assert_int_equal(look(f, NULL).n, n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(a_second_claim_is_remembered),
        STORE_TEST(claims_of_joineuis),
        STORE_TEST(the_oldest_go_when_there_is_no_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
