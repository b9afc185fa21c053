#include "store/downstream.h"

#include "support/unit.h"
#include "unit/store/fixture.h"

static enum fr_err put(struct fr_store *store, const struct fr_downstream_row *row)
{
    struct fr_change *change = begin_change(store);
    enum fr_err err = fr_downstream_put(change, row, NULL);

    if (err)
        fr_change_cancel(change);
    else
        commit_change(change);
    return err;
}

static void rows_that_may_and_may_not_be(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *label;
        struct fr_downstream_row row;
        enum fr_err err;
    } rows[] = {
        {"a key", {.name = "ns2", .key_name = "a.key"}, FR_OK},
        {"the same again", {.name = "ns2", .key_name = "a.key"}, FR_OK},
        {"over TLS", {.name = "ns3", .has_xot = true}, FR_OK},
        {"both", {.name = "ns4", .key_name = "b.key", .has_xot = true}, FR_OK},
        {"no proof", {.name = "ns5"}, FR_E_INVALID},
        {"another's key", {.name = "ns6", .key_name = "a.key"}, FR_E_CONFLICT},
        {"no name", {.name = "", .has_xot = true}, FR_E_INVALID},
        {"upper case", {.name = "NS", .has_xot = true}, FR_E_INVALID},
        {"a dash first", {.name = "-a", .has_xot = true}, FR_E_INVALID},
        {"a dot", {.name = "a.b", .has_xot = true}, FR_E_INVALID},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (put(f->store, &rows[i].row) != rows[i].err) fail_msg("%s", rows[i].label);
}

static enum fr_err count(void *data, const struct fr_downstream_row *row)
{
    size_t *n = data;

    assert_int_equal(row->name[2], (char)('1' + *n)); /* in the order of their names */
    ++*n;
    return FR_OK;
}

static void put_get_remove(void **state)
{
    struct fixture *f = *state;
    struct fr_downstream_row row = {.name = "ns2", .n_addrs = 1, .has_xot = true}, got;
    size_t n = 0;

    row.addrs[0] = addr("[2001:db8::53]:53");
    assert_int_equal(put(f->store, &row), FR_OK);
    strcpy(row.name, "ns1");
    assert_int_equal(put(f->store, &row), FR_OK);
    struct fr_snap *snap = begin_snap(f->store);
    assert_int_equal(fr_downstream_get(snap, "ns2", &got), FR_OK);
    assert_true(fr_addr_equal(&got.addrs[0], &row.addrs[0]));
    assert_int_equal(got.created_s, NOW);
    assert_int_equal(fr_downstream_get(snap, "ns3", &got), FR_E_NOT_FOUND);
    assert_int_equal(fr_downstream_each(snap, count, &n), FR_OK);
    assert_int_equal(n, 2);
    fr_snap_end(snap);
    struct fr_change *change = begin_change(f->store);
    assert_int_equal(fr_downstream_remove(change, "ns2"), FR_OK);
    assert_int_equal(fr_downstream_remove(change, "ns2"), FR_E_NOT_FOUND);
    commit_change(change);
}

int main(void)
{
    const struct CMUnitTest tests[] = {STORE_TEST(rows_that_may_and_may_not_be),
                                       STORE_TEST(put_get_remove)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
