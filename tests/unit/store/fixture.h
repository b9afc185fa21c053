#pragma once
/* A store in a temporary folder with two members: acme (000013, 00002a) and bolt (00002b). */
#include "base/clock.h"
#include "store/cert.h"
#include "store/change.h"
#include "store/device.h"
#include "store/import.h"
#include "store/joineui.h"
#include "store/journal.h"
#include "store/member.h"
#include "store/network.h"
#include "store/policy.h"
#include "store/store.h"

#include <string.h>

#include "unit/db/tmp.h"

#define FED "fed.test"
#define NOW 1800000000

struct fixture {
    void *dir;
    struct fr_store *store;
};

static inline struct fr_store_options store_options(const char *dir)
{
    return (struct fr_store_options){.dir = dir, .map_size = 1ULL << 30};
}

static inline struct fr_change_by by_tester(void)
{
    return (struct fr_change_by){.actor = "local:tester", .reason = "test", .now_s = NOW};
}

static inline struct fr_change *begin_change(struct fr_store *store)
{
    struct fr_change_by by = by_tester();
    struct fr_change *change = NULL;

    assert_int_equal(fr_store_change(store, &by, NULL, &change), FR_OK);
    return change;
}

static inline uint64_t commit_change(struct fr_change *change)
{
    uint64_t sequence = 0;

    assert_int_equal(fr_change_commit(change, NULL, &sequence), FR_OK);
    return sequence;
}

static inline void add_member(struct fr_change *change, const char *id)
{
    struct fr_member_row row = {0};

    strcpy(row.id, id);
    strcpy(row.org, "Organisation");
    assert_int_equal(fr_member_add(change, &row, NULL), FR_OK);
}

static inline struct fr_addr addr(const char *text)
{
    struct fr_addr out;

    assert_int_equal(fr_endpoint_parse(fr_span_str(text), NULL, &out), FR_OK);
    return out;
}

static inline int store_setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct fr_store_new fresh = {.federation = FED,
                                 .url = "https://broker.fed.test/dns-query",
                                 .netid_pool = "000030-000032"};

    if (f == NULL || tmp_setup(&f->dir) != 0) return -1;
    struct fr_store_options options = store_options(f->dir);
    if (fr_store_create(&options, &fresh, NULL, &f->store) != FR_OK) return -1;
    struct fr_change *change = begin_change(f->store);
    add_member(change, "acme");
    add_member(change, "bolt");
    assert_int_equal(fr_network_add(change, 0x13, "acme", NULL), FR_OK);
    assert_int_equal(fr_network_add(change, 0x2a, "acme", NULL), FR_OK);
    assert_int_equal(fr_network_add(change, 0x2b, "bolt", NULL), FR_OK);
    commit_change(change);
    *state = f;
    return 0;
}

static inline int store_teardown(void **state)
{
    struct fixture *f = *state;

    fr_store_close(f->store);
    tmp_teardown(&f->dir);
    free(f);
    return 0;
}

#define STORE_TEST(f) cmocka_unit_test_setup_teardown(f, store_setup, store_teardown)

static inline struct fr_snap *begin_snap(struct fr_store *store)
{
    struct fr_snap *snap = NULL;

    assert_int_equal(fr_snap_begin(store, &snap), FR_OK);
    return snap;
}

static inline uint64_t network_devices(struct fr_store *store, uint32_t netid)
{
    struct fr_snap *snap = begin_snap(store);
    struct fr_network_row row;

    assert_int_equal(fr_network_get(snap, netid, &row), FR_OK);
    fr_snap_end(snap);
    return row.devices;
}

static inline uint32_t device_netid(struct fr_store *store, uint64_t deveui)
{
    struct fr_snap *snap = begin_snap(store);
    struct fr_device_row row = {0};
    enum fr_err err = fr_device_get(snap, deveui, &row);

    assert_true(err == FR_OK || err == FR_E_NOT_FOUND);
    fr_snap_end(snap);
    return row.netid;
}
