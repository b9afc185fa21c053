#include "answer/node.h"

#include "unit/answer/fixture.h"

static const struct {
    const char *label;
    struct fr_owner owner;
    bool exists;
    size_t rows; /* standing at that very name */
} ROWS[] = {
    {"apex", {.kind = FR_OWNER_APEX}, true, 2},
    {"device", {.kind = FR_OWNER_DEVEUI, .eui = 0x70b3d57ed0000001}, true, 1},
    {"no device", {.kind = FR_OWNER_DEVEUI, .eui = 1}, false, 0},
    {"network", {.kind = FR_OWNER_NETID, .netid = 0x13}, true, 3},
    {"network without endpoint", {.kind = FR_OWNER_NETID, .netid = 0x2a}, true, 1},
    {"no network", {.kind = FR_OWNER_NETID, .netid = 0x14}, false, 0},
    {"service", {.kind = FR_OWNER_SERVICE, .netid = 0x13}, true, 2},
    {"no service", {.kind = FR_OWNER_SERVICE, .netid = 0x2a}, false, 0},
    {"pins", {.kind = FR_OWNER_TLSA, .netid = 0x13}, true, 1},
    {"no pins", {.kind = FR_OWNER_TLSA, .netid = 0x20}, false, 0},
    {"port", {.kind = FR_OWNER_PORT, .netid = 0x13, .number = 8006}, true, 1},
    {"other port", {.kind = FR_OWNER_PORT, .netid = 0x13, .number = 8007}, false, 0},
    {"endpoint", {.kind = FR_OWNER_ENDPOINT, .netid = 0x13, .number = 2}, true, 1},
    {"no endpoint", {.kind = FR_OWNER_ENDPOINT, .netid = 0x13, .number = 3}, false, 0},
    {"_tcp", {.kind = FR_OWNER_NETID_TCP, .netid = 0x13}, true, 0},
    {"_tcp without endpoint", {.kind = FR_OWNER_NETID_TCP, .netid = 0x2a}, false, 0},
    {"above devices", {.kind = FR_OWNER_DEVEUI_ROOT}, true, 0},
    {"above networks", {.kind = FR_OWNER_NETID_ROOT}, true, 0},
    {"above join servers", {.kind = FR_OWNER_JOINEUI_ROOT}, false, 0},
    {"join server", {.kind = FR_OWNER_JOINEUI, .eui = 1}, false, 0},
    {"public face", {.kind = FR_OWNER_BROKER}, false, 0},
};

static struct fr_asker asker_new(struct fixture *f)
{
    struct fr_asker asker = {.member = "beta"};

    assert_int_equal(fr_sight_new(&asker.sight), FR_OK);
    assert_int_equal(fr_sight_refresh(asker.sight, f->snap), FR_OK);
    return asker;
}

static void names(void **state)
{
    struct fixture *f = *state;
    static struct fr_zone_node node;
    struct fr_asker asker = asker_new(f);

    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        size_t at = 0, n = 0;
        assert_int_equal(fr_zone_node_load(&node, f->snap, &asker, &ROWS[i].owner, NOW), FR_OK);
        while (fr_zone_node_next(&node, &ROWS[i].owner, 0, &at) != NULL) n++;
        if (node.exists != ROWS[i].exists || n != ROWS[i].rows)
            fail_msg("%s: exists %d, %zu rows", ROWS[i].label, node.exists, n);
    }
    fr_sight_free(asker.sight);
}

static void by_type(void **state)
{
    struct fixture *f = *state;
    const struct fr_owner owner = {.kind = FR_OWNER_NETID, .netid = 0x13};
    static struct fr_zone_node node;
    struct fr_asker asker = asker_new(f);
    size_t at = 0;

    assert_int_equal(fr_zone_node_load(&node, f->snap, &asker, &owner, NOW), FR_OK);
    const struct fr_record *row = fr_zone_node_next(&node, &owner, FR_RECORD_AAAA, &at);
    assert_non_null(row);
    assert_int_equal(row->type, FR_RECORD_AAAA);
    assert_true(fr_owner_equal(&row->owner, &owner));
    assert_null(fr_zone_node_next(&node, &owner, FR_RECORD_AAAA, &at));
    fr_sight_free(asker.sight);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(names, fixture_new, fixture_free),
        cmocka_unit_test_setup_teardown(by_type, fixture_new, fixture_free),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
