#include "base/roff.h"
#include "support/unit.h"

#include <string.h>

static void prose(void **state)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"", ""},
        {"One word.", "One word.\n"},
        {"First. Second! Third? end", "First.\nSecond!\nThird?\nend\n"},
        {"a\nb", "a b\n"},
        {"a\n\nb", "a\n.Pp\nb\n"},
        {".hidden begins", "\\&.hidden begins\n"},
        {"x. .hidden", "x.\n\\&.hidden\n"},
        {"'quoted' \"too\" \\ -x", "\\(aqquoted\\(aq \\(dqtoo\\(dq \\e \\-x\n"},
        {"EUI… → ü", "EUI\\[u2026] \\[u2192] \\[u00FC]\n"},
        {"\xff\xc3", "??\n"},
        {"\xf0\x9f\x98\x80", "\\[u1F600]\n"},
        {"aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa a",
         "aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa\naaaaaaaaa a\n"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fr_buf out = FR_BUF_INIT(4096);
        fr_roff_prose(&out, rows[i].text);
        assert_int_equal(fr_buf_err(&out), FR_OK);
        assert_string_equal(fr_buf_str(&out), rows[i].want);
        fr_buf_deinit(&out);
    }
}

static void words_are_no_macros(void **state)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"FILE", " FILE"},
        {"EUI  N", " EUI N"},
        {"No Ar ID |", " \\&No \\&Ar ID \\&|"},
        {"text|json", " text|json"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fr_buf out = FR_BUF_INIT(256);
        fr_roff_words(&out, rows[i].text);
        assert_string_equal(fr_buf_str(&out), rows[i].want);
        fr_buf_deinit(&out);
    }
}

static void literal_lines_stay(void **state)
{
    struct fr_buf out = FR_BUF_INIT(256);

    (void)state;
    fr_roff_literal(&out, "a  b\n.c");
    assert_string_equal(fr_buf_str(&out), ".Bd -literal -offset indent\na  b\n\\&.c\n.Ed\n");
    fr_buf_deinit(&out);
}

static void a_full_buffer_is_told(void **state)
{
    struct fr_buf out = FR_BUF_INIT(4);

    (void)state;
    fr_roff_prose(&out, "longer than four");
    assert_int_equal(fr_buf_err(&out), FR_E_LIMIT);
    fr_buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prose),
        cmocka_unit_test(words_are_no_macros),
        cmocka_unit_test(literal_lines_stay),
        cmocka_unit_test(a_full_buffer_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
