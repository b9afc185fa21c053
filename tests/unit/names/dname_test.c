#include "names/dname.h"
#include "support/unit.h"

#include <string.h>

static void text_both_ways(void **state)
{
    static const struct {
        const char *text, *wire;
        size_t n;
        const char *printed;
    } rows[] = {
        {"a.bc", "\1a\2bc", 6, "a.bc"},
        {"a.bc.", "\1a\2bc", 6, "a.bc"},
        {".", "", 1, "."},
        {"A_b.x-1", "\3A_b\3x-1", 9, "A_b.x-1"},
        {"a\\.b.c", "\3a.b\1c", 7, "a\\046b.c"},
        {"\\000\\255", "\2\0\377", 4, "\\000\\255"},
        {"*.x", "\1*\1x", 5, "\\042.x"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fr_dname name;
        char text[FR_DNAME_TEXT];
        CHECK_ROW(rows[i].text, fr_dname_parse(fr_span_str(rows[i].text), &name) == FR_OK);
        CHECK_ROW(rows[i].text,
                  fr_span_equal(fr_dname_span(&name), fr_span(rows[i].wire, rows[i].n)));
        fr_dname_print(fr_dname_span(&name), text);
        CHECK_ROW(rows[i].text, strcmp(text, rows[i].printed) == 0);
    }
}

static void text_refused(void **state)
{
    static const char *const rows[] = {"",    "..",   ".a",    "a..b",   "a..",
                                       "a\\", "a\\1", "a\\12", "a\\256", "a\\1x2"};
    char big[300];
    struct fr_dname name = {.n = 7};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        CHECK_ROW(rows[i],
                  fr_dname_parse(fr_span_str(rows[i]), &name) == FR_E_MALFORMED && name.n == 7);
    }
    memset(big, 'a', sizeof big);
    assert_int_equal(fr_dname_parse(fr_span(big, 63), &name), FR_OK);
    assert_int_equal(fr_dname_parse(fr_span(big, 64), &name), FR_E_LIMIT);
    for (size_t i = 0; i < sizeof big; i++) big[i] = i % 2 ? '.' : 'a';
    assert_int_equal(fr_dname_parse(fr_span(big, 253), &name), FR_OK);
    assert_int_equal(name.n, 255);
    assert_int_equal(fr_dname_parse(fr_span(big, 255), &name), FR_E_LIMIT);
}

static void wire_checked(void **state)
{
    static const struct {
        const char *label, *wire;
        size_t n;
        enum fr_err want;
    } rows[] = {
        {"two labels", "\1a\1b", 5, FR_OK},
        {"root", "", 1, FR_OK},
        {"empty", "", 0, FR_E_TRUNCATED},
        {"ends inside a label", "\3a", 2, FR_E_TRUNCATED},
        {"no end", "\1a\1b", 4, FR_E_TRUNCATED},
        {"reserved label type", "\100a", 3, FR_E_MALFORMED},
        {"pointer to itself", "\300\0", 2, FR_E_MALFORMED},
        {"more behind it", "\1a\0x", 4, FR_E_MALFORMED},
    };
    uint8_t big[300] = {0};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        CHECK_ROW(rows[i].label, fr_dname_check(fr_span(rows[i].wire, rows[i].n)) == rows[i].want);
    }
    for (size_t i = 0; i < 256; i += 2) big[i] = 1;
    assert_int_equal(fr_dname_check(fr_span(big, 257)), FR_E_LIMIT);
    assert_int_equal(fr_dname_length(fr_span(big, 257)), 0);
    big[254] = 0;
    assert_int_equal(fr_dname_check(fr_span(big, 255)), FR_OK);
    assert_int_equal(fr_dname_length(fr_span(big, 300)), 255);
    assert_int_equal(fr_dname_length(fr_span("\3ab", 3)), 0);
    assert_int_equal(fr_dname_length(fr_span("\300\1", 2)), 0);
}

static void under(void **state)
{
    static const struct {
        const char *name, *zone;
        bool want;
    } rows[] = {{"a.fed.test", "fed.test", true},
                {"fed.test", "FED.Test", true},
                {"a.b.c.fed.test", "fed.test", true},
                {"test", "fed.test", false},
                {"xfed.test", "fed.test", false},
                {"fed.testx", "fed.test", false},
                {"fed.test.x", "fed.test", false},
                {".", "fed.test", false},
                {"x.y", ".", true}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fr_dname name, zone;
        assert_int_equal(fr_dname_parse(fr_span_str(rows[i].name), &name), FR_OK);
        assert_int_equal(fr_dname_parse(fr_span_str(rows[i].zone), &zone), FR_OK);
        CHECK_ROW(rows[i].name,
                  fr_dname_is_under(fr_dname_span(&name), fr_dname_span(&zone)) == rows[i].want);
    }
    /* "\3fed\4test" must be cut at labels: a label whose bytes look like the zone is not the
     * zone */
    const char trap[] = "\012x\3fed\4test";
    struct fr_dname zone;
    assert_int_equal(fr_dname_parse(FR_SPAN_LIT("fed.test"), &zone), FR_OK);
    assert_false(fr_dname_is_under(fr_span(trap, sizeof trap), fr_dname_span(&zone)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_both_ways),
        cmocka_unit_test(text_refused),
        cmocka_unit_test(wire_checked),
        cmocka_unit_test(under),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
