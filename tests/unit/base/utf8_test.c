#include "base/utf8.h"
#include "support/unit.h"

#include <string.h>

static void characters(void **state)
{
    static const struct {
        const char *text;
        size_t n, size;
        uint32_t c;
        bool is_control;
    } rows[] = {
        {"a", 1, 1, 'a', false},
        {"\x7f", 1, 1, 0x7f, true},
        {"\x1f", 1, 1, 0x1f, true},
        {"\0", 1, 1, 0, true},
        {"\xc3\xbc", 2, 2, 0xfc, false},
        {"\xc2\x85", 2, 2, 0x85, true},
        {"\xc2\xa0", 2, 2, 0xa0, false},
        {"\xd8\x9c", 2, 2, 0x061c, true},
        {"\xe2\x80\xae", 3, 3, 0x202e, true},
        {"\xe2\x81\xa6", 3, 3, 0x2066, true},
        {"\xe2\x80\xa8", 3, 3, 0x2028, true},
        {"\xe2\x80\xa6", 3, 3, 0x2026, false},
        {"\xed\x9f\xbf", 3, 3, 0xd7ff, false},
        {"\xf0\x9f\x98\x80", 4, 4, 0x1f600, false},
        {"\xf4\x8f\xbf\xbf", 4, 4, 0x10ffff, false},
        {"\xc3\xbc", 1, 0, 0, false},         /* cut */
        {"\xf0\x9f\x98\x80", 3, 0, 0, false}, /* cut */
        {"\xc0\x80", 2, 0, 0, false},         /* a long form */
        {"\xe0\x80\x80", 3, 0, 0, false},     /* a long form */
        {"\xed\xa0\x80", 3, 0, 0, false},     /* a surrogate */
        {"\xf4\x90\x80\x80", 4, 0, 0, false}, /* too high */
        {"\x80", 1, 0, 0, false},
        {"\xff", 1, 0, 0, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const uint8_t *p = (const uint8_t *)rows[i].text;
        assert_int_equal(fr_utf8_size(p, rows[i].n), rows[i].size);
        if (rows[i].size == 0) continue;
        assert_int_equal(fr_utf8_char(p, rows[i].size), rows[i].c);
        assert_int_equal(fr_utf8_is_control(rows[i].c), rows[i].is_control);
    }
}

static void texts(void **state)
{
    (void)state;
    assert_true(fr_utf8_is_valid(""));
    assert_true(fr_utf8_is_valid("Caf\xc3\xa9"));
    assert_false(fr_utf8_is_valid("Caf\xe9"));
    assert_false(fr_utf8_is_valid("Caf\xc3"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(characters),
        cmocka_unit_test(texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
