#include "names/member.h"
#include "support/unit.h"

static void member_ids(void **state)
{
    static const struct {
        const char *id;
        enum fr_err want;
    } rows[] = {
        {"acme", FR_OK},
        {"a", FR_OK},
        {"a-b-2", FR_OK},
        {"abcdefghijklmnopqrstuvwxyzabcdef", FR_OK},
        {"abcdefg", FR_OK},
        {"network", FR_OK},
        {"", FR_E_INVALID},
        {"abcdefghijklmnopqrstuvwxyzabcdefg", FR_E_INVALID},
        {"1abc", FR_E_INVALID},
        {"-a", FR_E_INVALID},
        {"a-", FR_E_INVALID},
        {"Acme", FR_E_INVALID},
        {"a_b", FR_E_INVALID},
        {"a.b", FR_E_INVALID},
        {"a b", FR_E_INVALID},
        {"\xc3\xa9", FR_E_INVALID},
        {"abcdef", FR_E_INVALID},
        {"a00013", FR_E_INVALID},
        {"abcdefabcdefabcd", FR_E_INVALID},
        {"abcdeg", FR_OK},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fr_diag diag = {0};
        CHECK_ROW(rows[i].id, fr_member_check(fr_span_str(rows[i].id), &diag) == rows[i].want);
        CHECK_ROW(rows[i].id, (diag.what[0] != '\0') == (rows[i].want != FR_OK));
    }
    assert_int_equal(fr_member_check(fr_span("ab\0c", 4), NULL), FR_E_INVALID);
}

static void federation_names(void **state)
{
    static const struct {
        const char *name;
        enum fr_err want;
    } rows[] = {
        {"fed.test", FR_OK},
        {"a.b", FR_OK},
        {"x-1.example.org", FR_OK},
        {"123.test", FR_OK},
        {"fed", FR_E_INVALID},
        {"", FR_E_INVALID},
        {"fed.test.", FR_E_INVALID},
        {".fed.test", FR_E_INVALID},
        {"fed..test", FR_E_INVALID},
        {"Fed.test", FR_E_INVALID},
        {"-a.test", FR_E_INVALID},
        {"a-.test", FR_E_INVALID},
        {"a_b.test", FR_E_INVALID},
        {"192.0.2.1", FR_E_INVALID},
        {"a b.test", FR_E_INVALID},
        {"fed.t\xc3\xa9st", FR_E_INVALID},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.test", FR_OK},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.test", FR_E_INVALID},
    };
    char longest[202];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        CHECK_ROW(rows[i].name, fr_fed_check(fr_span_str(rows[i].name), NULL) == rows[i].want);
    }
    for (size_t i = 0; i < sizeof longest; i++) longest[i] = i % 2 ? '.' : 'a';
    longest[199] = 'a';
    assert_int_equal(fr_fed_check(fr_span(longest, 200), NULL), FR_OK);
    assert_int_equal(fr_fed_check(fr_span(longest, 201), NULL), FR_E_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(member_ids),
                                       cmocka_unit_test(federation_names)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
