#include "store/visibility.h"

#include "base/mem.h"
#include "store/check.h"
#include "store/sight.h"

#include "fixture.h"

#include <stdio.h>

static const uint64_t acmes = 0x70b3d57ed0000001, bolts = 0x70b3d57ed0000002;

static void add_device(struct fr_change *change, uint32_t netid, uint64_t eui)
{
    struct fr_device_job job = {.netid = netid, .mode = FR_DEVICE_ADD, .euis = &eui, .n = 1};
    struct fr_device_report report;

    assert_int_equal(fr_device_apply(change, &job, NULL, &report), FR_OK);
}

static void fill(struct fr_store *store)
{
    struct fr_change *change = begin_change(store);

    add_member(change, "cord"); /* holds nothing */
    add_device(change, 0x13, acmes);
    add_device(change, 0x2b, bolts);
    commit_change(change);
}

static enum fr_err allow(struct fr_store *store, const char *home, const char *visited)
{
    struct fr_change *change = begin_change(store);

    enum fr_err err = fr_visibility_allow(change, home, visited, NULL);
    commit_change(change);
    return err;
}

static enum fr_err note_pair(void *data, const struct fr_visibility_row *row)
{
    strcat(strcat(strcat(strcat(data, row->home), ">"), row->visited), " ");
    return FR_OK;
}

static void assert_grants(struct fr_store *store, const char *want)
{
    struct fr_snap *snap = begin_snap(store);
    char text[256] = "";

    assert_int_equal(fr_visibility_each(snap, note_pair, text), FR_OK);
    assert_string_equal(text, want);
    fr_snap_end(snap);
}

static void grants_are_pairs_of_members(void **state)
{
    struct fixture *f = *state;
    struct fr_visibility_row row;

    fill(f->store);
    assert_int_equal(allow(f->store, "acme", "bolt"), FR_OK);
    assert_int_equal(allow(f->store, "acme", "bolt"), FR_OK);
    assert_int_equal(allow(f->store, "acme", "acme"), FR_E_INVALID);
    assert_int_equal(allow(f->store, "acme", "nobody"), FR_E_NOT_FOUND);
    assert_int_equal(allow(f->store, "nobody", "acme"), FR_E_NOT_FOUND);
    assert_int_equal(allow(f->store, "bolt", "cord"), FR_OK);
    assert_grants(f->store, "acme>bolt bolt>cord ");
    struct fr_snap *snap = begin_snap(f->store);
    assert_int_equal(fr_visibility_get(snap, "acme", "bolt", &row), FR_OK);
    assert_int_equal(row.since_s, NOW);
    assert_int_equal(fr_visibility_get(snap, "bolt", "acme", &row), FR_E_NOT_FOUND);
    assert_int_equal(
        fr_visibility_get(snap, "a-name-that-is-far-too-long-for-any-member", "acme", &row),
        FR_E_NOT_FOUND);
    fr_snap_end(snap);

    struct fr_change *change = begin_change(f->store);
    assert_int_equal(fr_visibility_deny(change, "acme", "cord", NULL), FR_OK); /* was not there */
    assert_true(fr_change_is_empty(change));
    assert_int_equal(fr_visibility_forget(change, "bolt"), FR_OK);
    commit_change(change);
    assert_grants(f->store, "");
}

/* acme and bolt hold networks, cord does not: acme is seen by two, bolt by two. */
static void pairs_are_counted(void **state)
{
    struct fixture *f = *state;
    struct fr_visibility_pairs pairs;
    struct fr_member_row cord = {.id = "cord", .state = FR_MEMBER_SUSPENDED};

    fill(f->store);
    assert_int_equal(allow(f->store, "acme", "bolt"), FR_OK);
    assert_int_equal(allow(f->store, "acme", "cord"), FR_OK);
    assert_int_equal(allow(f->store, "cord", "acme"), FR_OK); /* nothing to see there */
    struct fr_snap *snap = begin_snap(f->store);
    assert_int_equal(fr_visibility_count(snap, &pairs), FR_OK);
    assert_int_equal(pairs.all, 4);
    assert_int_equal(pairs.granted, 2);
    fr_snap_end(snap);

    struct fr_change *change = begin_change(f->store);
    assert_int_equal(fr_member_set(change, &cord, NULL), FR_OK);
    commit_change(change);
    snap = begin_snap(f->store);
    assert_int_equal(fr_visibility_count(snap, &pairs), FR_OK);
    assert_int_equal(pairs.all, 2);
    assert_int_equal(pairs.granted, 1);
    fr_snap_end(snap);
}

/* What is explained is what is seen. */
static void assert_sight(struct fr_store *store, const char *member, uint64_t eui,
                         enum fr_sighting want)
{
    struct fr_snap *snap = begin_snap(store);
    struct fr_sight *sight = NULL;
    enum fr_sighting got;
    uint32_t netid = 0;

