#include "api/query.h"

#include "support/unit.h"

#include <string.h>

static const struct {
    const char *query;
    enum fr_err err;
    const char *after, *limit; /* NULL: not set */
} table[] = {
    {"", FR_OK, NULL, NULL},
    {"after=1", FR_OK, "1", NULL},
    {"after=1&limit=20", FR_OK, "1", "20"},
    {"&&limit=2&", FR_OK, NULL, "2"},
    {"after", FR_OK, "", NULL},
    {"after=", FR_OK, "", NULL},
    {"after=a=b", FR_OK, "a=b", NULL},
    {"after=a+b%20c%C3%A9", FR_OK, "a b c\xc3\xa9", NULL},
    {"after=%", FR_E_MALFORMED, NULL, NULL},
    {"after=%2", FR_E_MALFORMED, NULL, NULL},
    {"after=%zz", FR_E_MALFORMED, NULL, NULL},
    {"after=%00", FR_E_MALFORMED, NULL, NULL},
    {"after=%0a", FR_E_MALFORMED, NULL, NULL},
    {"after=1&after=1", FR_E_INVALID, NULL, NULL},
    {"before=1", FR_E_INVALID, NULL, NULL},
    {"=1", FR_E_INVALID, NULL, NULL},
};

static void values_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct fr_query_value known[3] = {{.name = "after"}, {.name = "limit"}};
        struct fr_diag diag = {0};
        enum fr_err err = fr_query_read(fr_span_str(table[i].query), known, &diag);
        if (err != table[i].err) fail_msg("%s: %s", table[i].query, fr_err_text(err));
        if (err) assert_true(diag.what[0] != '\0');
        if (err) continue;
        assert_int_equal(known[0].is_set, table[i].after != NULL);
        assert_int_equal(known[1].is_set, table[i].limit != NULL);
        if (table[i].after) assert_string_equal(known[0].text, table[i].after);
        if (table[i].limit) assert_string_equal(known[1].text, table[i].limit);
    }
}

static void a_value_has_a_limit(void **state)
{
    (void)state;
    char query[6 + FR_QUERY_VALUE + 2] = "after=";
    struct fr_query_value fits[2] = {{.name = "after"}}, over[2] = {{.name = "after"}};
    memset(query + 6, 'x', FR_QUERY_VALUE + 1);
    assert_int_equal(fr_query_read(fr_span(query, 6 + FR_QUERY_VALUE), fits, NULL), FR_OK);
    assert_int_equal(strlen(fits[0].text), FR_QUERY_VALUE);
    assert_int_equal(fr_query_read(fr_span(query, 6 + FR_QUERY_VALUE + 1), over, NULL), FR_E_LIMIT);
}

static void numbers_and_truths(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum fr_err number, truth;
    } rows[] = {
        {"5", FR_OK, FR_E_INVALID},         {"0", FR_E_INVALID, FR_E_INVALID},
        {"11", FR_E_INVALID, FR_E_INVALID}, {"-1", FR_E_INVALID, FR_E_INVALID},
        {"true", FR_E_INVALID, FR_OK},      {"false", FR_E_INVALID, FR_OK},
        {"", FR_E_INVALID, FR_E_INVALID},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fr_query_value value = {.name = "limit", .is_set = true};
        uint64_t number = 0;
        bool truth = false;
        (void)fr_span_copy(fr_span_str(rows[i].text), value.text, sizeof value.text);
        assert_int_equal(fr_query_uint(&value, 1, 10, 7, NULL, &number), rows[i].number);
        assert_int_equal(fr_query_bool(&value, NULL, &truth), rows[i].truth);
    }
    const struct fr_query_value absent = {.name = "limit"};
    uint64_t number = 0;
    bool truth = true;
    assert_int_equal(fr_query_uint(&absent, 1, 10, 7, NULL, &number), FR_OK);
    assert_int_equal(number, 7);
    assert_int_equal(fr_query_bool(&absent, NULL, &truth), FR_OK);
    assert_false(truth);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_read),
        cmocka_unit_test(a_value_has_a_limit),
        cmocka_unit_test(numbers_and_truths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
