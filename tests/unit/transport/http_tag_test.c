#include "transport/http_tag.h"

#include "support/unit.h"

#include <string.h>

static void the_same_bytes_have_the_same_tag(void **state)
{
    char one[FR_HTTP_TAG_TEXT], same[FR_HTTP_TAG_TEXT], other[FR_HTTP_TAG_TEXT];
    (void)state;
    fr_http_tag_make(fr_span_str("[1]"), one);
    fr_http_tag_make(fr_span_str("[1]"), same);
    fr_http_tag_make(fr_span_str("[2]"), other);
    assert_string_equal(one, same);
    assert_string_not_equal(one, other);
    assert_int_equal(strlen(one), 18);
    assert_true(one[0] == '"' && one[17] == '"');
}

static const struct {
    const char *condition;
    bool is_held;
} rows[] = {
    {"\"a\"", true},  {"W/\"a\"", true},    {" \"b\" ,\t\"a\"", true},
    {"*", true},      {"\"b\", *", true},   {"", false},
    {",", false},     {"\"b\"", false},     {"a", false},
    {"\"A\"", false}, {"w/\"a\"", false},   {"W/", false},
    {"\"a", false},   {",,,\"ab\"", false},
};

static void conditions_name_what_is_held(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_ROW(rows[i].condition,
                  fr_http_tag_is_held(fr_span_str(rows[i].condition), "\"a\"") == rows[i].is_held);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_same_bytes_have_the_same_tag),
                                       cmocka_unit_test(conditions_name_what_is_held)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
