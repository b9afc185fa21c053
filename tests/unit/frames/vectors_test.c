/* The cflist_*, dlsettings_* and fcnt_full_* vectors. */
#include "frames/data.h"
#include "frames/join.h"
#include "support/vectors.h"

static void check_cflist(const char *name, const json_t *inputs, const json_t *expected)
{
    const json_t *list = json_object_get(inputs, "freqs_hz");
    uint32_t hz[5] = {0}, back[5];
    uint8_t got[FR_CFLIST_SIZE], want[FR_CFLIST_SIZE];
    size_t n = json_array_size(list);

    CHECK_ROW(name, n > 0 && n <= 5);
    for (size_t i = 0; i < n; i++) hz[i] = (uint32_t)json_integer_value(json_array_get(list, i));
    CHECK_ROW(name, fr_cflist_from_frequencies(hz, n, got) == FR_OK);
    CHECK_ROW(name, vector_bytes(expected, "expected", want, sizeof want) == sizeof want);
    assert_memory_equal(got, want, sizeof want);
    CHECK_ROW(name, fr_cflist_to_frequencies(got, back) == FR_OK);
    assert_memory_equal(back, hz, sizeof hz);
}

static void check_dl_settings(const char *name, const json_t *inputs, const json_t *expected)
{
    struct fr_dl_settings s = {
        .opt_neg = vector_uint(inputs, "OptNeg") != 0,
        .rx1_dr_offset = (uint8_t)vector_uint(inputs, "RX1DROffset"),
        .rx2_dr = (uint8_t)vector_uint(inputs, "RX2DataRate"),
    };
    uint8_t byte = (uint8_t)vector_hex(expected, "expected");
    struct fr_dl_settings back = fr_dl_settings_parse(byte);

    CHECK_ROW(name, fr_dl_settings_print(s) == byte);
    CHECK_ROW(name, back.opt_neg == s.opt_neg && back.rx1_dr_offset == s.rx1_dr_offset &&
                        back.rx2_dr == s.rx2_dr);
}

static void check_fcnt(const char *name, const json_t *inputs, const json_t *expected)
{
    uint32_t next = (uint32_t)vector_uint(inputs, "next_expected");

    CHECK_ROW(name, fr_fcnt_full(next, (uint16_t)vector_uint(inputs, "on_air")) ==
                        (uint32_t)json_integer_value(expected));
}

static void vectors(void **state)
{
    (void)state;
    assert_int_equal(vectors_each("cflist_", check_cflist), 1);
    assert_int_equal(vectors_each("dlsettings_", check_dl_settings), 4);
    assert_int_equal(vectors_each("fcnt_full_", check_fcnt), 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(vectors)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
