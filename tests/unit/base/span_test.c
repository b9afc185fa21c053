#include "base/span.h"
#include "support/unit.h"

static void compare(void **state)
{
    (void)state;
    assert_true(fr_span_equal((struct fr_span){0}, fr_span("x", 0)));
    assert_true(fr_span_is(FR_SPAN_LIT("ab"), "ab"));
    assert_false(fr_span_is(FR_SPAN_LIT("ab"), "abc"));
    assert_true(fr_span_equal_nocase(FR_SPAN_LIT("aB-Z"), FR_SPAN_LIT("Ab-z")));
    assert_false(fr_span_equal_nocase(FR_SPAN_LIT("@"), FR_SPAN_LIT("`")));
    assert_false(fr_span_equal_nocase(FR_SPAN_LIT("a"), FR_SPAN_LIT("ab")));
    assert_true(fr_span_starts(FR_SPAN_LIT("abc"), "ab") && fr_span_starts(FR_SPAN_LIT("abc"), ""));
    assert_false(fr_span_starts(FR_SPAN_LIT("a"), "ab"));
    assert_true(fr_span_ends(FR_SPAN_LIT("abc"), "bc") && fr_span_ends((struct fr_span){0}, ""));
    assert_false(fr_span_ends(FR_SPAN_LIT("c"), "bc"));
    assert_int_equal(fr_span_str(NULL).n, 0);
}

static void cut_and_trim(void **state)
{
    static const struct {
        const char *in, *head, *rest;
        bool found;
    } rows[] = {{"a:b:c", "a", "b:c", true},
                {"abc", "abc", "", false},
                {":", "", "", true},
                {"", "", "", false},
                {"a:", "a", "", true}};
    struct fr_span head, rest;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        CHECK_ROW(rows[i].in,
                  fr_span_cut(fr_span_str(rows[i].in), ':', &head, &rest) == rows[i].found);
        CHECK_ROW(rows[i].in, fr_span_is(head, rows[i].head) && fr_span_is(rest, rows[i].rest));
    }
    assert_true(fr_span_is(fr_span_trim(FR_SPAN_LIT(" \t a b\r\n")), "a b"));
    assert_int_equal(fr_span_trim(FR_SPAN_LIT(" \n ")).n, 0);
}

static void copy_refuses_what_a_string_cannot_hold(void **state)
{
    char out[4] = "xyz";

    (void)state;
    assert_false(fr_span_copy(FR_SPAN_LIT("abcd"), out, sizeof out));
    assert_false(fr_span_copy(fr_span("a\0b", 3), out, sizeof out));
    assert_string_equal(out, "xyz");
    assert_true(fr_span_copy(FR_SPAN_LIT("abc"), out, sizeof out));
    assert_string_equal(out, "abc");
    assert_true(fr_span_copy((struct fr_span){0}, out, sizeof out));
    assert_string_equal(out, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compare),
        cmocka_unit_test(cut_and_trim),
        cmocka_unit_test(copy_refuses_what_a_string_cannot_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
