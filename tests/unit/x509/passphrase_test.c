#include "x509/passphrase.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void from_a_descriptor(void **state)
{
    static char longest[FR_PASSPHRASE_MAX + 1], too_long[FR_PASSPHRASE_MAX + 2];
    memset(longest, 'x', sizeof longest - 1);
    memset(too_long, 'x', sizeof too_long - 1);
    const struct {
        const char *text;
        size_t n;
        const char *want; /* NULL: refused */
        enum fr_err err;
    } rows[] = {
        {"secret", 6, "secret", FR_OK},
        {"secret\n", 7, "secret", FR_OK},
        {"secret\r\nmore\n", 13, "secret", FR_OK},
        {" two words ", 11, " two words ", FR_OK},
        {longest, sizeof longest - 1, longest, FR_OK},
        {too_long, sizeof too_long - 1, NULL, FR_E_LIMIT},
        {"", 0, NULL, FR_E_INVALID},
        {"\n", 1, NULL, FR_E_INVALID},
        {"a\0b\n", 4, NULL, FR_E_INVALID},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fr_buf out = FR_BUF_INIT(FR_PASSPHRASE_MAX);
        struct fr_diag diag = {0};
        char number[16];
        int ends[2];
        assert_int_equal(pipe(ends), 0);
        assert_int_equal(write(ends[1], rows[i].text, rows[i].n), (ssize_t)rows[i].n);
        (void)close(ends[1]);
        (void)snprintf(number, sizeof number, "%d", ends[0]);
        enum fr_err err = fr_passphrase_read_fd(number, &diag, &out);
        if (err != rows[i].err) fail_msg("row %zu: %s", i, fr_err_text(err));
        if (!err) assert_string_equal(fr_buf_str(&out), rows[i].want);
        if (err && diag.what[0] == '\0') fail_msg("row %zu: no words", i);
        (void)close(ends[0]);
        fr_buf_deinit_secret(&out);
    }
}

static void not_a_descriptor(void **state)
{
    static const char *const NUMBERS[] = {"", "x", "-1", "3x", "99999999999", "60000"};
    struct fr_buf out = FR_BUF_INIT(FR_PASSPHRASE_MAX);

    (void)state;
    for (size_t i = 0; i < sizeof NUMBERS / sizeof NUMBERS[0]; i++)
        assert_int_not_equal(fr_passphrase_read_fd(NUMBERS[i], NULL, &out), FR_OK);
    assert_int_equal(fr_passphrase_read_credential("/nonexistent", NULL, &out), FR_E_NOT_FOUND);
    fr_buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(from_a_descriptor),
        cmocka_unit_test(not_a_descriptor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
