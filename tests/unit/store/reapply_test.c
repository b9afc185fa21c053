#include "store/reapply.h"

#include "store/visibility.h"

#include "fixture.h"

#include <stdlib.h>

/* The old primary is the fixture's store; the new one begins as a copy of it. */
struct both {
    struct fixture *old;
    void *dir;
    struct fr_store *now;
    uint64_t fork;
};

static uint64_t sequence_of(struct fr_store *store)
{
    struct fr_snap *snap = begin_snap(store);
    uint64_t sequence = fr_snap_sequence(snap);

    fr_snap_end(snap);
    return sequence;
}

static void add_device(struct fr_store *store, uint32_t netid, uint64_t eui)
{
    struct fr_change *change = begin_change(store);
    const struct fr_device_job job = {.netid = netid, .mode = FR_DEVICE_ADD, .euis = &eui, .n = 1};
    struct fr_device_report report;

    assert_int_equal(fr_device_apply(change, &job, NULL, &report), FR_OK);
    commit_change(change);
}

static void issue(struct fr_store *store, uint8_t n)
{
    struct fr_cert_row row = {.profile = FR_PROFILE_NS, .netid = 0x13, .n_names = 1, .serial = {n}};
    const uint8_t sha256[FR_DIGEST_SIZE] = {n};
    struct fr_change *change = begin_change(store);

    row.spki[0] = n;
    strcpy(row.member, "acme");
    strcpy(row.names[0], "a.fed.test");
    assert_int_equal(fr_cert_row_intend(change, &row, NULL), FR_OK);
    assert_int_equal(
        fr_cert_row_issue(change, row.serial, FR_SPAN_LIT("der"), sha256, NOW, NOW + 1000, NULL),
        FR_OK);
    commit_change(change);
}

static void revoke(struct fr_store *store, uint8_t n)
{
    const uint8_t serial[FR_SERIAL_SIZE] = {n};
    struct fr_change *change = begin_change(store);

    assert_int_equal(fr_cert_row_revoke(change, serial, 1, NULL), FR_OK);
    commit_change(change);
}

static int both_setup(void **state)
{
    struct both *both = calloc(1, sizeof *both);
    void *old = NULL;

    if (both == NULL || store_setup(&old) != 0 || tmp_setup(&both->dir) != 0) return -1;
    both->old = old;
    add_device(both->old->store, 0x13, 1);
    issue(both->old->store, 1);
    assert_int_equal(fr_store_copy(both->old->store, both->dir, NULL), FR_OK);
    struct fr_store_options options = store_options(both->dir);
    assert_int_equal(fr_store_open(&options, NULL, &both->now), FR_OK);
    both->fork = sequence_of(both->now);
    *state = both;
    return 0;
}

static int both_teardown(void **state)
{
    struct both *both = *state;
    void *old = both->old;

    fr_store_close(both->now);
    tmp_teardown(&both->dir);
    store_teardown(&old);
    free(both);
    return 0;
}

#define BOTH_TEST(f) cmocka_unit_test_setup_teardown(f, both_setup, both_teardown)

/* One record of the old store, all of it or nothing. */
static enum fr_err apply_record(struct both *both, struct fr_span facts, uint64_t until,
                                struct fr_diag *diag)
{
    const struct fr_reapply_span span = {both->fork, until};
    struct fr_change *change = begin_change(both->now);
    enum fr_reapplied outcome;
    struct fr_fact fact;
    enum fr_err err = FR_OK;

    while (err == FR_OK) {
        err = fr_fact_next(&facts, &fact);
        if (err == FR_OK) err = fr_reapply(change, &fact, &span, diag, &outcome);
    }
    if (err != FR_E_NOT_FOUND || facts.n > 0) {
        fr_change_cancel(change);
        return err;
    }
    commit_change(change);
    return FR_OK;
}

/* All of them; the code of each in its place. */
static size_t apply_all(struct both *both, enum fr_err codes[8], struct fr_diag *last)
{
    const uint64_t until = sequence_of(both->now);
    struct fr_snap *snap = begin_snap(both->old->store);
    struct fr_journal_record record;
    size_t n = 0;

    for (uint64_t from = both->fork + 1; fr_journal_next(snap, from, &record) == FR_OK;
         from = record.sequence + 1) {
        struct fr_diag diag = {0};
        assert_true(n < 8);
        codes[n] = apply_record(both, record.facts, until, &diag);
        if (codes[n]) *last = diag;
        n++;
    }
    fr_snap_end(snap);
    return n;
}