    assert_int_equal(fr_visibility_explain(snap, eui, member, &got), FR_OK);
    if (got != want) fail_msg("%s: %s", member, fr_sighting_text(got));
    assert_int_equal(fr_sight_new(&sight), FR_OK);
    assert_int_equal(fr_sight_refresh(sight, snap), FR_OK);
    enum fr_err err = fr_sight_device(sight, snap, member, eui, &netid);
    assert_int_equal(err, want == FR_SIGHT_SEEN ? FR_OK : FR_E_NOT_FOUND);
    assert_int_equal(netid, want != FR_SIGHT_SEEN ? 0 : eui == acmes ? 0x13 : 0x2b);
    assert_int_equal(fr_sight_device_ttl(sight), 3600);
    fr_sight_free(sight);
    fr_snap_end(snap);
}

static void sight_follows_the_rules(void **state)
{
    struct fixture *f = *state;
    struct fr_member_row acme = {.id = "acme", .state = FR_MEMBER_SUSPENDED};
    uint64_t changed = 0;

    fill(f->store);
    assert_sight(f->store, "cord", acmes, FR_SIGHT_SEEN);
    assert_sight(f->store, "cord", 0x99, FR_SIGHT_NO_DEVICE);
    struct fr_change *change = begin_change(f->store);
    assert_int_equal(fr_policy_set(change, FR_POLICY_VISIBILITY, "granted", NULL), FR_OK);
    commit_change(change);
    assert_sight(f->store, "acme", acmes, FR_SIGHT_SEEN);
    assert_sight(f->store, "cord", acmes, FR_SIGHT_NOT_GRANTED);
    assert_sight(f->store, "", acmes, FR_SIGHT_NOT_GRANTED);
    assert_int_equal(allow(f->store, "acme", "cord"), FR_OK);
    assert_sight(f->store, "cord", acmes, FR_SIGHT_SEEN);
    assert_sight(f->store, "cord", bolts, FR_SIGHT_NOT_GRANTED);
    assert_sight(f->store, "bolt", acmes, FR_SIGHT_NOT_GRANTED);

    change = begin_change(f->store);
    assert_int_equal(fr_device_set_hidden(change, &acmes, 1, true, NULL, &changed), FR_OK);
    assert_int_equal(changed, 1);
    assert_int_equal(fr_device_set_hidden(change, &acmes, 1, true, NULL, &changed), FR_OK);
    assert_int_equal(changed, 0);
    const uint64_t nobodys = 0x99;
    assert_int_equal(fr_device_set_hidden(change, &nobodys, 1, true, NULL, &changed),
                     FR_E_NOT_FOUND);
    commit_change(change);
    assert_sight(f->store, "cord", acmes, FR_SIGHT_HIDDEN);
    assert_sight(f->store, "acme", acmes, FR_SIGHT_HIDDEN);
    assert_int_equal(network_devices(f->store, 0x13), 1); /* it is still there */

    change = begin_change(f->store);
    assert_int_equal(fr_member_set(change, &acme, NULL), FR_OK);
    commit_change(change);
    assert_sight(f->store, "cord", acmes, FR_SIGHT_SUSPENDED);
}

/* The tables are made anew when they must be, and only then: a failing allocation shows it. */
static void tables_follow_the_standing(void **state)
{
    struct fixture *f = *state;
    struct fr_sight *sight = NULL;
    uint32_t netid = 0;

    fill(f->store);
    struct fr_snap *snap = begin_snap(f->store);
    assert_int_equal(fr_sight_new(&sight), FR_OK);
    assert_int_not_equal(fr_sight_device(sight, snap, "acme", acmes, &netid), FR_OK);
    assert_int_equal(fr_sight_refresh(sight, snap), FR_OK);
    uint64_t standing = fr_snap_standing(snap);

    struct fr_change *change = begin_change(f->store);
    add_device(change, 0x2b, 0x77);
    commit_change(change);
    fr_snap_reset(snap);
    assert_int_equal(fr_snap_renew(snap), FR_OK);
    assert_int_equal(fr_snap_standing(snap), standing); /* devices do not move it */
    fr_mem_fail_nth(1);
    assert_int_equal(fr_sight_refresh(sight, snap), FR_OK);
    fr_mem_fail_nth(0);
    assert_int_equal(fr_sight_device(sight, snap, "acme", 0x77, &netid), FR_OK);

    assert_int_equal(allow(f->store, "acme", "bolt"), FR_OK);
    fr_snap_reset(snap);
    assert_int_equal(fr_snap_renew(snap), FR_OK);
    assert_true(fr_snap_standing(snap) > standing);
    for (unsigned nth = 1;; nth++) {
        fr_mem_fail_nth(nth);
        enum fr_err err = fr_sight_refresh(sight, snap);
        fr_mem_fail_nth(0);
        if (err == FR_OK) break;
        assert_int_equal(err, FR_E_NOMEM);
        /* what was true before must not be answered from */
        assert_int_equal(fr_sight_device(sight, snap, "acme", acmes, &netid), FR_E_NOMEM);
    }
    assert_int_equal(fr_sight_device(sight, snap, "acme", acmes, &netid), FR_OK);
    fr_sight_free(sight);
    fr_snap_end(snap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(grants_are_pairs_of_members),
        STORE_TEST(pairs_are_counted),
        STORE_TEST(sight_follows_the_rules),
        STORE_TEST(tables_follow_the_standing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
