#include "store/export.h"

#include "base/buf.h"
#include "store/check.h"
#include "store/records.h"
#include "store/tables.h"

#include "fixture.h"
#include "unit/store/joineuis.h"

#include <stdio.h>

static enum fr_err collect(void *data, struct fr_span text)
{
    fr_buf_add_span(data, text);
    return fr_buf_err(data);
}

static void fill(struct fr_store *store)
{
    static const uint64_t acme[] = {0x70b3d57ed0000001, 0x0004a30b001c0530},
                          bolt[] = {0x5817b1c3eb890bc4};
    struct fr_addr list[] = {addr("192.0.2.10:8005"), addr("[2001:db8::10]:443"),
                             addr("192.0.2.11:8005")};
    static const char *const servers[3] = {"https://192.0.2.12:8006,also=2001:db8::12",
                                           "https://js.acme.example:8443,priority=1,weight=7",
                                           "http://192.0.2.13"};
    const struct fr_joineui_row js = joineui_row("70b3d57ed0000000", "acme", servers);
    static const char *const block_servers[3] = {"https://192.0.2.14"};
    const struct fr_joineui_row block = joineui_row("70b3d57000000000/28", "acme", block_servers);
    struct fr_device_report report;
    struct fr_change *change = begin_change(store);
    struct fr_device_job job = {.netid = 0x13, .mode = FR_DEVICE_ADD, .euis = acme, .n = 2};
    struct fr_cert_row row = {
        .profile = FR_PROFILE_NS, .netid = 0x13, .serial = {7}, .spki = {0xaa}, .member = "acme"};
    uint8_t sha256[FR_DIGEST_SIZE] = {1};

    assert_int_equal(fr_network_set_endpoints(change, 0x13, list, 3, NULL), FR_OK);
    assert_int_equal(fr_device_apply(change, &job, NULL, &report), FR_OK);
    job = (struct fr_device_job){.netid = 0x2b, .mode = FR_DEVICE_ADD, .euis = bolt, .n = 1};
    assert_int_equal(fr_device_apply(change, &job, NULL, &report), FR_OK);
    assert_int_equal(fr_joineui_put(change, &js, NULL), FR_OK);
    assert_int_equal(fr_joineui_put(change, &block, NULL), FR_OK);
    assert_int_equal(fr_cert_row_intend(change, &row, NULL), FR_OK);
    assert_int_equal(
        fr_cert_row_issue(change, row.serial, FR_SPAN_LIT("d"), sha256, NOW, NOW + 1000, NULL),
        FR_OK);
    commit_change(change);
}

static const char head[] = "$ORIGIN fed.test.\n"
                           "@ 60 IN SOA broker hostmaster %u 3600 600 604800 60\n"
                           "@ 3600 IN NS localhost.\n";
static const char net13[] = "000013.netid 60 IN A 192.0.2.10\n"
                            "000013.netid 60 IN AAAA 2001:db8::10\n"
                            "000013.netid 60 IN TXT \"v=fedroam1 member=acme\"\n"
                            "e1.000013.netid 60 IN A 192.0.2.10\n"
                            "e2.000013.netid 60 IN AAAA 2001:db8::10\n"
                            "e3.000013.netid 60 IN A 192.0.2.11\n"
                            "_fedroam._tcp.000013.netid 60 IN SRV 1 0 8005 e1.000013.netid\n"
                            "_fedroam._tcp.000013.netid 60 IN SRV 2 0 443 e2.000013.netid\n"
                            "_fedroam._tcp.000013.netid 60 IN SRV 3 0 8005 e3.000013.netid\n";
static const char pins[] = "_ns.000013.netid 60 IN TLSA 3 1 1 "
                           "aa00000000000000000000000000000000000000000000000000000000000000\n"
                           "_8005._tcp.000013.netid 60 IN CNAME _ns.000013.netid\n"
                           "_443._tcp.000013.netid 60 IN CNAME _ns.000013.netid\n";
