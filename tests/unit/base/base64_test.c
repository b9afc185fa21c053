#include "base/base64.h"
#include "support/unit.h"

#include <string.h>

/* RFC 4648 section 10, and bytes that need the two last letters. */
static void vectors(void **state)
{
    static const struct {
        const char *bytes, *std, *url;
    } rows[] = {{"", "", ""},
                {"f", "Zg==", "Zg"},
                {"fo", "Zm8=", "Zm8"},
                {"foo", "Zm9v", "Zm9v"},
                {"foob", "Zm9vYg==", "Zm9vYg"},
                {"fooba", "Zm9vYmE=", "Zm9vYmE"},
                {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
                {"\xfb\xff\xfe", "+//+", "-__-"}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fr_buf b = FR_BUF_INIT(64);
        struct fr_span bytes = fr_span_str(rows[i].bytes);
        CHECK_ROW(rows[i].std,
                  fr_base64_print(bytes, &b) == FR_OK && strcmp(fr_buf_str(&b), rows[i].std) == 0);
        fr_buf_reset(&b);
        CHECK_ROW(rows[i].url, fr_base64url_print(bytes, &b) == FR_OK &&
                                   strcmp(fr_buf_str(&b), rows[i].url) == 0);
        fr_buf_reset(&b);
        CHECK_ROW(rows[i].std, fr_base64_parse(fr_span_str(rows[i].std), &b) == FR_OK);
        CHECK_ROW(rows[i].std, fr_span_equal(fr_buf_span(&b), bytes));
        fr_buf_reset(&b);
        CHECK_ROW(rows[i].url, fr_base64url_parse(fr_span_str(rows[i].url), &b) == FR_OK);
        CHECK_ROW(rows[i].url, fr_span_equal(fr_buf_span(&b), bytes));
        fr_buf_deinit(&b);
    }
}

static void refused(void **state)
{
    static const char *const std[] = {
        "Z",     "Zg",   "Zg=",  "Zh==", "Zm9=", "====", "Zg==Zg==", "Zm9v\n",
        " Zm9v", "Zm-v", "Zm_v", "=Zm9", "Zm=v", "Z===", "Zm9v="};
    static const char *const url[] = {"Z", "Zh", "Zm9", "Zg==", "Zm+v", "Zm/v", "Zm 9", "Zm9vY"};

    (void)state;
    for (size_t i = 0; i < COUNT(std); i++) {
        struct fr_buf b = FR_BUF_INIT(64);
        CHECK_ROW(std[i], fr_base64_parse(fr_span_str(std[i]), &b) == FR_E_MALFORMED && b.n == 0);
        fr_buf_deinit(&b);
    }
    for (size_t i = 0; i < COUNT(url); i++) {
        struct fr_buf b = FR_BUF_INIT(64);
        CHECK_ROW(url[i],
                  fr_base64url_parse(fr_span_str(url[i]), &b) == FR_E_MALFORMED && b.n == 0);
        fr_buf_deinit(&b);
    }
}

static void caps_hold(void **state)
{
    struct fr_buf b = FR_BUF_INIT(3);

    (void)state;
    assert_int_equal(fr_base64_parse(FR_SPAN_LIT("Zm9vYg=="), &b), FR_E_LIMIT);
    fr_buf_reset(&b);
    assert_int_equal(fr_base64_print(FR_SPAN_LIT("foo"), &b), FR_E_LIMIT);
    fr_buf_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors),
        cmocka_unit_test(refused),
        cmocka_unit_test(caps_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
