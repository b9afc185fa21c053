#include "base/json_out.h"
#include "support/unit.h"

static void document(void **state)
{
    struct fr_buf b = FR_BUF_INIT(1000);
    struct fr_json j = fr_json(&b);

    (void)state;
    fr_json_object(&j);
    fr_json_put_str(&j, "a", "x");
    fr_json_put_uint(&j, "b", UINT64_MAX);
    fr_json_put_bool(&j, "c", true);
    fr_json_key(&j, "d");
    fr_json_array(&j);
    fr_json_int(&j, -1);
    fr_json_null(&j);
    fr_json_object(&j);
    fr_json_end(&j);
    fr_json_array(&j);
    fr_json_end(&j);
    fr_json_end(&j);
    fr_json_put_str(&j, "e", NULL);
    fr_json_end(&j);
    fr_json_end(&j); /* one too many does nothing */
    assert_string_equal(
        fr_buf_str(&b),
        "{\"a\":\"x\",\"b\":18446744073709551615,\"c\":true,\"d\":[-1,null,{},[]],\"e\":null}");
    fr_buf_deinit(&b);
}

static void texts_are_escaped(void **state)
{
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"a\"b\\c", "\"a\\\"b\\\\c\""},
        {"\n\t\x01\x7f", "\"\\n\\u0009\\u0001\\u007f\""},
        {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""},
        {"\xff", "\"\xef\xbf\xbd\""},
        {"\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\""},                 /* overlong */
        {"\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""}, /* surrogate */
        {"\xe2\x82", "\"\xef\xbf\xbd\xef\xbf\xbd\""},                 /* cut */
        {"\xf4\x90\x80\x80",
         "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""}, /* past U+10FFFF */
        {"", "\"\""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fr_buf b = FR_BUF_INIT(1000);
        struct fr_json j = fr_json(&b);
        fr_json_str(&j, rows[i].in);
        assert_string_equal(fr_buf_str(&b), rows[i].out);
        fr_buf_deinit(&b);
    }
}

static void depth_is_limited(void **state)
{
    struct fr_buf b = FR_BUF_INIT(1000);
    struct fr_json j = fr_json(&b);

    (void)state;
    for (int i = 0; i < 32; i++) fr_json_array(&j);
    assert_int_equal(fr_buf_err(&b), FR_OK);
    fr_json_array(&j);
    assert_int_equal(fr_buf_err(&b), FR_E_LIMIT);
    fr_buf_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(document),
        cmocka_unit_test(texts_are_escaped),
        cmocka_unit_test(depth_is_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