static const char net2a[] = "00002a.netid 60 IN TXT \"v=fedroam1 member=acme\"\n";
static const char net2b[] = "00002b.netid 60 IN TXT \"v=fedroam1 member=bolt\"\n";
#define N "0.0.0.0.0.0.0.d.e.7.5.d.3.b.0.7.joineui"
#define B "7.5.d.3.b.0.7.joineui"
#define WILDCARD(name)                                                                             \
    name " 60 IN A 192.0.2.14\n" name " 60 IN SRV 1 0 443 e1." B "\n" name                         \
         " 60 IN NAPTR 100 50 \"S\" \"LWNS\" \"\" _lwns._tcp." B "\n"
static const char js[] = WILDCARD(
    "*." B) "_lwns._tcp." B " 60 IN SRV 1 0 443 e1." B "\n"
            "e1." B " 60 IN A 192.0.2.14\n" N " 60 IN A 192.0.2.12\n" N
            " 60 IN AAAA 2001:db8::12\n" N " 60 IN SRV 1 0 8006 e1." N "\n" N
            " 60 IN SRV 1 7 8443 js.acme.example.\n" N
            " 60 IN NAPTR 100 50 \"S\" \"LWNS\" \"\" _lwns._tcp." N "\n" N
            " 60 IN NAPTR 100 60 \"S\" \"LWN\" \"\" _lwn._tcp." N "\n"
            "_lwns._tcp." N " 60 IN SRV 1 0 8006 e1." N "\n"
            "_lwns._tcp." N " 60 IN SRV 1 7 8443 js.acme.example.\n"
            "_lwn._tcp." N " 60 IN SRV 3 0 80 e3." N "\n"
            "e1." N " 60 IN A 192.0.2.12\n"
            "e1." N " 60 IN AAAA 2001:db8::12\n"
            "e3." N
            " 60 IN A 192.0.2.13\n" /* and the block's wildcard again at each name in between: */
    WILDCARD("*.e." B) WILDCARD("*.d.e." B) WILDCARD("*.0.d.e." B) WILDCARD("*.0.0.d.e." B)
        WILDCARD("*.0.0.0.d.e." B) WILDCARD("*.0.0.0.0.d.e." B) WILDCARD("*.0.0.0.0.0.d.e." B)
            WILDCARD("*.0.0.0.0.0.0.d.e." B);
static const char acme_devices[] = "0004a30b001c0530.deveui 3600 IN CNAME 000013.netid\n";
static const char bolt_devices[] = "5817b1c3eb890bc4.deveui 3600 IN CNAME 00002b.netid\n";
static const char acme_more[] = "70b3d57ed0000001.deveui 3600 IN CNAME 000013.netid\n";

static void assert_zone(struct fr_store *store, int64_t now_s, const char *want_rest)
{
    struct fr_buf got = FR_BUF_INIT(1 << 20), want = FR_BUF_INIT(1 << 20);
    struct fr_snap *snap = begin_snap(store);

    const struct fr_export_options options = {.now_s = now_s, .piece = collect, .data = &got};
    struct fr_export_report report;

    assert_int_equal(fr_export_zone(snap, &options, &report), FR_OK);
    fr_buf_printf(&want, head, (unsigned)fr_snap_sequence(snap));
    fr_buf_add_str(&want, want_rest);
    assert_string_equal(fr_buf_str(&got), fr_buf_str(&want));
    fr_snap_end(snap);
    fr_buf_deinit(&got);
    fr_buf_deinit(&want);
}

static void every_record_of_the_zone(void **state)
{
    struct fixture *f = *state;
    struct fr_buf want = FR_BUF_INIT(1 << 20);

    fill(f->store);
    fr_buf_printf(&want, "%s%s%s%s%s%s%s%s", net13, pins, net2a, net2b, js, acme_devices,
                  bolt_devices, acme_more);
    assert_zone(f->store, NOW + 1000, fr_buf_str(&want));
    fr_buf_reset(&want);
    fr_buf_printf(&want, "%s%s%s%s%s%s%s", net13, net2a, net2b, js, acme_devices, bolt_devices,
                  acme_more);
    assert_zone(f->store, NOW + 1001, fr_buf_str(&want)); /* the certificate is over */
    fr_buf_deinit(&want);
}

