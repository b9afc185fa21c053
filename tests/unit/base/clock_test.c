#include "base/clock.h"
#include "support/unit.h"

#include <string.h>

static void dates(void **state)
{
    static const struct {
        const char *text;
        enum fr_err want;
        int64_t value;
    } rows[] = {
        {"1970-01-01T00:00:00Z", FR_OK, 0},
        {"2026-11-20T06:52:19Z", FR_OK, 1795157539},
        {"2026-11-20T06:52:19.123456789Z", FR_OK, 1795157539},
        {"2024-02-29T12:00:00Z", FR_OK, 1709208000},
        {"2026-11-20", FR_OK, 1795132800},
        {"9999-12-31T23:59:59Z", FR_OK, 253402300799},
        {"2026-02-29T00:00:00Z", FR_E_MALFORMED, 0},
        {"2026-04-31", FR_E_MALFORMED, 0},
        {"2026-13-01", FR_E_MALFORMED, 0},
        {"2026-00-01", FR_E_MALFORMED, 0},
        {"1969-12-31T23:59:59Z", FR_E_MALFORMED, 0},
        {"2026-11-20T24:00:00Z", FR_E_MALFORMED, 0},
        {"2026-11-20T06:52:19", FR_E_MALFORMED, 0},
        {"2026-11-20T06:52:19+01:00", FR_E_MALFORMED, 0},
        {"2026-11-20T06:52:19.Z", FR_E_MALFORMED, 0},
        {"2026-11-20T06:52:19.1234567890Z", FR_E_MALFORMED, 0},
        {"2026-11-20 06:52:19Z", FR_E_MALFORMED, 0},
        {"2026-11-2", FR_E_MALFORMED, 0},
        {"", FR_E_MALFORMED, 0},
        {"2026-11-20T06:52:19ZZ", FR_E_MALFORMED, 0},
        {"+026-11-20", FR_E_MALFORMED, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t v = 0;
        char text[FR_TIME_TEXT];
        CHECK_ROW(rows[i].text, fr_time_parse(fr_span_str(rows[i].text), &v) == rows[i].want &&
                                    v == rows[i].value);
        if (strlen(rows[i].text) != 20 || rows[i].want != FR_OK) continue;
        fr_time_print(v, text);
        CHECK_ROW(rows[i].text, strcmp(text, rows[i].text) == 0);
    }
    char text[FR_TIME_TEXT];
    int64_t leap = 0;
    fr_time_print(INT64_MAX, text);
    assert_string_equal(text, "9999-12-31T23:59:59Z");
    fr_time_print(-5, text);
    assert_string_equal(text, "1970-01-01T00:00:00Z");
    assert_int_equal(fr_time_parse(FR_SPAN_LIT("2016-12-31T23:59:60Z"), &leap), FR_OK);
    assert_true(leap == 1483228799);
}

static void milliseconds(void **state)
{
    char text[FR_TIME_MS_TEXT];

    (void)state;
    fr_time_print_ms(1795157539042, text);
    assert_string_equal(text, "2026-11-20T06:52:19.042Z");
    fr_time_print_ms(-1, text);
    assert_string_equal(text, "1970-01-01T00:00:00.000Z");
}

static int64_t fake_mono(void *data)
{
    return *(int64_t *)data;
}

static int64_t fake_real(void *data)
{
    return *(int64_t *)data * 2000;
}

static void a_clock_is_a_value(void **state)
{
    int64_t now = 21;
    const struct fr_clock fake = {fake_mono, fake_real, &now};

    (void)state;
    assert_int_equal(fr_clock_mono_ms(&fake), 21);
    assert_int_equal(fr_clock_real_ms(&fake), 42000);
    assert_int_equal(fr_clock_real_s(&fake), 42);
    int64_t before = fr_clock_mono_ms(fr_clock_system());
    assert_true(fr_clock_mono_ms(fr_clock_system()) >= before);
    assert_true(fr_clock_real_s(fr_clock_system()) > 1700000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(dates), cmocka_unit_test(milliseconds),
                                       cmocka_unit_test(a_clock_is_a_value)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
