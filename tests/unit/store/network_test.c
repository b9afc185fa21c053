#include "store/network.h"

#include "fixture.h"

static void a_netid_has_one_holder(void **state)
{
    struct fixture *f = *state;
    struct fr_change *change = begin_change(f->store);
    struct fr_diag diag = {0};

    assert_int_equal(fr_network_add(change, 0x13, "bolt", &diag), FR_E_CONFLICT);
    assert_non_null(strstr(diag.what, "acme"));
    assert_int_equal(fr_network_add(change, 0x13, "acme", &diag), FR_OK);
    assert_int_equal(fr_network_add(change, 0x14, "none", &diag), FR_E_NOT_FOUND);
    assert_int_equal(fr_network_add(change, 0, "acme", &diag), FR_E_INVALID);
    assert_int_equal(fr_network_add(change, 1, "acme", &diag), FR_E_INVALID);
    assert_int_equal(fr_network_add(change, 0x400, "acme", &diag),
                     FR_E_INVALID); /* RFU bits of type 0 */
    assert_int_equal(fr_network_add(change, 0x1000000, "acme", &diag), FR_E_INVALID);
    assert_true(fr_change_is_empty(change));
    fr_change_cancel(change);
}

static const struct {
    const char *text;
    enum fr_err err;
    const char *printed;
} endpoints[] = {
    {"192.0.2.10:8005", FR_OK, "192.0.2.10:8005"},
    {"192.0.2.10", FR_OK, "192.0.2.10:8005"},
    {"[2001:db8::1]:443", FR_OK, "[2001:db8::1]:443"},
    {"2001:db8::1", FR_OK, "[2001:db8::1]:8005"},
    {"127.0.0.1:9", FR_OK, "127.0.0.1:9"},
    {"192.0.2.10:0", FR_E_RANGE, NULL},
    {"192.0.2.10:65536", FR_E_RANGE, NULL},
    {"0.0.0.0:8005", FR_E_INVALID, NULL},
    {"[::]:8005", FR_E_INVALID, NULL},
    {"224.0.0.1:8005", FR_E_INVALID, NULL},
    {"255.255.255.255", FR_E_INVALID, NULL},
    {"[ff02::1]:8005", FR_E_INVALID, NULL},
    {"host.test:8005", FR_E_MALFORMED, NULL},
    {"", FR_E_MALFORMED, NULL},
    {"192.0.2.10:8005x", FR_E_MALFORMED, NULL},
};

static void endpoints_are_addresses_one_can_connect_to(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof endpoints / sizeof endpoints[0]; i++) {
        struct fr_addr got;
        struct fr_diag diag = {0};
        char text[FR_ADDR_TEXT];
        enum fr_err err = fr_endpoint_parse(fr_span_str(endpoints[i].text), &diag, &got);
        if (err != endpoints[i].err) fail_msg("\"%s\": %s", endpoints[i].text, fr_err_text(err));
        if (err) continue;
        fr_addr_print(&got, text);
        assert_string_equal(text, endpoints[i].printed);
    }
}

static void endpoints_keep_their_order(void **state)
{
    struct fixture *f = *state;
    struct fr_addr list[FR_ENDPOINTS_MAX + 1];
    struct fr_network_row row;

    for (size_t i = 0; i <= FR_ENDPOINTS_MAX; i++) {
        list[i] = addr("192.0.2.1");
        list[i].port = (uint16_t)(9000 - i);
    }
    struct fr_change *change = begin_change(f->store);
    assert_int_equal(fr_network_set_endpoints(change, 0x13, list, FR_ENDPOINTS_MAX + 1, NULL),
                     FR_E_LIMIT);
    assert_int_equal(fr_network_set_endpoints(change, 0x13, list, FR_ENDPOINTS_MAX, NULL), FR_OK);
    assert_int_equal(fr_network_set_endpoints(change, 0x99, list, 1, NULL), FR_E_NOT_FOUND);
    struct fr_addr twice[] = {list[0], list[0]};
    assert_int_equal(fr_network_set_endpoints(change, 0x13, twice, 2, NULL), FR_E_INVALID);
    commit_change(change);
    struct fr_snap *snap = begin_snap(f->store);
    assert_int_equal(fr_network_get(snap, 0x13, &row), FR_OK);
    assert_int_equal(row.n_endpoints, FR_ENDPOINTS_MAX);
    for (size_t i = 0; i < FR_ENDPOINTS_MAX; i++) assert_int_equal(row.endpoints[i].port, 9000 - i);
    fr_snap_end(snap);
}

