/* store/release.h: a move takes two, has an end, and nothing but the device as it was. */
#include "support/unit.h"

#include "fixture.h"
#include "store/release.h"

#define EUI 0x70b3d57ed0000001

static struct fr_change *change_at(struct fixture *f, int64_t now_s)
{
    struct fr_change_by by = by_tester();
    struct fr_change *change = NULL;

    by.now_s = now_s;
    assert_int_equal(fr_store_change(f->store, &by, NULL, &change), FR_OK);
    return change;
}

static enum fr_err end(struct fr_change *change, enum fr_err err)
{
    if (err)
        fr_change_cancel(change);
    else
        commit_change(change);
    return err;
}

static enum fr_err put(struct fixture *f, uint32_t netid, const char *asker,
                       enum fr_device_mode mode, int64_t now_s)
{
    const uint64_t eui = EUI;
    struct fr_device_job job = {
        .netid = netid, .member = asker, .mode = mode, .euis = &eui, .n = 1};
    struct fr_device_report report;
    struct fr_change *change = change_at(f, now_s);

    return end(change, fr_device_apply(change, &job, NULL, &report));
}

static enum fr_err release(struct fixture *f, const char *by, const char *to, int64_t until_s)
{
    const uint64_t eui = EUI;
    struct fr_release_job job = {.by = by, .euis = &eui, .n = 1, .to = to, .until_s = until_s};
    struct fr_change *change = change_at(f, NOW);
    uint64_t count = 0;

    return end(change, fr_release_put(change, &job, NULL, &count));
}

static enum fr_err withdraw(struct fixture *f, const char *by)
{
    const uint64_t eui = EUI;
    struct fr_release_job job = {.by = by, .euis = &eui, .n = 1};
    struct fr_change *change = change_at(f, NOW);
    uint64_t count = 0;

    return end(change, fr_release_withdraw(change, &job, NULL, &count));
}

static enum fr_err count_one(void *data, const struct fr_release_row *row)
{
    assert_int_equal(row->deveui, EUI);
    ++*(size_t *)data;
    return FR_OK;
}

static size_t listed(struct fixture *f, const char *member, int64_t now_s)
{
    struct fr_snap *snap = begin_snap(f->store);
    size_t n = 0;

    assert_int_equal(fr_release_each(snap, member, now_s, count_one, &n), FR_OK);
    fr_snap_end(snap);
    return n;
}

static void a_move_takes_two(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(put(f, 0x13, "acme", FR_DEVICE_ADD, NOW), FR_OK);
    assert_int_equal(put(f, 0x2b, "bolt", FR_DEVICE_CLAIM, NOW), FR_E_NOT_FOUND);
    assert_int_equal(release(f, "bolt", "bolt", NOW + 60), FR_E_NOT_FOUND); /* not its own */
    assert_int_equal(release(f, "acme", "nobody", NOW + 60), FR_E_NOT_FOUND);
    assert_int_equal(release(f, "acme", "acme", NOW + 60), FR_E_INVALID);
    assert_int_equal(release(f, "acme", "bolt", NOW), FR_E_INVALID);
    assert_int_equal(release(f, "acme", "bolt", NOW + 2LL * FR_RELEASE_LONGEST_S), FR_E_INVALID);
    assert_int_equal(release(f, "acme", "bolt", NOW + 60), FR_OK);
    assert_int_equal(listed(f, "bolt", NOW), 1);
    assert_int_equal(listed(f, "acme", NOW), 1);
    assert_int_equal(listed(f, "other", NOW), 0);
    assert_int_equal(put(f, 0x2b, "bolt", FR_DEVICE_CLAIM, NOW + 59), FR_OK);
    assert_int_equal(device_netid(f->store, EUI), 0x2b);
    assert_int_equal(listed(f, NULL, NOW), 0); /* it is used up */
    assert_int_equal(put(f, 0x13, "acme", FR_DEVICE_CLAIM, NOW), FR_E_NOT_FOUND);
    assert_int_equal(put(f, 0x2b, "bolt", FR_DEVICE_CLAIM, NOW), FR_OK); /* its own already */
}