static void a_suspended_member_vanishes(void **state)
{
    struct fixture *f = *state;
    struct fr_member_row row = {.id = "acme", .state = FR_MEMBER_SUSPENDED};
    struct fr_buf want = FR_BUF_INIT(1 << 20);

    fill(f->store);
    struct fr_change *change = begin_change(f->store);
    assert_int_equal(fr_member_set(change, &row, NULL), FR_OK);
    commit_change(change);
    fr_buf_printf(&want, "%s%s", net2b, bolt_devices);
    assert_zone(f->store, NOW, fr_buf_str(&want));
    fr_buf_deinit(&want);
}

struct imported {
    uint64_t euis[8];
    size_t n;
};

static enum fr_err on_device(void *data, uint64_t eui, size_t line, struct fr_diag *diag)
{
    struct imported *imported = data;

    (void)line;
    (void)diag;
    assert_true(imported->n < 8);
    imported->euis[imported->n++] = eui;
    return FR_OK;
}

/* What is exported can be imported: the same devices come out. */
static void an_export_is_an_import(void **state)
{
    struct fixture *f = *state;
    struct fr_buf text = FR_BUF_INIT(1 << 20);
    struct imported imported = {0};
    struct fr_import_options options = {.name = "zone",
                                        .netid = 0x13,
                                        .keep_going = true,
                                        .records = true,
                                        .device = on_device,
                                        .data = &imported};
    struct fr_import *import = NULL;
    const struct fr_addr *addrs;

    fill(f->store);
    struct fr_snap *snap = begin_snap(f->store);
    const struct fr_export_options what = {.now_s = NOW, .piece = collect, .data = &text};
    struct fr_export_report report;
    assert_int_equal(fr_export_zone(snap, &what, &report), FR_OK);
    fr_snap_end(snap);
    assert_int_equal(fr_import_new(&options, &import), FR_OK);
    assert_int_equal(fr_import_feed(import, fr_buf_span(&text), NULL), FR_OK);
    assert_int_equal(fr_import_end(import, NULL), FR_OK);
    assert_int_equal(imported.n, 2);
    assert_int_equal(imported.euis[0], 0x0004a30b001c0530);
    assert_int_equal(imported.euis[1], 0x70b3d57ed0000001);
    assert_int_equal(fr_import_left_out(import), 1); /* bolt's device */
    assert_int_equal(fr_import_addrs(import, &addrs), 2);
    fr_import_free(import);
    fr_buf_deinit(&text);
}

/* Half of a row, as a fault of the disk might leave it; beside a change, without which nothing is written. */
static void halve(struct fr_store *store, uint32_t table, struct fr_span key, const char *ttl)
{
    struct fr_change *change = begin_change(store);
    struct fr_span value;
    uint8_t half[64];

    assert_int_equal(fr_txn_get(fr_change_txn(change), table, key, &value), FR_OK);
    const size_t n = value.n / 2 < sizeof half ? value.n / 2 : sizeof half;
    memcpy(half, value.p, n);
    assert_int_equal(fr_txn_put(fr_change_txn(change), table, key, fr_span(half, n)), FR_OK);
    assert_int_equal(fr_policy_set(change, FR_POLICY_TTL_DEVEUI, ttl, NULL), FR_OK);
    commit_change(change);
}

static void note_bad(void *data, const char *row)
{
    struct fr_buf *text = data;

    fr_buf_printf(text, "! %s\n", row);
}

static void damage_takes_itself_away_and_nothing_else(void **state)
{
    static const uint8_t netid[] = {0, 0, 0x2b}, eui[] = {0x70, 0xb3, 0xd5, 0x7e, 0xd0, 0, 0, 1},
                         joineui[] = {0x70, 0xb3, 0xd5, 0x7e, 0xd0, 0, 0, 0};
    struct fixture *f = *state;
    struct fr_buf text = FR_BUF_INIT(1 << 20);
    const struct fr_export_options options = {
        .now_s = NOW, .piece = collect, .bad = note_bad, .data = &text};
    struct fr_export_report report;
    uint32_t table;

    fill(f->store);
    struct fr_snap *snap = begin_snap(f->store);
    assert_int_equal(fr_snap_devices(snap, &table), FR_OK);
    fr_snap_end(snap);
    halve(f->store, FR_TABLE_NETWORKS, fr_span(netid, sizeof netid), "2h");
    halve(f->store, FR_TABLE_JOINEUIS, fr_span(joineui, sizeof joineui), "3h");
    halve(f->store, table, fr_span(eui, sizeof eui), "4h");
    snap = begin_snap(f->store);
    assert_int_equal(fr_export_zone(snap, &options, &report), FR_OK);
    fr_snap_end(snap);
    assert_int_equal(report.damaged, 3);
    assert_non_null(strstr(fr_buf_str(&text), "! NetID 00002b\n"));
    assert_non_null(strstr(fr_buf_str(&text), "! JoinEUI 70b3d57ed0000000\n"));
    assert_non_null(strstr(fr_buf_str(&text), "! device 70b3d57ed0000001\n"));
    assert_non_null(strstr(fr_buf_str(&text), net13));
    assert_non_null(strstr(fr_buf_str(&text), "0004a30b001c0530.deveui"));
    assert_null(strstr(fr_buf_str(&text), "00002b.netid"));
    fr_buf_deinit(&text);
}

