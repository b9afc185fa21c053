#include "store/lookups.h"

#include "fixture.h"

#include <stdio.h>

static enum fr_err print_row(void *data, const struct fr_lookup_row *row)
{
    char *text = data;

    sprintf(text + strlen(text), "%u %s %06x %llu\n", row->day, row->visited, row->netid,
            (unsigned long long)row->count);
    return FR_OK;
}

static void assert_rows(struct fr_store *store, uint32_t first, uint32_t last, const char *want)
{
    struct fr_snap *snap = begin_snap(store);
    char text[1024] = "";

    assert_int_equal(fr_lookups_each(snap, first, last, print_row, text), FR_OK);
    assert_string_equal(text, want);
    fr_snap_end(snap);
}

static void counts_add_up_by_day_and_pair(void **state)
{
    static const struct fr_lookup_row once[] = {
        {20001, "bolt", 0x13, 5}, {20000, "bolt", 0x13, 2},  {20000, "acme", 0x2b, 1},
        {20000, "bolt", 0x13, 3}, {20000, "bolt", 0x2a, 1},  {20031, "acme", 0x2b, 9},
        {0, "acme", 0x2b, 1},     {UINT32_MAX, "a", 0x1, 1},
    };
    struct fixture *f = *state;

    assert_rows(f->store, 0, UINT32_MAX, "");
    assert_int_equal(fr_lookups_add(f->store, once, 0), FR_OK);
    assert_int_equal(fr_lookups_add(f->store, once, 8), FR_OK);
    assert_int_equal(fr_lookups_add(f->store, once, 1), FR_OK);
    assert_rows(f->store, 20000, 20030,
                "20000 acme 00002b 1\n20000 bolt 000013 5\n20000 bolt 00002a 1\n"
                "20001 bolt 000013 10\n");
    assert_rows(f->store, 20001, 20001, "20001 bolt 000013 10\n");
    assert_rows(f->store, 20002, 20030, "");
    assert_rows(f->store, 20031, UINT32_MAX, "20031 acme 00002b 9\n4294967295 a 000001 1\n");
}

/* They are no changes: the sequence, and with it the SOA, stays. */
static void counting_is_no_change(void **state)
{
    static const struct fr_lookup_row row = {20000, "bolt", 0x13, 2};
    struct fixture *f = *state;
    struct fr_snap *snap = begin_snap(f->store);
    uint64_t sequence = fr_snap_sequence(snap), standing = fr_snap_standing(snap);

    assert_int_equal(fr_lookups_add(f->store, &row, 1), FR_OK);
    fr_snap_reset(snap);
    assert_int_equal(fr_snap_renew(snap), FR_OK);
    assert_int_equal(fr_snap_sequence(snap), sequence);
    assert_int_equal(fr_snap_standing(snap), standing);
    fr_snap_end(snap);
}

static void old_days_are_dropped(void **state)
{
    struct fixture *f = *state;
    static struct fr_lookup_row many[10001];
    bool left = true;

    for (uint32_t i = 0; i < 10001; i++)
        many[i] =
            (struct fr_lookup_row){.day = 10 + i % 5, .visited = "acme", .netid = i, .count = 1};
    assert_int_equal(fr_lookups_add(f->store, many, 10001), FR_OK);
    assert_int_equal(fr_lookups_drop(f->store, 10, &left), FR_OK);
    assert_false(left);
    assert_int_equal(fr_lookups_drop(f->store, 20, &left), FR_OK);
    assert_true(left);
    assert_rows(f->store, 0, 20, "14 acme 00270f 1\n"); /* the last key of the last day */
    assert_int_equal(fr_lookups_drop(f->store, 20, &left), FR_OK);
    assert_false(left);
    assert_rows(f->store, 0, 20, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(counts_add_up_by_day_and_pair),
        STORE_TEST(counting_is_no_change),
        STORE_TEST(old_days_are_dropped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
