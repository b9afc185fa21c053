#include "store/idempotency.h"

#include "fixture.h"

#include <string.h>

#define DAY 86400

static const uint8_t ONE[FR_IDEM_ID_SIZE] = {1}, TWO[FR_IDEM_ID_SIZE] = {2};

static struct fr_change *change_at(struct fr_store *store, int64_t now_s)
{
    const struct fr_change_by by = {.actor = "test", .now_s = now_s};
    struct fr_change *change = NULL;
    assert_int_equal(fr_store_change(store, &by, NULL, &change), FR_OK);
    return change;
}

static enum fr_err put(struct fr_store *store, int64_t now_s, const uint8_t *id,
                       const struct fr_idem_slice *part)
{
    struct fr_change *change = change_at(store, now_s);
    uint64_t sequence;
    enum fr_err err = fr_idem_put(change, id, part);
    if (err) {
        fr_change_cancel(change);
        return err;
    }
    return fr_change_commit(change, NULL, &sequence);
}

static enum fr_err get(struct fr_store *store, int64_t now_s, const uint8_t *id, uint32_t first,
                       struct fr_idem_slice *out)
{
    struct fr_snap *snap = NULL;
    assert_int_equal(fr_snap_begin(store, &snap), FR_OK);
    enum fr_err err = fr_idem_get(snap, id, now_s, first, 0, out);
    fr_snap_end(snap);
    return err;
}

static void fill(struct fr_idem_slice *part, uint32_t first, const char *results)
{
    *part = (struct fr_idem_slice){.first = first, .n = (uint32_t)strlen(results), .digest = {7}};
    part->of = part->n;
    memcpy(part->results, results, part->n);
}

static void parts_hold_a_day_and_not_three(void **state)
{
    struct fixture *f = *state;
    static struct fr_idem_slice part, got;
    const int64_t start = NOW / DAY * DAY + DAY - 1; /* the day's last second */
    fill(&part, 0, "aaaat");
    assert_int_equal(put(f->store, start, ONE, &part), FR_OK);
    assert_int_equal(put(f->store, start, ONE, &part), FR_E_CONFLICT);
    fill(&part, 5, "s");
    part.is_last = true;
    assert_int_equal(put(f->store, start + 10, ONE, &part), FR_OK); /* the next day */
    assert_int_equal(get(f->store, start + DAY, ONE, 0, &got), FR_OK);
    assert_int_equal(got.n, 5);
    assert_false(got.is_last);
    assert_memory_equal(got.results, "aaaat", 5);
    assert_int_equal(got.digest[0], 7);
    assert_int_equal(get(f->store, start + DAY, ONE, 5, &got), FR_OK);
    assert_true(got.is_last);
    assert_int_equal(get(f->store, start + DAY, ONE, 6, &got), FR_E_NOT_FOUND);
    assert_int_equal(get(f->store, start + DAY, TWO, 0, &got), FR_E_NOT_FOUND);
    assert_int_equal(get(f->store, start + 3 * DAY, ONE, 0, &got), FR_E_NOT_FOUND);
    fill(&part, 0, "a");
    assert_int_equal(put(f->store, start + 3 * DAY, TWO, &part), FR_OK); /* sweeps */
    assert_int_equal(get(f->store, start + DAY, ONE, 0, &got), FR_E_NOT_FOUND);
    assert_int_equal(get(f->store, start + 3 * DAY, TWO, 0, &got), FR_OK);
}

static void rows_come_back_as_they_were(void **state)
{
    (void)state;
    static struct fr_idem_slice part, got;
    static uint8_t bytes[FR_IDEM_VALUE_MAX];
    for (size_t kind = 0; kind < 3; kind++) {
        part = (struct fr_idem_slice){.n = kind == 0 ? 0 : FR_IDEM_LINES, .is_last = kind == 1};
        part.at = (uint32_t)kind * FR_IDEM_LINES;
        part.of = part.at + part.n + (kind == 2);
        for (uint32_t i = 0; i < part.n; i++) part.results[i] = kind == 1 ? 'a' : "as"[i % 2];
        struct fr_wr w = fr_wr(bytes, sizeof bytes);
        fr_idem_write(&w, &part);
        struct fr_span value = fr_wr_done(&w);
        assert_non_null(value.p);
        if (kind == 1) assert_true(value.n < 64); /* one run */
        memset(&got, 0, sizeof got);
        assert_int_equal(fr_idem_read(value, &got), FR_OK);
        assert_memory_equal(&got, &part, sizeof part);
        for (size_t n = 0; n < value.n && n < 100; n++)
            assert_int_not_equal(fr_idem_read(fr_span(value.p, n), &got), FR_OK);
    }
}

static void slices_of_a_part_stand_side_by_side(void **state)
{
    struct fixture *f = *state;
    static struct fr_idem_slice part, got;
    struct fr_snap *snap = NULL;
    for (uint32_t at = 0; at < 6; at += 3) {
        fill(&part, 100, at ? "xyz" : "abc");
        part.at = at;
        part.of = 6;
        assert_int_equal(put(f->store, NOW, ONE, &part), FR_OK);
        assert_int_equal(put(f->store, NOW, ONE, &part), FR_E_CONFLICT);
    }
    assert_int_equal(fr_snap_begin(f->store, &snap), FR_OK);
    assert_int_equal(fr_idem_get(snap, ONE, NOW, 100, 3, &got), FR_E_NOT_FOUND); /* no line 0 */
    fr_snap_end(snap);
    fill(&part, 0, "s");
    assert_int_equal(put(f->store, NOW, ONE, &part), FR_OK);
    assert_int_equal(fr_snap_begin(f->store, &snap), FR_OK);
    assert_int_equal(fr_idem_get(snap, ONE, NOW, 100, 3, &got), FR_OK);
    assert_int_equal(got.of, 6);
    assert_memory_equal(got.results, "xyz", 3);
    assert_int_equal(fr_idem_get(snap, ONE, NOW, 103, 0, &got),
                     FR_E_CONFLICT); /* no part's start */
    assert_int_equal(fr_idem_get(snap, ONE, NOW, 100, 6, &got), FR_E_NOT_FOUND);
    fr_snap_end(snap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(parts_hold_a_day_and_not_three),
        STORE_TEST(slices_of_a_part_stand_side_by_side),
        cmocka_unit_test(rows_come_back_as_they_were),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
