#include "doh/get.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The query of RFC 8484 4.1.1, and what it stands for. */
#define RFC "AAABAAABAAAAAAAAA3d3dwdleGFtcGxlA2NvbQAAAQAB"

static const struct {
    const char *query;
    enum fr_err err;
    size_t n;
} ROWS[] = {
    {"dns=" RFC, FR_OK, 33},
    {"dns=" RFC "&x=1", FR_OK, 33},
    {"a&b=&=c&&dns=" RFC, FR_OK, 33},
    {"dns=", FR_OK, 0},
    {"dns", FR_OK, 0},
    {"dns=-_8", FR_OK, 2},
    {"", FR_E_NOT_FOUND, 0},
    {"DNS=" RFC, FR_E_NOT_FOUND, 0},
    {"xdns=" RFC, FR_E_NOT_FOUND, 0},
    {"x=dns=" RFC, FR_E_NOT_FOUND, 0},
    {"dns=" RFC "&dns=" RFC, FR_E_MALFORMED, 0},
    {"dns=AAAA=", FR_E_MALFORMED, 0},
    {"dns=AAA=", FR_E_MALFORMED, 0},
    {"dns=A", FR_E_MALFORMED, 0},
    {"dns=AB", FR_E_MALFORMED, 0},
    {"dns=+/8", FR_E_MALFORMED, 0},
    {"dns=AA%41A", FR_E_MALFORMED, 0},
    {"dns=AA AA", FR_E_MALFORMED, 0},
    {"dns=AAAA;x", FR_E_MALFORMED, 0},
};

static void rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        struct fr_buf out = FR_BUF_INIT(1024);
        enum fr_err err = fr_doh_get_parse(fr_span_str(ROWS[i].query), &out);
        if (err != ROWS[i].err || out.n != ROWS[i].n)
            fail_msg("%s: %s, %zu octets", ROWS[i].query, fr_err_text(err), out.n);
        fr_buf_deinit(&out);
    }
}

/* 65,535 octets are a message, one more is too long; told before anything is decoded. */
static void longest_message(void **state)
{
    size_t n = 65535 / 3 * 4;
    char *query = malloc(n + 16);

    (void)state;
    for (size_t extra = 0; extra <= 2; extra += 2) {
        struct fr_buf out = FR_BUF_INIT(65535);
        memcpy(query, "dns=", 4);
        memset(query + 4, 'A', n + extra);
        enum fr_err err = fr_doh_get_parse(fr_span(query, 4 + n + extra), &out);
        assert_int_equal(err, extra == 0 ? FR_OK : FR_E_LIMIT);
        assert_int_equal(out.n, extra == 0 ? 65535 : 0);
        fr_buf_deinit(&out);
    }
    free(query);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows),
        cmocka_unit_test(longest_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
