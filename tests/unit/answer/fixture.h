/* A small federation in a temporary directory, for tests of what follows from the store.
 *
 *   acme  holds 000013 (192.0.2.10:8005, [2001:db8::a]:8006) with two devices and 00002a (no
 * endpoint) with one
 *   beta  holds 000020 ([2001:db8::20]:8005) with one device
 *   certificates: acme's ns for 000013 (serial 1) and doh (serial 2), valid from 1000 to 2000 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/cert.h"
#include "store/device.h"
#include "store/joineui.h"
#include "store/member.h"
#include "store/network.h"
#include "store/store.h"

#define FED "fed.test"
enum { NOW = 1500, NOT_BEFORE = 1000, NOT_AFTER = 2000 };

struct fixture {
    char dir[64];
    struct fr_store *store;
    struct fr_snap *snap;
};

static inline void must(enum fr_err err, const struct fr_diag *diag)
{
    if (err != FR_OK) fail_msg("%s: %s", fr_err_text(err), diag->what);
}

static inline struct fr_change *change_begin(struct fixture *f)
{
    const struct fr_change_by by = {.actor = "test", .now_s = NOW};
    struct fr_diag diag = {0};
    struct fr_change *change = NULL;

    must(fr_store_change(f->store, &by, &diag, &change), &diag);
    return change;
}

static inline void change_end(struct fixture *f, struct fr_change *change)
{
    struct fr_diag diag = {0};
    uint64_t sequence = 0;

    must(fr_change_commit(change, &diag, &sequence), &diag);
    fr_snap_reset(f->snap);
    must(fr_snap_renew(f->snap), &diag);
}

static inline void add_member(struct fr_change *change, const char *id)
{
    struct fr_member_row row = {.state = FR_MEMBER_ACTIVE};
    struct fr_diag diag = {0};

    (void)snprintf(row.id, sizeof row.id, "%s", id);
    must(fr_member_add(change, &row, &diag), &diag);
}

static inline void set_member_state(struct fixture *f, const char *id, enum fr_member_state state)
{
    struct fr_change *change = change_begin(f);
    struct fr_member_row row;
    struct fr_diag diag = {0};

    must(fr_member_get(fr_change_snap(change), id, &row), &diag);
    row.state = state;
    must(fr_member_set(change, &row, &diag), &diag);
    change_end(f, change);
}

static inline void add_network(struct fr_change *change, uint32_t netid, const char *member,
                               const char *const *endpoints, size_t n)
{
    struct fr_addr addrs[FR_ENDPOINTS_MAX];
    struct fr_diag diag = {0};

    must(fr_network_add(change, netid, member, &diag), &diag);
    for (size_t i = 0; i < n; i++)
        must(fr_endpoint_parse(fr_span_str(endpoints[i]), &diag, &addrs[i]), &diag);
    if (n > 0) must(fr_network_set_endpoints(change, netid, addrs, n, &diag), &diag);
}

static inline void add_devices(struct fr_change *change, uint32_t netid, const uint64_t *euis,
                               size_t n)
{
    const struct fr_device_job job = {.netid = netid, .mode = FR_DEVICE_ADD, .euis = euis, .n = n};
    struct fr_device_report report;
    struct fr_diag diag = {0};

    must(fr_device_apply(change, &job, &diag, &report), &diag);
}

/* Serial, digest and key are made of one octet. */
static inline void add_cert(struct fr_change *change, uint8_t number, const char *member,
                            enum fr_profile profile, uint32_t netid)
{
    struct fr_cert_row row = {
        .status = FR_CERT_INTENT,
        .profile = profile,
        .netid = netid,
        .authority = "2026a",
        .rights = fr_profile_rights(profile),
        .not_before_s = NOT_BEFORE,
        .not_after_s = NOT_AFTER,
    };
    uint8_t sha256[FR_DIGEST_SIZE];
    struct fr_diag diag = {0};

    row.serial[FR_SERIAL_SIZE - 1] = number;
    (void)snprintf(row.member, sizeof row.member, "%s", member);
    memset(row.spki, number, sizeof row.spki);
    memset(sha256, 0xd0 + number, sizeof sha256);
    must(fr_cert_row_intend(change, &row, &diag), &diag);
    must(fr_cert_row_issue(change, row.serial, FR_SPAN_LIT("DER"), sha256, NOT_BEFORE, NOT_AFTER,
                           &diag),
         &diag);
}

static inline void revoke_cert(struct fixture *f, uint8_t number)
{
    struct fr_change *change = change_begin(f);
    uint8_t serial[FR_SERIAL_SIZE] = {0};
    struct fr_diag diag = {0};

    serial[FR_SERIAL_SIZE - 1] = number;
    must(fr_cert_row_revoke(change, serial, 0, &diag), &diag);
    change_end(f, change);
}

static inline int fixture_open(void **state, bool is_empty)
{
    static const char *const acme[] = {"192.0.2.10:8005", "[2001:db8::a]:8006"};
    static const char *const beta[] = {"[2001:db8::20]:8005"};
    static const uint64_t euis[] = {0x70b3d57ed0000001, 0x70b3d57ed0000002, 0x70b3d57ed0000003,
                                    0x70b3d57ed0000004};
    struct fixture *f = calloc(1, sizeof *f);
    const struct fr_store_new fresh = {.federation = FED};
    struct fr_diag diag = {0};

    strcpy(f->dir, "/tmp/fr-unit-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    struct fr_store_options options = {.dir = f->dir, .map_size = 1u << 26};
    must(fr_store_create(&options, &fresh, &diag, &f->store), &diag);
    must(fr_snap_begin(f->store, &f->snap), &diag);
    *state = f;
    if (is_empty) return 0;

    struct fr_change *change = change_begin(f);
    add_member(change, "acme");
    add_member(change, "beta");
    add_network(change, 0x000013, "acme", acme, 2);
    add_network(change, 0x00002a, "acme", NULL, 0);
    add_network(change, 0x000020, "beta", beta, 1);
    add_devices(change, 0x000013, euis, 2);
    add_devices(change, 0x00002a, euis + 2, 1);
    add_devices(change, 0x000020, euis + 3, 1);
    add_cert(change, 1, "acme", FR_PROFILE_NS, 0x000013);
    add_cert(change, 2, "acme", FR_PROFILE_DOH, 0);
    change_end(f, change);
    return 0;
}

static inline int fixture_new(void **state)
{
    return fixture_open(state, false);
}

static inline int fixture_free(void **state)
{
    struct fixture *f = *state;
    char path[96];

    fr_snap_end(f->snap);
    fr_store_close(f->store);
    static const char *const files[] = {"data.mdb", "lock.mdb"};
    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", f->dir, files[i]);
        (void)unlink(path);
    }
    (void)rmdir(f->dir);
    free(f);
    return 0;
}