static void what_nobody_touched_is_made_again(void **state)
{
    struct both *both = *state;
    enum fr_err codes[8];
    struct fr_diag diag = {0};

    add_device(both->old->store, 0x2b, 7);
    revoke(both->old->store, 1);
    struct fr_change *change = begin_change(both->old->store);
    add_member(change, "later");
    assert_int_equal(fr_network_add(change, 0x31, "later", NULL), FR_OK);
    assert_int_equal(fr_policy_set(change, FR_POLICY_TTL_DEVEUI, "2h", NULL), FR_OK);
    assert_int_equal(fr_visibility_allow(change, "acme", "bolt", NULL), FR_OK);
    commit_change(change);
    assert_int_equal(apply_all(both, codes, &diag), 3);
    for (size_t i = 0; i < 3; i++) assert_int_equal(codes[i], FR_OK);
    assert_int_equal(device_netid(both->now, 7), 0x2b);
    assert_int_equal(network_devices(both->now, 0x2b), 1);
    struct fr_snap *snap = begin_snap(both->now);
    struct fr_cert_row row;
    uint32_t ttl = 0;
    assert_int_equal(fr_cert_row_get(snap, (const uint8_t[FR_SERIAL_SIZE]){1}, &row), FR_OK);
    assert_int_equal(row.status, FR_CERT_REVOKED);
    assert_int_equal(fr_policy_get(snap, FR_POLICY_TTL_DEVEUI, &ttl), FR_OK);
    assert_int_equal(ttl, 7200);
    fr_snap_end(snap);
}

static void what_was_decided_here_stands(void **state)
{
    struct both *both = *state;
    enum fr_err codes[8];
    struct fr_diag diag = {0};

    add_device(both->old->store, 0x13, 9);
    add_device(both->now, 0x2b, 9);
    assert_int_equal(apply_all(both, codes, &diag), 1);
    assert_int_equal(codes[0], FR_E_CONFLICT);
    assert_non_null(strstr(diag.what, "decided otherwise"));
    assert_int_equal(device_netid(both->now, 9), 0x2b);
}

/* Two changes of one row: the second is none of this broker's decisions. */
static void a_row_may_change_twice(void **state)
{
    struct both *both = *state;
    enum fr_err codes[8];
    struct fr_diag diag = {0};

    add_device(both->old->store, 0x13, 5);
    add_device(both->old->store, 0x2a, 5);
    assert_int_equal(apply_all(both, codes, &diag), 2);
    assert_int_equal(codes[0], FR_OK);
    assert_int_equal(codes[1], FR_OK);
    assert_int_equal(device_netid(both->now, 5), 0x2a);
}

static void new_certificates_are_for_people(void **state)
{
    struct both *both = *state;
    enum fr_err codes[8];
    struct fr_diag diag = {0};

    issue(both->old->store, 2);
    assert_int_equal(apply_all(both, codes, &diag), 1);
    assert_int_equal(codes[0], FR_E_UNSUPPORTED);
    assert_non_null(strstr(diag.what, "issued again"));
    struct fr_snap *snap = begin_snap(both->now);
    struct fr_cert_row row;
    assert_int_equal(fr_cert_row_get(snap, (const uint8_t[FR_SERIAL_SIZE]){2}, &row),
                     FR_E_NOT_FOUND);
    fr_snap_end(snap);
}

static void facts_of_no_row_are_refused(void **state)
{
    static const struct {
        enum fr_fact_kind kind;
        const char *key, *value;
        enum fr_err want;
    } rows[] = {
        {FR_FACT_DEVICE, "short", "123", FR_E_MALFORMED},
        {FR_FACT_DEVICE, "12345678", "1", FR_E_MALFORMED},
        {FR_FACT_CERT, "short", "", FR_E_MALFORMED},
        {FR_FACT_MEMBER, "acme", "nonsense", FR_E_UNSUPPORTED}, /* a form of a later program */
        {FR_FACT_NETWORK, "1", "", FR_E_MALFORMED},
        {FR_FACT_POLICY, "no.such", "1234", FR_E_NOT_FOUND},
        {FR_FACT_POLICY, "ttl.deveui", "1", FR_E_MALFORMED},
        {FR_FACT_VISIBILITY, "acme", "x", FR_E_MALFORMED},
        {FR_FACT_IMAGE, "123", "", FR_E_UNSUPPORTED},
        {(enum fr_fact_kind)200, "k", "v", FR_E_UNSUPPORTED},
    };
    struct both *both = *state;
    const struct fr_reapply_span span = {both->fork, both->fork};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fr_change *change = begin_change(both->now);
        const struct fr_fact fact = {rows[i].kind, fr_span_str(rows[i].key),
                                     fr_span_str(rows[i].value)};
        enum fr_reapplied outcome;
        struct fr_diag diag = {0};
        assert_int_equal(fr_reapply(change, &fact, &span, &diag, &outcome), rows[i].want);
        fr_change_cancel(change);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH_TEST(what_nobody_touched_is_made_again),
        BOTH_TEST(what_was_decided_here_stands),
        BOTH_TEST(a_row_may_change_twice),
        BOTH_TEST(new_certificates_are_for_people),
        BOTH_TEST(facts_of_no_row_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
