#include "base/diag.h"
#include "support/unit.h"

#include <string.h>

static void sentence_has_place_and_hint(void **state)
{
    struct fr_diag diag = {0};
    char text[256];

    (void)state;
    assert_int_equal(fr_diag_fail(&diag, FR_E_INVALID, "bad %s", "thing"), FR_E_INVALID);
    fr_diag_where(&diag, "a.yaml", 3, 7);
    fr_diag_hint(&diag, "write %d", 5);
    fr_diag_print(&diag, FR_E_INVALID, text, sizeof text);
    assert_string_equal(text, "a.yaml:3:7: bad thing (write 5)");
    assert_int_equal(fr_diag_fail(&diag, FR_E_IO, "other"), FR_E_IO);
    fr_diag_print(&diag, FR_E_IO, text, sizeof text);
    assert_string_equal(text, "other");
}

static void absent_diag_falls_back_on_the_code(void **state)
{
    struct fr_diag empty = {0};
    char text[64];

    (void)state;
    assert_int_equal(fr_diag_fail(NULL, FR_E_IO, "x"), FR_E_IO);
    fr_diag_where(NULL, "f", 1, 1);
    fr_diag_hint(NULL, "h");
    fr_diag_print(NULL, FR_E_NOT_FOUND, text, sizeof text);
    assert_string_equal(text, "not found");
    fr_diag_print(&empty, FR_E_NOT_FOUND, text, sizeof text);
    assert_string_equal(text, "not found");
}

static void peer_bytes_reach_no_terminal(void **state)
{
    struct fr_diag diag = {0};
    char text[1200], longer[2000];

    (void)state;
    assert_int_equal(fr_diag_fail(&diag, FR_E_INVALID, "%s", "a\x1b[31m\nb\x7f"), FR_E_INVALID);
    fr_diag_where(&diag, "x\ny", 0, 0);
    fr_diag_print(&diag, FR_E_INVALID, text, sizeof text);
    assert_string_equal(text, "x?y: a?[31m?b?");
    memset(longer, 'z', sizeof longer);
    longer[sizeof longer - 1] = '\0';
    assert_int_equal(fr_diag_fail(&diag, FR_E_INVALID, "%s", longer), FR_E_INVALID);
    assert_int_equal(strlen(diag.what), sizeof diag.what - 1);
    fr_diag_print(&diag, FR_E_INVALID, text, 10);
    assert_int_equal(strlen(text), 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sentence_has_place_and_hint),
        cmocka_unit_test(absent_diag_falls_back_on_the_code),
        cmocka_unit_test(peer_bytes_reach_no_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
