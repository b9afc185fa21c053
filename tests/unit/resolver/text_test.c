#include "resolver/text.h"

#include <fedroam/fedroam.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_every_code_has_its_own_words(void **state)
{
    (void)state;
    for (int i = FEDROAM_OK; i <= FEDROAM_E_SYSTEM; i++)
        for (int k = FEDROAM_OK; k < i; k++)
            assert_string_not_equal(fedroam_err_text((enum fedroam_err)i),
                                    fedroam_err_text((enum fedroam_err)k));
    for (int i = FEDROAM_FOUND; i <= FEDROAM_FAILED; i++)
        for (int k = FEDROAM_FOUND; k < i; k++)
            assert_string_not_equal(fedroam_result_text((enum fedroam_result)i),
                                    fedroam_result_text((enum fedroam_result)k));
    assert_string_equal(fedroam_err_text((enum fedroam_err)99), "unknown error");
    assert_string_equal(fedroam_result_text((enum fedroam_result)99), "unknown result");
}

static void test_no_failure_becomes_success(void **state)
{
    (void)state;
    assert_int_equal(fr_public_err(FR_OK), FEDROAM_OK);
    for (int err = FR_OK + 1; err <= FR_E_INTERNAL; err++)
        assert_int_not_equal(fr_public_err((enum fr_err)err), FEDROAM_OK);
    assert_int_equal(fr_public_err(FR_E_NOMEM), FEDROAM_E_MEMORY);
}

static void test_version(void **state)
{
    (void)state;
    assert_string_equal(fedroam_version(), FEDROAM_VERSION);
    assert_int_equal(fedroam_version_number(), FEDROAM_VERSION_NUMBER);
}

static void test_identifiers(void **state)
{
    (void)state;
    uint64_t eui = 1;
    uint32_t netid = 1;
    assert_int_equal(fedroam_parse_eui("70-B3-D5-7E-D0-00-00-01", &eui), FEDROAM_OK);
    assert_true(eui == 0x70b3d57ed0000001);
    assert_int_equal(fedroam_parse_netid("0x000013", &netid), FEDROAM_OK);
    assert_int_equal(netid, 0x13);
    assert_int_equal(fedroam_parse_eui("70b3d57ed000000", &eui), FEDROAM_E_ARGUMENT);
    assert_int_equal(fedroam_parse_eui(NULL, &eui), FEDROAM_E_ARGUMENT);
    assert_int_equal(fedroam_parse_netid("0000013", &netid), FEDROAM_E_ARGUMENT);
    assert_true(eui == 0x70b3d57ed0000001 && netid == 0x13); /* untouched */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_code_has_its_own_words),
        cmocka_unit_test(test_no_failure_becomes_success),
        cmocka_unit_test(test_version),
        cmocka_unit_test(test_identifiers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
