/* store/sight.h: a damaged row takes its own devices away and nobody else's; zone check names it. */
#include "db/txn.h"
#include "fixture.h"
#include "store/check.h"
#include "store/sight.h"
#include "store/tables.h"

#define ACME 0x70b3d57ed0000001
#define BOLT 0x70b3d57ed0000002

static void add(struct fixture *f, uint32_t netid, uint64_t eui)
{
    struct fr_device_job job = {.netid = netid, .mode = FR_DEVICE_ADD, .euis = &eui, .n = 1};
    struct fr_device_report report;
    struct fr_change *change = begin_change(f->store);

    assert_int_equal(fr_device_apply(change, &job, NULL, &report), FR_OK);
    commit_change(change);
}

/* What a fault of the disk might leave: half of the row. A change of standing follows, so that everybody looks again. */
static void damage(struct fixture *f, uint32_t table, struct fr_span key)
{
    struct fr_change *change = begin_change(f->store);
    uint8_t half[16];
    struct fr_span value;

    assert_int_equal(fr_txn_get(fr_change_txn(change), table, key, &value), FR_OK);
    assert_true(value.n > sizeof half);
    memcpy(half, value.p, sizeof half);
    assert_int_equal(fr_txn_put(fr_change_txn(change), table, key, fr_span(half, sizeof half)),
                     FR_OK);
    assert_int_equal(fr_policy_set(change, FR_POLICY_TTL_DEVEUI, "2h", NULL), FR_OK);
    commit_change(change);
}

static void sees(struct fixture *f, enum fr_err acme, enum fr_err bolt, unsigned damaged)
{
    struct fr_snap *snap = begin_snap(f->store);
    struct fr_sight *sight = NULL;
    uint32_t netid = 0;

    assert_int_equal(fr_sight_new(&sight), FR_OK);
    assert_int_equal(fr_sight_refresh(sight, snap), FR_OK);
    assert_int_equal(fr_sight_device(sight, snap, "bolt", ACME, &netid), acme);
    assert_int_equal(fr_sight_device(sight, snap, "bolt", BOLT, &netid), bolt);
    assert_int_equal(fr_sight_damaged(sight), damaged);
    fr_sight_free(sight);
    fr_snap_end(snap);
}

static void note(void *data, const struct fr_finding *finding)
{
    if (finding->kind == FR_FINDING_DAMAGE && strstr(finding->what, "cannot be read"))
        strcpy(data, finding->what);
}

static void finding(struct fixture *f, const char *what)
{
    struct fr_snap *snap = begin_snap(f->store);
    struct fr_check_report report;
    char told[FR_FINDING_WHAT] = "";

    assert_int_equal(fr_check_store(snap, note, told, &report), FR_OK);
    if (strstr(told, what) == NULL) fail_msg("%s: %s", what, told);
    assert_true(report.damages > 0);
    fr_snap_end(snap);
}

static void a_damaged_network_takes_only_its_own_away(void **state)
{
    static const uint8_t netid[] = {0, 0, 0x13};
    struct fixture *f = *state;

    add(f, 0x13, ACME);
    add(f, 0x2b, BOLT);
    sees(f, FR_OK, FR_OK, 0);
    damage(f, FR_TABLE_NETWORKS, fr_span(netid, sizeof netid));
    sees(f, FR_E_NOT_FOUND, FR_OK, 1);
    finding(f, "NetID 000013");
}

static void a_damaged_member_takes_only_its_own_away(void **state)
{
    struct fixture *f = *state;

    add(f, 0x13, ACME);
    add(f, 0x2b, BOLT);
    damage(f, FR_TABLE_MEMBERS, FR_SPAN_LIT("acme"));
    sees(f, FR_E_NOT_FOUND, FR_OK, 1);
    finding(f, "member acme");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(a_damaged_network_takes_only_its_own_away),
        STORE_TEST(a_damaged_member_takes_only_its_own_away),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
