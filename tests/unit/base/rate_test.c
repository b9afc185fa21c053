#include "base/rate.h"

#include "support/unit.h"

static unsigned take_all(struct fr_rate *r, int64_t now_ms, uint32_t burst, uint32_t per_s)
{
    unsigned n = 0;
    while (n < 100000 && fr_rate_take(r, now_ms, burst, per_s)) n++;
    return n;
}

static void a_burst_then_so_many_a_second(void **state)
{
    static const struct {
        const char *label;
        uint32_t burst, per_s;
        int64_t after_ms;
        unsigned first, then;
    } rows[] = {
        {"nothing is allowed", 0, 10, 5000, 0, 0},
        {"one at once", 1, 1, 999, 1, 0},
        {"and one a second later", 1, 1, 1000, 1, 1},
        {"a tenth of a second", 100, 10, 100, 100, 1},
        {"never more than a burst", 100, 10, 1000000, 100, 100},
        {"a whole month", 100, 1, 30ll * 86400000, 100, 100},
        {"none comes back", 5, 0, 1000000, 5, 0},
        {"the clock goes back", 5, 100, -1000, 5, 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fr_rate r = {0};
        CHECK_ROW(rows[i].label, take_all(&r, 5000, rows[i].burst, rows[i].per_s) == rows[i].first);
        CHECK_ROW(rows[i].label, take_all(&r, 5000 + rows[i].after_ms, rows[i].burst,
                                          rows[i].per_s) == rows[i].then);
    }
}

static void what_is_given_back_can_be_used(void **state)
{
    struct fr_rate r = {0};
    (void)state;

    assert_int_equal(take_all(&r, 0, 10, 0), 10);
    fr_rate_give(&r, 3);
    assert_int_equal(take_all(&r, 0, 10, 0), 3);
    fr_rate_give(&r, 1000000);
    assert_int_equal(take_all(&r, 0, 10, 0), 10);
}

static void the_largest_numbers_do_not_overflow(void **state)
{
    struct fr_rate r = {0};
    (void)state;

    assert_true(fr_rate_take(&r, INT64_MAX / 2, UINT32_MAX, UINT32_MAX));
    assert_true(fr_rate_take(&r, INT64_MAX, UINT32_MAX, UINT32_MAX));
    r.used = (uint64_t)UINT32_MAX * 1000;
    assert_false(fr_rate_take(&r, INT64_MAX, UINT32_MAX, UINT32_MAX));
    fr_rate_give(&r, UINT32_MAX);
    assert_true(fr_rate_take(&r, INT64_MAX, UINT32_MAX, UINT32_MAX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_burst_then_so_many_a_second),
        cmocka_unit_test(what_is_given_back_can_be_used),
        cmocka_unit_test(the_largest_numbers_do_not_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
