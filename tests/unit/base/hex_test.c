#include "base/hex.h"
#include "support/unit.h"

static void print_and_parse(void **state)
{
    char text[17];
    uint8_t out[3];
    uint64_t v = 0;

    (void)state;
    fr_hex_print("\x00\xab\xff", 3, text);
    assert_string_equal(text, "00abff");
    assert_int_equal(fr_hex_parse(FR_SPAN_LIT("00aBfF"), out, 3), FR_OK);
    assert_memory_equal(out, "\x00\xab\xff", 3);
    fr_hex_print_u64(0x70b3d57ed0000001, 16, text);
    assert_string_equal(text, "70b3d57ed0000001");
    fr_hex_print_u64(0x13, 6, text);
    assert_string_equal(text, "000013");
    assert_int_equal(fr_hex_parse_u64(FR_SPAN_LIT("70B3d57ed0000001"), 16, &v), FR_OK);
    assert_int_equal(v, 0x70b3d57ed0000001);
}

static void refused(void **state)
{
    static const char *const rows[] = {"",       "0",      "00112",  "0011223", "00112233",
                                       "00112g", "0x1122", " 01122", "00112\n"};
    uint8_t out[3] = {9, 9, 9};
    uint64_t v = 9;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        CHECK_ROW(rows[i],
                  fr_hex_parse(fr_span_str(rows[i]), out, 3) == FR_E_MALFORMED && out[0] == 9);
        CHECK_ROW(rows[i],
                  fr_hex_parse_u64(fr_span_str(rows[i]), 6, &v) == FR_E_MALFORMED && v == 9);
    }
    assert_int_equal(fr_hex_parse_u64(FR_SPAN_LIT(""), 0, &v), FR_E_MALFORMED);
    assert_int_equal(fr_hex_parse_u64(FR_SPAN_LIT("00000000000000001"), 17, &v), FR_E_MALFORMED);
}

static void into_a_buffer(void **state)
{
    struct fr_buf b = FR_BUF_INIT(2);

    (void)state;
    assert_int_equal(fr_hex_parse_buf(FR_SPAN_LIT("0102"), &b), FR_OK);
    assert_memory_equal(b.p, "\1\2", 2);
    assert_int_equal(fr_hex_parse_buf(FR_SPAN_LIT(""), &b), FR_OK);
    assert_int_equal(fr_hex_parse_buf(FR_SPAN_LIT("0g"), &b), FR_E_MALFORMED);
    assert_int_equal(fr_hex_parse_buf(FR_SPAN_LIT("012"), &b), FR_E_MALFORMED);
    assert_int_equal(fr_hex_parse_buf(FR_SPAN_LIT("03"), &b), FR_E_LIMIT);
    fr_buf_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(print_and_parse),
        cmocka_unit_test(refused),
        cmocka_unit_test(into_a_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
