#include "usage/hours.h"

#include "support/unit.h"

#define HOUR 3600
#define START (500000 * (int64_t)HOUR)

static void a_day_is_counted_and_no_more(void **state)
{
    struct fr_hours hours = {0};

    (void)state;
    assert_int_equal(fr_hours_sum(&hours, START), 0);
    for (int h = 0; h < 24; h++)
        for (int i = 0; i <= h; i++) fr_hours_add(&hours, START + h * HOUR + i);
    assert_int_equal(fr_hours_sum(&hours, START + 23 * HOUR), 300);
    assert_int_equal(fr_hours_sum(&hours, START + 24 * HOUR - 1), 300);
    assert_int_equal(fr_hours_sum(&hours, START + 24 * HOUR), 299);
    assert_int_equal(fr_hours_sum(&hours, START + 46 * HOUR), 24);
    assert_int_equal(fr_hours_sum(&hours, START + 47 * HOUR), 0);
    fr_hours_add(&hours, START + 48 * HOUR);
    assert_int_equal(fr_hours_sum(&hours, START + 48 * HOUR), 1);
}

/* A clock that was ahead and is put right: what it counted then is not of this day. */
static void what_the_future_counted_is_left_out(void **state)
{
    struct fr_hours hours = {0};

    (void)state;
    fr_hours_add(&hours, START + 100 * HOUR);
    assert_int_equal(fr_hours_sum(&hours, START), 0);
    fr_hours_add(&hours, START + 4 * HOUR); /* the same place */
    assert_int_equal(fr_hours_sum(&hours, START + 4 * HOUR), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_day_is_counted_and_no_more),
        cmocka_unit_test(what_the_future_counted_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