/* What becomes of a release when something else happens before the claim. */
static void a_release_ends(void **state)
{
    static const struct {
        const char *label;
        int64_t claimed_s;
        bool withdrawn, moved, hidden, removed;
        bool is_good;
    } rows[] = {
        {"nothing happens", NOW + 59, false, false, false, false, true},
        {"time", NOW + 60, false, false, false, false, false},
        {"withdrawn", NOW + 1, true, false, false, false, false},
        {"moved by its member", NOW + 1, false, true, false, false, false},
        {"hidden", NOW + 1, false, false, true, false, false},
        {"removed and back", NOW + 1, false, false, false, true, false},
    };
    struct fixture *f = *state;
    const uint64_t eui = EUI;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t n = 0;
        assert_int_equal(put(f, 0x13, NULL, FR_DEVICE_ADD, NOW), FR_OK);
        assert_int_equal(release(f, "acme", "bolt", NOW + 60), FR_OK);
        if (rows[i].withdrawn) assert_int_equal(withdraw(f, "bolt"), FR_E_NOT_FOUND);
        if (rows[i].withdrawn) assert_int_equal(withdraw(f, "acme"), FR_OK);
        if (rows[i].moved) assert_int_equal(put(f, 0x2a, "acme", FR_DEVICE_ADD, NOW), FR_OK);
        if (rows[i].hidden) {
            struct fr_change *change = begin_change(f->store);
            assert_int_equal(fr_device_set_hidden(change, &eui, 1, true, NULL, &n), FR_OK);
            commit_change(change);
        }
        if (rows[i].removed) {
            assert_int_equal(put(f, 0, "acme", FR_DEVICE_REMOVE, NOW), FR_OK);
            assert_int_equal(put(f, 0x13, "acme", FR_DEVICE_ADD, NOW), FR_OK);
        }
        enum fr_err err = put(f, 0x2b, "bolt", FR_DEVICE_ADD, rows[i].claimed_s);
        if (err != (rows[i].is_good ? FR_OK : FR_E_CONFLICT))
            fail_msg("%s: %s", rows[i].label, fr_err_text(err));
        assert_int_equal(put(f, 0, NULL, FR_DEVICE_REMOVE, NOW), FR_OK);
    }
}

static void what_is_over_is_swept_away(void **state)
{
    struct fixture *f = *state;
    struct fr_release_row row;
    uint64_t euis[600], count = 0;
    struct fr_device_report report;
    bool left = true;

    for (size_t i = 0; i < 600; i++) euis[i] = EUI + i;
    struct fr_device_job job = {.netid = 0x13, .mode = FR_DEVICE_ADD, .euis = euis, .n = 600};
    struct fr_change *change = begin_change(f->store);
    assert_int_equal(fr_device_apply(change, &job, NULL, &report), FR_OK);
    commit_change(change);
    struct fr_release_job most = {.euis = euis, .n = 599, .to = "bolt", .until_s = NOW + 60};
    struct fr_release_job last = {.euis = euis + 599, .n = 1, .to = "bolt", .until_s = NOW + 999};
    change = begin_change(f->store);
    assert_int_equal(fr_release_put(change, &most, NULL, &count), FR_OK);
    assert_int_equal(count, 599);
    assert_int_equal(fr_release_put(change, &last, NULL, &count), FR_OK);
    commit_change(change);

    change = change_at(f, NOW + 100);
    assert_int_equal(fr_release_sweep(change, 100, &left), FR_OK);
    assert_true(left);
    assert_int_equal(fr_release_sweep(change, 10000, &left), FR_OK);
    assert_false(left);
    commit_change(change);
    struct fr_snap *snap = begin_snap(f->store);
    assert_int_equal(fr_release_get(snap, EUI, &row), FR_E_NOT_FOUND);
    assert_int_equal(fr_release_get(snap, EUI + 599, &row), FR_OK);
    fr_snap_end(snap);
}

struct some {
    uint64_t last;
    size_t n, limit;
};

static enum fr_err take_some(void *data, const struct fr_release_row *row)
{
    struct some *some = data;

    assert_true(row->deveui > some->last);
    some->last = row->deveui;
    return ++some->n % some->limit == 0 ? FR_E_CLOSED : FR_OK;
}

/* A part ends with the callback's word or with its rows; the next one begins behind it; none is told twice. */
static void they_are_read_in_parts(void **state)
{
    struct fixture *f = *state;
    uint64_t euis[100], count = 0;
    struct fr_device_report report;
    struct fr_change *change = change_at(f, NOW);
    struct fr_device_job add = {.netid = 0x13, .mode = FR_DEVICE_ADD, .euis = euis, .n = 100};
    struct fr_release_job job = {.euis = euis, .n = 100, .to = "bolt", .until_s = NOW + 60};

    for (size_t i = 0; i < 100; i++) euis[i] = EUI + i;
    assert_int_equal(fr_device_apply(change, &add, NULL, &report), FR_OK);
    commit_change(change);
    change = change_at(f, NOW);
    assert_int_equal(fr_release_put(change, &job, NULL, &count), FR_OK);
    commit_change(change);
    struct fr_snap *snap = begin_snap(f->store);
    for (size_t rows = 3; rows <= 100; rows += 97) {
        struct some some = {.limit = 7};
        struct fr_release_part part = {0};
        size_t parts = 0;
        for (; !part.is_end; parts++) {
            part.rows = rows;
            assert_int_equal(fr_release_each_part(snap, "bolt", NOW, take_some, &some, &part),
                             FR_OK);
        }
        assert_int_equal(some.n, 100);
        assert_true(parts >= 100 / (rows < 7 ? rows : 7));
    }
    fr_snap_end(snap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(a_move_takes_two),
        STORE_TEST(a_release_ends),
        STORE_TEST(what_is_over_is_swept_away),
        STORE_TEST(they_are_read_in_parts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
