#include "resolver_cli/http_date.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "transport/http.h"

static void test_what_the_server_writes(void **state)
{
    (void)state;
    static const int64_t times[] = {0, 784111777, 1700000000, 1709164800, 4102444799, 253402300799};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        char text[FR_HTTP_DATE];
        int64_t back = -1;
        fr_http_date(times[i], text);
        assert_int_equal(fr_http_date_parse(fr_span_str(text), &back), FR_OK);
        assert_int_equal(back, times[i]);
    }
}

static void test_what_is_no_date(void **state)
{
    (void)state;
    static const char good[] = "Sun, 06 Nov 1994 08:49:37 GMT";
    static const char *const rows[] = {
        "",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "Sun, 06 nov 1994 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 32 Nov 1994 08:49:37 GMT",
        "Sun, 30 Feb 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:3Z GMT",
        "Sun, 06 Nov 1969 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06-Nov-1994 08:49:37 GMT",
        "Sun, +6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
    };
    int64_t out = 42;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (fr_http_date_parse(fr_span_str(rows[i]), &out) == FR_OK) fail_msg("%s", rows[i]);
    for (size_t n = 0; n < strlen(good); n++)
        assert_int_not_equal(fr_http_date_parse(fr_span(good, n), &out), FR_OK);
    assert_int_equal(out, 42);
    assert_int_equal(fr_http_date_parse(fr_span_str(good), &out), FR_OK);
    assert_int_equal(out, 784111777);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_the_server_writes),
        cmocka_unit_test(test_what_is_no_date),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
