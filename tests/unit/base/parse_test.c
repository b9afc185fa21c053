#include "base/parse.h"
#include "support/unit.h"

struct row {
    const char *text;
    enum fr_err want;
    uint64_t value;
};

static void numbers(void **state)
{
    static const struct row rows[] = {
        {"5", FR_OK, 5},
        {"10", FR_OK, 10},
        {"00007", FR_OK, 7},
        {"4", FR_E_RANGE, 0},
        {"11", FR_E_RANGE, 0},
        {"", FR_E_MALFORMED, 0},
        {"-5", FR_E_MALFORMED, 0},
        {"+5", FR_E_MALFORMED, 0},
        {" 5", FR_E_MALFORMED, 0},
        {"5 ", FR_E_MALFORMED, 0},
        {"5x", FR_E_MALFORMED, 0},
        {"0x5", FR_E_MALFORMED, 0},
        {"18446744073709551616", FR_E_RANGE, 0},
        {"99999999999999999999999", FR_E_RANGE, 0},
    };
    uint64_t v;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        v = 77;
        CHECK_ROW(rows[i].text, fr_parse_u64(fr_span_str(rows[i].text), 5, 10, &v) == rows[i].want);
        CHECK_ROW(rows[i].text, v == (rows[i].want ? 77 : rows[i].value));
    }
    assert_int_equal(fr_parse_u64(FR_SPAN_LIT("18446744073709551615"), 0, UINT64_MAX, &v), FR_OK);
    assert_true(v == UINT64_MAX);
}

static void signed_numbers(void **state)
{
    int64_t v = 0;

    (void)state;
    assert_int_equal(fr_parse_i64(FR_SPAN_LIT("-9223372036854775808"), INT64_MIN, INT64_MAX, &v),
                     FR_OK);
    assert_true(v == INT64_MIN);
    assert_int_equal(fr_parse_i64(FR_SPAN_LIT("9223372036854775808"), INT64_MIN, INT64_MAX, &v),
                     FR_E_RANGE);
    assert_int_equal(fr_parse_i64(FR_SPAN_LIT("-0"), -1, 1, &v), FR_OK);
    assert_true(v == 0);
    assert_int_equal(fr_parse_i64(FR_SPAN_LIT("-5"), -4, 4, &v), FR_E_RANGE);
    assert_int_equal(fr_parse_i64(FR_SPAN_LIT("--5"), -9, 9, &v), FR_E_MALFORMED);
    assert_int_equal(fr_parse_i64(FR_SPAN_LIT("-"), -9, 9, &v), FR_E_MALFORMED);
}

static void durations(void **state)
{
    static const struct row rows[] = {
        {"250ms", FR_OK, 250},      {"2s", FR_OK, 2000},
        {"15m", FR_OK, 900000},     {"1h", FR_OK, 3600000},
        {"30d", FR_OK, 2592000000}, {"0", FR_OK, 0},
        {"5", FR_E_MALFORMED, 0},   {"5 s", FR_E_MALFORMED, 0},
        {"5S", FR_E_MALFORMED, 0},  {"1h30m", FR_E_MALFORMED, 0},
        {"s", FR_E_MALFORMED, 0},   {"1.5s", FR_E_MALFORMED, 0},
        {"31d", FR_E_RANGE, 0},     {"18446744073709551615d", FR_E_RANGE, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint64_t v = 0;
        CHECK_ROW(rows[i].text, fr_parse_duration_ms(fr_span_str(rows[i].text), 0, 2592000000,
                                                     &v) == rows[i].want);
        CHECK_ROW(rows[i].text, v == rows[i].value);
    }
}

static void sizes(void **state)
{
    static const struct row rows[] = {
        {"512", FR_OK, 512},         {"64KiB", FR_OK, 65536},
        {"64MiB", FR_OK, 67108864},  {"1GiB", FR_OK, 1073741824},
        {"1TiB", FR_OK, 1ull << 40}, {"1KB", FR_E_MALFORMED, 0},
        {"1K", FR_E_MALFORMED, 0},   {"", FR_E_MALFORMED, 0},
        {"2TiB", FR_E_RANGE, 0},     {"99999999TiB", FR_E_RANGE, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint64_t v = 0;
        CHECK_ROW(rows[i].text,
                  fr_parse_size(fr_span_str(rows[i].text), 0, 1ull << 40, &v) == rows[i].want);
        CHECK_ROW(rows[i].text, v == rows[i].value);
    }
}

static void switches(void **state)
{
    static const struct row rows[] = {
        {"true", FR_OK, 1},       {"Yes", FR_OK, 1},       {"ON", FR_OK, 1},
        {"false", FR_OK, 0},      {"no", FR_OK, 0},        {"off", FR_OK, 0},
        {"1", FR_E_MALFORMED, 0}, {"", FR_E_MALFORMED, 0}, {"truee", FR_E_MALFORMED, 0}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        bool b = false;
        CHECK_ROW(rows[i].text, fr_parse_bool(fr_span_str(rows[i].text), &b) == rows[i].want &&
                                    b == rows[i].value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers), cmocka_unit_test(signed_numbers), cmocka_unit_test(durations),
        cmocka_unit_test(sizes),   cmocka_unit_test(switches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