static bool is_live(struct fr_store *store, uint32_t netid)
{
    struct fr_snap *snap = begin_snap(store);
    struct fr_network_row row;
    enum fr_err err = fr_network_get_live(snap, netid, &row);

    assert_true(err == FR_OK || err == FR_E_NOT_FOUND);
    fr_snap_end(snap);
    return err == FR_OK;
}

static void set_member_state(struct fr_store *store, const char *id,
                             enum fr_member_state member_state)
{
    struct fr_change *change = begin_change(store);
    struct fr_member_row row;

    assert_int_equal(fr_member_get(fr_change_snap(change), id, &row), FR_OK);
    row.state = member_state;
    assert_int_equal(fr_member_set(change, &row, NULL), FR_OK);
    commit_change(change);
}

static void suspended_is_not_live(void **state)
{
    struct fixture *f = *state;

    assert_true(is_live(f->store, 0x13));
    set_member_state(f->store, "acme", FR_MEMBER_SUSPENDED);
    assert_false(is_live(f->store, 0x13));
    assert_false(is_live(f->store, 0x2a));
    assert_true(is_live(f->store, 0x2b));
    set_member_state(f->store, "acme", FR_MEMBER_ACTIVE);
    assert_true(is_live(f->store, 0x13));
    struct fr_change *change = begin_change(f->store);
    assert_int_equal(fr_network_set_state(change, 0x13, FR_NETWORK_SUSPENDED, NULL), FR_OK);
    commit_change(change);
    assert_false(is_live(f->store, 0x13));
    assert_true(is_live(f->store, 0x2a));
    assert_false(is_live(f->store, 0x99));
}

static void removed_members_stay_removed(void **state)
{
    struct fixture *f = *state;
    struct fr_member_row row = {.id = "acme", .state = FR_MEMBER_ACTIVE};

    set_member_state(f->store, "acme", FR_MEMBER_REMOVED);
    assert_false(is_live(f->store, 0x13));
    struct fr_change *change = begin_change(f->store);
    assert_int_equal(fr_member_set(change, &row, NULL), FR_E_CONFLICT);
    assert_int_equal(fr_member_add(change, &row, NULL), FR_E_EXISTS);
    assert_int_equal(fr_network_add(change, 0x15, "acme", NULL), FR_E_CONFLICT);
    assert_int_equal(fr_network_add(change, 0x13, "bolt", NULL), FR_E_CONFLICT);
    assert_int_equal(fr_network_remove(change, 0x13, NULL), FR_OK);
    assert_int_equal(fr_network_add(change, 0x13, "bolt", NULL), FR_OK);
    commit_change(change);
    assert_true(is_live(f->store, 0x13));
}

static void a_network_with_devices_is_not_removed(void **state)
{
    struct fixture *f = *state;
    uint64_t eui = 7;
    struct fr_device_job job = {.netid = 0x13, .mode = FR_DEVICE_ADD, .euis = &eui, .n = 1};
    struct fr_device_report report;
    struct fr_change *change = begin_change(f->store);

    assert_int_equal(fr_device_apply(change, &job, NULL, &report), FR_OK);
    assert_int_equal(fr_network_remove(change, 0x13, NULL), FR_E_CONFLICT);
    assert_int_equal(fr_network_remove(change, 0x99, NULL), FR_E_NOT_FOUND);
    fr_change_cancel(change);
}

static void the_pool_gives_the_lowest_free_one(void **state)
{
    struct fixture *f = *state;
    uint32_t netid = 0;
    struct fr_change *change = begin_change(f->store);

    assert_int_equal(fr_network_add(change, 0x31, "bolt", NULL), FR_OK);
    assert_int_equal(fr_network_next_free(fr_change_snap(change), NULL, &netid), FR_OK);
    assert_int_equal(netid, 0x30);
    assert_int_equal(fr_network_add(change, netid, "acme", NULL), FR_OK);
    assert_int_equal(fr_network_next_free(fr_change_snap(change), NULL, &netid), FR_OK);
    assert_int_equal(netid, 0x32);
    assert_int_equal(fr_network_add(change, netid, "acme", NULL), FR_OK);
    assert_int_equal(fr_network_next_free(fr_change_snap(change), NULL, &netid), FR_E_NOT_FOUND);
    fr_change_cancel(change);
}

