#include "bench/histogram.h"

#include "support/unit.h"

static void test_small_values_are_exact(void **state)
{
    struct fr_histogram h = {0};

    (void)state;
    assert_int_equal(fr_histogram_percentile(&h, 50), 0);
    for (uint64_t v = 1; v <= 20; v++) fr_histogram_add(&h, v);
    assert_int_equal(h.count, 20);
    assert_int_equal(h.max, 20);
    assert_int_equal(fr_histogram_percentile(&h, 0), 1);
    assert_int_equal(fr_histogram_percentile(&h, 50), 10);
    assert_int_equal(fr_histogram_percentile(&h, 90), 18);
    assert_int_equal(fr_histogram_percentile(&h, 100), 20);
}

static void test_every_value_is_in_a_narrow_bucket(void **state)
{
    (void)state;
    for (uint64_t v = 0; v < (uint64_t)1 << 35; v = v * 17 / 16 + 1) {
        struct fr_histogram h = {0};
        size_t i = 0;

        fr_histogram_add(&h, v);
        while (h.bucket[i] == 0) i++;
        assert_true(fr_histogram_top(i) >= v);
        assert_true(fr_histogram_top(i) - v <= v / 32);
        assert_true(i == 0 || fr_histogram_top(i - 1) < v);
        assert_int_equal(fr_histogram_percentile(&h, 99), v); /* never above the largest */
    }
}

static void test_too_large_values_are_counted(void **state)
{
    struct fr_histogram h = {0};

    (void)state;
    fr_histogram_add(&h, UINT64_MAX);
    fr_histogram_add(&h, 3);
    assert_int_equal(h.count, 2);
    assert_int_equal(h.bucket[FR_HISTOGRAM_BUCKETS - 1], 1);
    assert_true(h.max == UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small_values_are_exact),
        cmocka_unit_test(test_every_value_is_in_a_narrow_bucket),
        cmocka_unit_test(test_too_large_values_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
