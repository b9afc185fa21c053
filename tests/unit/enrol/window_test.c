#include "enrol/window.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void windows_hold_their_minutes(void **state)
{
    static const struct {
        const char *text;
        unsigned minute;
        bool is_in;
    } rows[] = {
        {"02:00-04:00", 119, false}, {"02:00-04:00", 120, true},  {"02:00-04:00", 239, true},
        {"02:00-04:00", 240, false}, {"23:30-01:00", 1410, true}, {"23:30-01:00", 1439, true},
        {"23:30-01:00", 0, true},    {"23:30-01:00", 60, false},  {"00:00-23:59", 1438, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fr_window w;
        assert_int_equal(fr_window_parse(fr_span_str(rows[i].text), NULL, &w), FR_OK);
        assert_int_equal(fr_window_has(&w, rows[i].minute), rows[i].is_in);
    }
}

static void other_texts_are_refused(void **state)
{
    static const char *const rows[] = {"",
                                       "02:00",
                                       "2:00-4:00",
                                       "02:00-02:00",
                                       "24:00-01:00",
                                       "02:60-03:00",
                                       "02.00-03.00",
                                       "02:00-03:00x",
                                       "-",
                                       "02:00 -03:00"};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fr_window w;
        assert_int_equal(fr_window_parse(fr_span_str(rows[i]), NULL, &w), FR_E_INVALID);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_hold_their_minutes),
        cmocka_unit_test(other_texts_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
