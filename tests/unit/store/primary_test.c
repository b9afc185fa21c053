#include "store/primary.h"

#include "support/unit.h"
#include "unit/store/fixture.h"

#include "store/rows.h"

static struct fr_primary_row a_row(const char *zone, uint32_t netid)
{
    struct fr_primary_row row = {.member = "acme",
                                 .n_addrs = 1,
                                 .n_netids = 1,
                                 .netids = {netid},
                                 .key_name = "acme.key",
                                 .key_algorithm = "hmac-sha256",
                                 .refresh_min_s = 60,
                                 .refresh_max_s = 86400,
                                 .max_gone = 5};

    strcpy(row.zone, zone);
    row.addrs[0] = addr("192.0.2.53:53");
    return row;
}

static enum fr_err put(struct fr_store *store, const struct fr_primary_row *row)
{
    struct fr_change *change = begin_change(store);
    enum fr_err err = fr_primary_put(change, row, NULL);

    if (err)
        fr_change_cancel(change);
    else
        commit_change(change);
    return err;
}

static void what_cannot_be_is_refused(void **state)
{
    struct fixture *f = *state;
    const struct fr_primary_row good = a_row("deveui.acme.test", 0x13);
    struct fr_primary_row row = good;

    assert_int_equal(put(f->store, &good), FR_OK);
    assert_int_equal(put(f->store, &good), FR_OK);
    row = a_row("other.acme.test", 0x13);
    assert_int_equal(put(f->store, &row), FR_E_CONFLICT); /* two zones for one NetID */
    row = a_row("other.acme.test", 0x2b);
    assert_int_equal(put(f->store, &row), FR_E_INVALID); /* another member's NetID */
    row = a_row("", 0x2a);
    assert_int_equal(put(f->store, &row), FR_E_INVALID);
    row = a_row("a..b", 0x2a);
    assert_int_equal(put(f->store, &row), FR_E_INVALID);
    row = a_row("other.acme.test", 0x2a);
    row.key_name[0] = '\0';
    assert_int_equal(put(f->store, &row), FR_E_INVALID); /* clear text that nobody signs */
    row.has_tls = true;
    assert_int_equal(put(f->store, &row), FR_E_INVALID); /* whoever answers */
    row.has_pin = true;
    assert_int_equal(put(f->store, &row), FR_OK);
    row.has_pin = false;
    strcpy(row.ca, "-----BEGIN CERTIFICATE-----\n");
    assert_int_equal(put(f->store, &row), FR_E_INVALID); /* any certificate of that CA */
    strcpy(row.tls_name, "ns1.acme.test");
    assert_int_equal(put(f->store, &row), FR_OK);
    row = good;
    row.max_gone = 101;
    assert_int_equal(put(f->store, &row), FR_E_INVALID);
    row = good;
    strcpy(row.member, "nobody");
    assert_int_equal(put(f->store, &row), FR_E_NOT_FOUND);
}

static enum fr_err count(void *data, const struct fr_primary_row *row)
{
    unsigned *n = data;

    assert_string_equal(row->member, "acme");
    ++*n;
    return FR_OK;
}

static void a_row_its_state_and_its_list_go_together(void **state)
{
    struct fixture *f = *state;
    struct fr_primary_row row = a_row("deveui.acme.test", 0x13), got;
    struct fr_primary_state set = {.has_serial = true, .serial = 7, .taken = 12, .is_plain = true},
                            there;
    struct fr_primary_left *left = calloc(1, sizeof *left), *again = calloc(1, sizeof *again);
    unsigned n = 0;

    left->n = FR_PRIMARY_LEFT_MAX;
    for (unsigned i = 0; i < left->n; i++) {
        memset(left->items[i].name, 'x', FR_PRIMARY_LEFT_TEXT);
        strcpy(left->items[i].why, "another member's device");
    }
    assert_int_equal(put(f->store, &row), FR_OK);
    struct fr_change *change = begin_change(f->store);
    assert_int_equal(fr_primary_note(change, "acme", row.zone, &set, left), FR_OK);
    assert_int_equal(fr_primary_note(change, "acme", "gone.test", &set, NULL), FR_E_NOT_FOUND);
    commit_change(change);

    struct fr_snap *snap = begin_snap(f->store);
    assert_int_equal(fr_primary_get(snap, "acme", row.zone, &got), FR_OK);
    assert_int_equal(got.created_s, NOW);
    assert_string_equal(got.key_name, "acme.key");
    assert_int_equal(fr_primary_state_get(snap, "acme", row.zone, &there), FR_OK);
    assert_memory_equal(&there, &set, sizeof set);
    assert_int_equal(fr_primary_left_get(snap, "acme", row.zone, again), FR_OK);
    assert_memory_equal(again, left, sizeof *left);
    assert_int_equal(fr_primary_each(snap, count, &n), FR_OK);
    assert_int_equal(n, 1);
    fr_snap_end(snap);

    change = begin_change(f->store);
    assert_int_equal(fr_primary_forget(change, "acme"), FR_OK);
    commit_change(change);
    snap = begin_snap(f->store);
    assert_int_equal(fr_primary_get(snap, "acme", row.zone, &got), FR_E_NOT_FOUND);
    assert_int_equal(fr_primary_state_get(snap, "acme", row.zone, &there), FR_OK);
    assert_false(there.has_serial);
    assert_int_equal(fr_primary_left_get(snap, "acme", row.zone, again), FR_OK);
    assert_int_equal(again->n, 0);
    fr_snap_end(snap);
    free(left);
    free(again);
}

static void a_row_cut_anywhere_is_refused(void **state)
{
    struct fr_primary_row row = a_row("deveui.acme.test", 0x13), got = {0};
    uint8_t bytes[FR_ROW_MAX];
    struct fr_wr w = fr_wr(bytes, sizeof bytes);

    (void)state;
    memset(row.ca, 'c', FR_PRIMARY_CA_MAX);
    fr_primary_write(&w, &row);
    struct fr_span value = fr_wr_done(&w);
    assert_true(value.n > FR_PRIMARY_CA_MAX);
    for (size_t cut = 0; cut < value.n; cut++)
        assert_int_not_equal(fr_primary_read(fr_span(bytes, cut), &got), FR_OK);
    assert_int_equal(fr_primary_read(value, &got), FR_OK);
    assert_string_equal(got.ca, row.ca);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(what_cannot_be_is_refused),
        STORE_TEST(a_row_its_state_and_its_list_go_together),
        cmocka_unit_test(a_row_cut_anywhere_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
