#include "base/err.h"
#include "base/exit.h"
#include "support/unit.h"

#include <errno.h>
#include <string.h>

static void every_code_has_its_own_text(void **state)
{
    (void)state;
    for (int i = 0; i <= FR_E_INTERNAL; i++) {
        assert_true(strlen(fr_err_text((enum fr_err)i)) > 0);
        for (int j = 0; j < i; j++)
            assert_string_not_equal(fr_err_text((enum fr_err)i), fr_err_text((enum fr_err)j));
    }
    assert_string_equal(fr_err_text((enum fr_err)(FR_E_INTERNAL + 1)), "unknown error");
}

static void errno_becomes_a_code(void **state)
{
    static const struct {
        int errnum;
        enum fr_err want;
    } rows[] = {{ENOENT, FR_E_NOT_FOUND}, {EACCES, FR_E_PERM},       {ENOMEM, FR_E_NOMEM},
                {ECONNREFUSED, FR_E_NET}, {ETIMEDOUT, FR_E_TIMEOUT}, {EEXIST, FR_E_EXISTS},
                {EIO, FR_E_IO},           {ENOSPC, FR_E_FULL},       {0, FR_E_IO},
                {EPIPE, FR_E_CLOSED}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(fr_err_from_errno(rows[i].errnum), rows[i].want);
}

static void every_code_has_an_exit_code(void **state)
{
    static const struct {
        enum fr_err err;
        enum fr_exit want;
    } rows[] = {
        {FR_OK, 0},          {FR_E_AUTH, 4},     {FR_E_DENIED, 5},       {FR_E_PENDING, 6},
        {FR_E_NOT_FOUND, 7}, {FR_E_EXPIRED, 8},  {FR_E_CONFLICT, 9},     {FR_E_TIMEOUT, 10},
        {FR_E_USAGE, 64},    {FR_E_INVALID, 65}, {FR_E_UNAVAILABLE, 69}, {FR_E_INTERNAL, 70},
        {FR_E_CREATE, 73},   {FR_E_IO, 74},      {FR_E_PERM, 77},        {FR_E_CONFIG, 78}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(fr_exit_from_err(rows[i].err), rows[i].want);
    for (int i = 1; i <= FR_E_INTERNAL; i++)
        assert_int_not_equal(fr_exit_from_err((enum fr_err)i), FR_EXIT_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_has_its_own_text),
        cmocka_unit_test(errno_becomes_a_code),
        cmocka_unit_test(every_code_has_an_exit_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