static void hidden_devices_are_left_out_or_marked(void **state)
{
    static const uint64_t eui = 0x0004a30b001c0530;
    struct fixture *f = *state;
    struct fr_export_report report;
    uint64_t changed = 0;

    fill(f->store);
    struct fr_change *change = begin_change(f->store);
    assert_int_equal(fr_device_set_hidden(change, &eui, 1, true, NULL, &changed), FR_OK);
    commit_change(change);
    for (int with = 0; with < 2; with++) {
        struct fr_buf text = FR_BUF_INIT(1 << 20);
        const struct fr_export_options options = {
            .now_s = NOW, .with_hidden = with == 1, .piece = collect, .data = &text};
        struct fr_snap *snap = begin_snap(f->store);
        assert_int_equal(fr_export_zone(snap, &options, &report), FR_OK);
        fr_snap_end(snap);
        assert_int_equal(report.hidden, 1);
        const char *line = strstr(fr_buf_str(&text), "0004a30b001c0530.deveui 3600 IN CNAME "
                                                     "000013.netid ; hidden\n");
        assert_true((line != NULL) == (with == 1));
        assert_true((strstr(fr_buf_str(&text), "0004a30b001c0530") != NULL) == (with == 1));
        fr_buf_deinit(&text);
    }
}

static enum fr_err full(void *data, struct fr_span text)
{
    (void)data;
    (void)text;
    return FR_E_IO;
}

static void a_failing_sink_ends_it(void **state)
{
    struct fixture *f = *state;
    struct fr_snap *snap = begin_snap(f->store);

    const struct fr_export_options options = {.now_s = NOW, .piece = full};
    struct fr_export_report report;

    assert_int_equal(fr_export_zone(snap, &options, &report), FR_E_IO);
    fr_snap_end(snap);
}

static void list_finding(void *data, const struct fr_finding *finding)
{
    fr_buf_printf(data, "%s\n", finding->what);
}

static void check_finds_what_an_operator_should_see(void **state)
{
    struct fixture *f = *state;
    struct fr_buf text = FR_BUF_INIT(1 << 16);
    struct fr_check_report report;
    struct fr_member_row row = {.id = "acme", .state = FR_MEMBER_SUSPENDED};

    fill(f->store);
    struct fr_change *change = begin_change(f->store);
    assert_int_equal(fr_member_set(change, &row, NULL), FR_OK);
    commit_change(change);
    struct fr_snap *snap = begin_snap(f->store);
    assert_int_equal(fr_check_store(snap, list_finding, &text, &report), FR_OK);
    fr_snap_end(snap);
    assert_int_equal(report.damages, 0);
    assert_int_equal(report.warnings, 2);
    assert_int_equal(report.devices, 3);
    assert_non_null(strstr(fr_buf_str(&text), "00002b (bolt) has devices but no endpoint"));
    assert_non_null(strstr(fr_buf_str(&text), "member acme is suspended"));
    fr_buf_deinit(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(every_record_of_the_zone),
        STORE_TEST(a_suspended_member_vanishes),
        STORE_TEST(an_export_is_an_import),
        STORE_TEST(damage_takes_itself_away_and_nothing_else),
        STORE_TEST(hidden_devices_are_left_out_or_marked),
        STORE_TEST(a_failing_sink_ends_it),
        STORE_TEST(check_finds_what_an_operator_should_see),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
