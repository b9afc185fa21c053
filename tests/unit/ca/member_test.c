#include "ca/member.h"

#include "federation.h"
#include "store/device.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct federation fed;

static int make(void **state)
{
    (void)state;
    federation_make(&fed);
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    federation_remove(&fed);
    return 0;
}

static const struct fr_addr A = {.ip = {.family = 4, .b = {192, 0, 2, 10}}, .port = 8005};
static const struct fr_addr B = {.ip = {.family = 4, .b = {192, 0, 2, 11}}, .port = 8005};

/* Each row is one `member add` after the other on the same federation. */
static void rules_of_admission(void **state)
{
    const struct {
        const char *what;
        struct fr_member_request request;
        enum fr_err err;
        bool changed;
        const char *says; /* part of the message */
    } rows[] = {
        {"new",
         {.id = "acme",
          .netids = (const uint32_t[]){0x13},
          .netid_count = 1,
          .endpoints = &A,
          .endpoint_count = 1,
          .org = "Acme Ltd",
          .noc = "noc@acme.test"},
         FR_OK,
         true,
         NULL},
        {"the same again",
         {.id = "acme",
          .netids = (const uint32_t[]){0x13},
          .netid_count = 1,
          .endpoints = &A,
          .endpoint_count = 1,
          .org = "Acme Ltd",
          .noc = "noc@acme.test"},
         FR_OK,
         false,
         NULL},
        {"only its name again", {.id = "acme"}, FR_OK, false, NULL},
        {"other organisation",
         {.id = "acme", .org = "Acme Inc"},
         FR_E_EXISTS,
         false,
         "organisation"},
        {"other endpoint",
         {.id = "acme", .endpoints = &B, .endpoint_count = 1},
         FR_E_EXISTS,
         false,
         "endpoints"},
        {"other NetIDs",
         {.id = "acme", .netids = (const uint32_t[]){0x13, 0x14}, .netid_count = 2},
         FR_E_EXISTS,
         false,
         "NetIDs"},
        {"NetID of another",
         {.id = "beta", .netids = (const uint32_t[]){0x13}, .netid_count = 1},
         FR_E_CONFLICT,
         false,
         "acme"},
        {"NetID 000000",
         {.id = "beta", .netids = (const uint32_t[]){0}, .netid_count = 1},
         FR_E_INVALID,
         false,
         "000000"},
        {"NetID 000001",
         {.id = "beta", .netids = (const uint32_t[]){1}, .netid_count = 1},
         FR_E_INVALID,
         false,
         "000001"},
        {"RFU bits",
         {.id = "beta", .netids = (const uint32_t[]){0x000113}, .netid_count = 1},
         FR_E_INVALID,
         false,
         "reserved bits"},
        {"bad id", {.id = "Beta"}, FR_E_INVALID, false, NULL},
        {"id like a NetID", {.id = "abcdef"}, FR_E_INVALID, false, NULL},
        {"two NetIDs, one named twice",
         {.id = "beta", .netids = (const uint32_t[]){0x14, 0x15, 0x14}, .netid_count = 3},
         FR_OK,
         true,
         NULL},
        {"any free one", {.id = "gamma", .wants_free_netid = true}, FR_OK, true, NULL},
        {"any free one, again", {.id = "gamma", .wants_free_netid = true}, FR_OK, false, NULL},
        {"no NetID at all", {.id = "delta"}, FR_OK, true, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fr_diag diag = {0};
        struct fr_change *change = begin(&fed);
        enum fr_err err = fr_member_create(change, &rows[i].request, &diag);
        if (err != rows[i].err) fail_msg("%s: %s (%s)", rows[i].what, fr_err_text(err), diag.what);
        if (err && rows[i].says != NULL && strstr(diag.what, rows[i].says) == NULL)
            fail_msg("%s says \"%s\"", rows[i].what, diag.what);
        if (err) {
            fr_change_cancel(change);
            continue;
        }
        if (fr_change_is_empty(change) == rows[i].changed)
            fail_msg("%s: changed or not", rows[i].what);
        commit(change);
    }
    struct fr_snap *snap = NULL;
    struct fr_network_row network;
    assert_int_equal(fr_snap_begin(fed.store, &snap), FR_OK);
    assert_int_equal(fr_network_get(snap, 0x600100, &network), FR_OK);
    assert_string_equal(network.member, "gamma");
    assert_int_equal(fr_network_get(snap, 0x13, &network), FR_OK);
    assert_int_equal(network.n_endpoints, 1);
    fr_snap_end(snap);
}

static void set_adds_takes_and_repoints(void **state)
{
    struct fr_diag diag = {0};
    struct fr_network_row network;
    struct fr_member_row member;
    struct fr_change *change = NULL;
    const uint32_t netids[] = {0x23, 0x24};
    struct fr_member_request request = {.id = "acme", .netids = netids, .netid_count = 2};

    (void)state;
    add_member(&fed, "acme", (const uint32_t[]){0x23, 0});
    change = begin(&fed);
    assert_int_equal(fr_member_update(change, &request, &diag), FR_OK);
    commit(change);

    request = (struct fr_member_request){
        .id = "acme", .endpoints = &B, .endpoint_count = 1, .org = "Acme"};
    change = begin(&fed);
    assert_int_equal(fr_member_update(change, &request, &diag), FR_OK);
    assert_int_equal(fr_network_get(fr_change_snap(change), 0x23, &network), FR_OK);
    assert_true(fr_addr_equal(&network.endpoints[0], &B));
    assert_int_equal(fr_network_get(fr_change_snap(change), 0x24, &network), FR_OK);
    assert_true(fr_addr_equal(&network.endpoints[0], &B));
    assert_int_equal(fr_member_get(fr_change_snap(change), "acme", &member), FR_OK);
    assert_string_equal(member.org, "Acme");
    commit(change);

    request = (struct fr_member_request){
        .id = "acme", .removed_netids = netids + 1, .removed_netid_count = 1};
    change = begin(&fed);
    assert_int_equal(fr_member_update(change, &request, &diag), FR_OK);
    assert_int_equal(fr_network_get(fr_change_snap(change), 0x24, &network), FR_E_NOT_FOUND);
    commit(change);

    change = begin(&fed);
    assert_int_equal(fr_member_update(change, &request, &diag), FR_E_NOT_FOUND); /* it has gone */
    request = (struct fr_member_request){.id = "nobody"};
    assert_int_equal(fr_member_update(change, &request, &diag), FR_E_NOT_FOUND);
    fr_change_cancel(change);
}

static void add_devices(uint32_t netid, uint64_t first, size_t n)
{
    uint64_t *euis = calloc(n, sizeof *euis);
    struct fr_device_report report;
    struct fr_change *change = begin(&fed);

    assert_non_null(euis);
    for (size_t i = 0; i < n; i++) euis[i] = first + i;
    const struct fr_device_job job = {.netid = netid, .mode = FR_DEVICE_ADD, .euis = euis, .n = n};
    assert_int_equal(fr_device_apply(change, &job, NULL, &report), FR_OK);
    commit(change);
    free(euis);
}

static void removal_takes_everything_away(void **state)
{
    enum { DEVICES = 7000 }; /* more than one slice */
    struct fr_buf csr = FR_BUF_INIT(FR_CSR_MAX);
    struct fr_issue issue = FR_ISSUE_INIT;
    struct fr_issue_request request = {
        .subject = {.profile = FR_PROFILE_NS, .member = "acme", .netid = 0x33}};
    struct fr_change *change = NULL;
    struct fr_snap *snap = NULL;
    struct fr_network_row network;
    struct fr_cert_row row;
    struct fr_diag diag = {0};
    uint64_t devices = 0;
    bool done = false;
    int rounds = 0;

    (void)state;
    add_member(&fed, "acme", (const uint32_t[]){0x33, 0x34, 0});
    add_devices(0x33, 0x70b3d57ed0000000, DEVICES);
    make_csr(&csr, NULL);
    request.csr = fr_buf_span(&csr);
    assert_int_equal(fr_ca_issue(fed.ca, fed.store, &BY, &request, NULL, &issue), FR_OK);

    assert_int_equal(fr_member_clean(fed.store, "acme", &BY, 10, &diag, &done), FR_E_CONFLICT);
    change = begin(&fed);
    assert_int_equal(fr_member_remove(change, "nobody", &diag), FR_E_NOT_FOUND);
    assert_int_equal(fr_member_remove(change, "acme", &diag), FR_OK);
    commit(change);

    /* At once: the certificate is revoked and the network is not live, though rows are there. */
    assert_int_equal(fr_snap_begin(fed.store, &snap), FR_OK);
    assert_int_equal(fr_cert_row_get(snap, issue.row.serial, &row), FR_OK);
    assert_int_equal(row.status, FR_CERT_REVOKED);
    assert_int_equal(fr_network_get_live(snap, 0x33, &network), FR_E_NOT_FOUND);
    assert_int_equal(fr_device_count(snap, &devices), FR_OK);
    assert_int_equal(devices, DEVICES);
    fr_snap_end(snap);

    while (!done) {
        assert_int_equal(fr_member_clean(fed.store, "acme", &BY, 0, &diag, &done), FR_OK);
        assert_true(++rounds < 20);
    }
    assert_true(rounds >= 4);
    assert_int_equal(fr_snap_begin(fed.store, &snap), FR_OK);
    assert_int_equal(fr_device_count(snap, &devices), FR_OK);
    assert_int_equal(devices, 0);
    assert_int_equal(fr_network_get(snap, 0x33, &network), FR_E_NOT_FOUND);
    fr_snap_end(snap);

    /* The NetID is free again, the name is not. */
    add_member(&fed, "beta", (const uint32_t[]){0x33, 0});
    change = begin(&fed);
    const struct fr_member_request again = {.id = "acme"};
    assert_int_equal(fr_member_create(change, &again, &diag), FR_E_EXISTS);
    assert_int_equal(fr_member_resume(change, "acme", &diag), FR_E_NOT_FOUND);
    assert_int_equal(fr_member_remove(change, "acme", &diag), FR_OK);
    assert_true(fr_change_is_empty(change));
    fr_change_cancel(change);
    fr_issue_deinit(&issue);
    fr_buf_deinit(&csr);
}

enum { CERTIFICATES = 2 * FR_REVOKE_SLICE + 300 };

static void add_certificates(const char *member)
{
    for (uint32_t i = 0; i < CERTIFICATES;) {
        struct fr_change *change = begin(&fed);
        for (int n = 0; n < 100 && i < CERTIFICATES; n++, i++) {
            struct fr_cert_row row = {.profile = FR_PROFILE_DOH, .n_names = 1};
            memcpy(row.serial, &i, sizeof i);
            row.serial[FR_SERIAL_SIZE - 1] = 0x5a;
            memcpy(row.spki, row.serial, sizeof row.serial);
            (void)snprintf(row.member, sizeof row.member, "%s", member);
            (void)snprintf(row.names[0], sizeof row.names[0], "many.member.fed.test");
            row.not_after_s = NOW + 86400;
            assert_int_equal(fr_cert_row_intend(change, &row, NULL), FR_OK);
            assert_int_equal(fr_cert_row_issue(change, row.serial, fr_span(row.spki, 8), row.spki,
                                               NOW - 86400, row.not_after_s, NULL),
                             FR_OK);
        }
        commit(change);
    }
}

static enum fr_err count_good(void *data, const struct fr_cert_row *row)
{
    size_t *n = data;

    if (row->status != FR_CERT_REVOKED) (*n)++;
    return FR_OK;
}

static size_t good_certificates(const char *member)
{
    struct fr_snap *snap = NULL;
    size_t n = 0;

    assert_int_equal(fr_snap_begin(fed.store, &snap), FR_OK);
    assert_int_equal(fr_cert_row_each_of(snap, member, count_good, &n), FR_OK);
    fr_snap_end(snap);
    return n;
}

/* More than fit into one change. */
static void a_member_with_many_certificates_is_removed(void **state)
{
    struct fr_change *change = NULL;
    bool done = false;
    int rounds = 0;

    (void)state;
    add_member(&fed, "many", (const uint32_t[]){0x36, 0});
    add_certificates("many");
    assert_int_equal(good_certificates("many"), CERTIFICATES);
    change = begin(&fed);
    assert_int_equal(fr_member_remove(change, "many", NULL), FR_OK);
    commit(change);
    assert_int_equal(good_certificates("many"), CERTIFICATES - FR_REVOKE_SLICE);
    for (; !done; rounds++)
        assert_int_equal(fr_member_clean(fed.store, "many", &BY, 0, NULL, &done), FR_OK);
    assert_true(rounds >= 4 && rounds < 8);
    assert_int_equal(good_certificates("many"), 0);
}

static void suspension_keeps_every_row(void **state)
{
    struct fr_network_row network;
    struct fr_change *change = NULL;

    (void)state;
    add_member(&fed, "acme", (const uint32_t[]){0x35, 0});
    change = begin(&fed);
    assert_int_equal(fr_member_suspend(change, "acme", NULL), FR_OK);
    assert_int_equal(fr_network_get_live(fr_change_snap(change), 0x35, &network), FR_E_NOT_FOUND);
    assert_int_equal(fr_network_get(fr_change_snap(change), 0x35, &network), FR_OK);
    commit(change);
    change = begin(&fed);
    assert_int_equal(fr_member_suspend(change, "acme", NULL), FR_OK);
    assert_true(fr_change_is_empty(change));
    assert_int_equal(fr_member_resume(change, "acme", NULL), FR_OK);
    assert_int_equal(fr_network_get_live(fr_change_snap(change), 0x35, &network), FR_OK);
    commit(change);
}

static void shared_prefixes_are_told(void **state)
{
    struct fr_netid_notice notice;
    struct fr_snap *snap = NULL;

    (void)state;
    /* Type 3: 21 ID bits, of which a DevAddr carries 11. */
    add_member(&fed, "acme", (const uint32_t[]){0x600005, 0x000013, 0});
    add_member(&fed, "beta", (const uint32_t[]){0x600805, 0});
    assert_int_equal(fr_snap_begin(fed.store, &snap), FR_OK);
    assert_int_equal(fr_netid_notice_read(snap, 0x600005, &notice), FR_OK);
    assert_true(notice.can_be_shared);
    assert_int_equal(notice.shared_count, 1);
    assert_int_equal(notice.shared_with[0], 0x600805);
    assert_int_equal(notice.prefix.len, 15);
    assert_int_equal(notice.address_count, 1 << 17);
    assert_int_equal(fr_netid_notice_read(snap, 0x000013, &notice), FR_OK);
    assert_false(notice.can_be_shared);
    assert_int_equal(notice.shared_count, 0);
    assert_int_equal(notice.address_count, 1 << 25);
    fr_snap_end(snap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rules_of_admission, make, unmake),
        cmocka_unit_test_setup_teardown(set_adds_takes_and_repoints, make, unmake),
        cmocka_unit_test_setup_teardown(removal_takes_everything_away, make, unmake),
        cmocka_unit_test_setup_teardown(a_member_with_many_certificates_is_removed, make, unmake),
        cmocka_unit_test_setup_teardown(suspension_keeps_every_row, make, unmake),
        cmocka_unit_test_setup_teardown(shared_prefixes_are_told, make, unmake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