static void members_are_checked(void **state)
{
    struct fixture *f = *state;
    struct fr_change *change = begin_change(f->store);
    static const char *const bad[] = {"", "Acme", "1a", "a-", "000013", "a_b"};
    struct fr_member_row row = {.id = "fine"};

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct fr_member_row wrong = {0};
        strcpy(wrong.id, bad[i]);
        assert_int_equal(fr_member_add(change, &wrong, NULL), FR_E_INVALID);
    }
    strcpy(row.org, "caf\xc3\xa9");
    assert_int_equal(fr_member_add(change, &row, NULL), FR_OK);
    strcpy(row.id, "other");
    strcpy(row.org, "caf\xe9");
    assert_int_equal(fr_member_add(change, &row, NULL), FR_E_MALFORMED);
    strcpy(row.org, "a\nb");
    assert_int_equal(fr_member_add(change, &row, NULL), FR_E_MALFORMED);
    fr_change_cancel(change);
}

static const struct {
    const char *name, *value;
    enum fr_err err;
    uint32_t number;
} policies[] = {
    {"ttl.deveui", "90", FR_OK, 90},
    {"ttl.deveui", "1h", FR_OK, 3600},
    {"lifetime.ns", "6d", FR_OK, 6 * 86400},
    {"ttl.netid", "9", FR_E_RANGE, 0},
    {"ttl.netid", "2d", FR_E_RANGE, 0},
    {"ttl.netid", "1500ms", FR_E_RANGE, 0},
    {"ttl.netid", "10500ms", FR_E_MALFORMED, 0},
    {"ttl.netid", "x", FR_E_MALFORMED, 0},
    {"ttl.netid", "-1", FR_E_MALFORMED, 0},
    {"ttl.netid", "", FR_E_MALFORMED, 0},
    {"visibility", "granted", FR_OK, FR_VISIBILITY_GRANTED},
    {"visibility", "federation", FR_OK, FR_VISIBILITY_FEDERATION},
    {"visibility", "Granted", FR_E_MALFORMED, 0},
    {"visibility", "1", FR_E_MALFORMED, 0},
};

static void policy_has_ranges_and_defaults(void **state)
{
    struct fixture *f = *state;
    enum fr_policy_key key;
    struct fr_diag diag = {0};
    struct fr_policy all;

    assert_int_equal(fr_policy_find("ttl.devuei", &diag, &key), FR_E_NOT_FOUND);
    assert_non_null(strstr(diag.hint, "ttl.deveui"));
    struct fr_snap *snap = begin_snap(f->store);
    assert_int_equal(fr_policy_read(snap, &all), FR_OK);
    fr_snap_end(snap);
    for (int i = 0; i < FR_POLICY_COUNT; i++) {
        const struct fr_policy_about *about = fr_policy_about((enum fr_policy_key)i);
        assert_int_equal(all.value[i], about->def);
        assert_true(about->min <= about->def && about->def <= about->max);
    }
    for (size_t i = 0; i < sizeof policies / sizeof policies[0]; i++) {
        struct fr_change *change = begin_change(f->store);
        uint32_t number = 0;
        assert_int_equal(fr_policy_find(policies[i].name, NULL, &key), FR_OK);
        enum fr_err err = fr_policy_set(change, key, policies[i].value, &diag);
        if (err != policies[i].err) fail_msg("%s: %s", policies[i].value, fr_err_text(err));
        if (err == FR_OK) {
            assert_int_equal(fr_policy_get(fr_change_snap(change), key, &number), FR_OK);
            assert_int_equal(number, policies[i].number);
        }
        fr_change_cancel(change);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(a_netid_has_one_holder),
        cmocka_unit_test(endpoints_are_addresses_one_can_connect_to),
        STORE_TEST(endpoints_keep_their_order),
        STORE_TEST(suspended_is_not_live),
        STORE_TEST(removed_members_stay_removed),
        STORE_TEST(a_network_with_devices_is_not_removed),
        STORE_TEST(the_pool_gives_the_lowest_free_one),
        STORE_TEST(members_are_checked),
        STORE_TEST(policy_has_ranges_and_defaults),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
