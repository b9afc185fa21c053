#include "gateway/window.h"

#include "gateway/region.h"
#include "support/unit.h"

#include <string.h>

static void test_choose(void **state)
{
    static const struct {
        const char *label;
        int64_t now;
        uint8_t delay;
        bool rx1, rx2;
        enum fr_window after, expected;
        uint32_t left;
    } ROWS[] = {
        {"at once", 1000, 5, true, true, FR_WINDOW_NONE, FR_WINDOW_RX1, 5900},
        {"last moment of RX1", 5900, 5, true, true, FR_WINDOW_NONE, FR_WINDOW_RX1, 1000},
        {"just past RX1", 5901, 5, true, true, FR_WINDOW_NONE, FR_WINDOW_RX2, 999},
        {"last moment of RX2", 6900, 5, true, true, FR_WINDOW_NONE, FR_WINDOW_RX2, 0},
        {"past both", 6901, 5, true, true, FR_WINDOW_NONE, FR_WINDOW_NONE, 0},
        {"after RX1", 1000, 5, true, true, FR_WINDOW_RX1, FR_WINDOW_RX2, 5900},
        {"after RX2", 1000, 5, true, true, FR_WINDOW_RX2, FR_WINDOW_NONE, 5900},
        {"RX1 alone", 5901, 5, true, false, FR_WINDOW_NONE, FR_WINDOW_NONE, 0},
        {"RX2 alone", 1000, 5, false, true, FR_WINDOW_NONE, FR_WINDOW_RX2, 5900},
        {"no window", 1000, 5, false, false, FR_WINDOW_NONE, FR_WINDOW_NONE, 4900},
        {"data, 1 s", 1900, 1, true, true, FR_WINDOW_NONE, FR_WINDOW_RX1, 1000},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(ROWS); i++) {
        struct fr_windows w = {.received_ms = 1000,
                               .rx1_delay_s = ROWS[i].delay,
                               .has_rx1 = ROWS[i].rx1,
                               .has_rx2 = ROWS[i].rx2,
                               .lead_ms = 100};
        CHECK_ROW(ROWS[i].label,
                  fr_window_choose(&w, ROWS[i].after, ROWS[i].now) == ROWS[i].expected);
        CHECK_ROW(ROWS[i].label, fr_window_left_ms(&w, ROWS[i].now) == ROWS[i].left);
    }
    struct fr_windows join = {.rx1_delay_s = FR_JOIN_RX1_DELAY_S};
    assert_int_equal(fr_window_delay_us(&join, FR_WINDOW_RX1), 5000000);
    assert_int_equal(fr_window_delay_us(&join, FR_WINDOW_RX2), 6000000);
}

static void test_region(void **state)
{
    (void)state;
    for (uint8_t dr = 0; dr <= 6; dr++) {
        assert_int_equal(fr_eu868_dr_parse(fr_span_str(fr_eu868_dr_print(dr))), dr);
    }
    assert_null(fr_eu868_dr_print(7));
    assert_int_equal(fr_eu868_dr_from_fsk(50000), 7);
    assert_int_equal(fr_eu868_dr_from_fsk(50001), -1);
    assert_int_equal(fr_eu868_dr_parse(fr_span_str("sf7bw125")), -1);
    assert_int_equal(fr_eu868_power_dbm(868100000), 14);
    assert_int_equal(fr_eu868_power_dbm(869525000), 27);
    assert_false(fr_eu868_has_hz(915000000));
    assert_string_equal(fr_window_print(FR_WINDOW_NONE), "none");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_choose),
        cmocka_unit_test(test_region),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
