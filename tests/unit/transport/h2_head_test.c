#include "transport/h2_head.h"

#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <string.h>

#include "support/unit.h"

#define DATE "Sun, 06 Nov 1994 08:49:37 GMT"

/* What a peer makes of our blocks: nghttp2 reads them, as "name: value" lines. */
static void inflate(nghttp2_hd_inflater *inflater, struct fr_span block, char *out, size_t size)
{
    int flags = 0;

    out[0] = '\0';
    while (!(flags & NGHTTP2_HD_INFLATE_FINAL)) {
        nghttp2_nv nv;
        size_t at = strlen(out);
        ssize_t n = nghttp2_hd_inflate_hd2(inflater, &nv, &flags, block.p, block.n, 1);

        assert_true(n >= 0);
        block = fr_span(block.p + n, block.n - (size_t)n);
        if (flags & NGHTTP2_HD_INFLATE_EMIT)
            snprintf(out + at, size - at, "%.*s: %.*s\n", (int)nv.namelen, (char *)nv.name,
                     (int)nv.valuelen, (char *)nv.value);
    }
    nghttp2_hd_inflate_end_headers(inflater);
}

static void peers_read_what_was_meant(void **state)
{
    static char long_value[700];
    const struct fr_http_field type = FR_HTTP_FIELD("content-type", "text/plain");
    const struct fr_http_field other = FR_HTTP_FIELD("x-other", "");
    const struct fr_http_field allow = FR_HTTP_FIELD("allow", "GET, POST");
    const struct fr_http_field eight[] = {type, other, allow, type, other, allow, type, other};
    const struct {
        unsigned status;
        const struct fr_http_field *fields;
        size_t n;
        const char *date, *want;
    } rows[] = {
        {200, NULL, 0, DATE, ":status: 200\ndate: " DATE "\n"},
        {404, &type, 1, DATE, ":status: 404\ndate: " DATE "\ncontent-type: text/plain\n"},
        {421, &other, 1, DATE, ":status: 421\ndate: " DATE "\nx-other: \n"},
        {405, &allow, 1, DATE, ":status: 405\ndate: " DATE "\nallow: GET, POST\n"},
        {200, &type, 1, DATE, ":status: 200\ndate: " DATE "\ncontent-type: text/plain\n"},
        {100, NULL, 0, NULL, ":status: 100\n"},
        {304, NULL, 0, DATE, ":status: 304\ndate: " DATE "\n"},
        {200, eight, 8, NULL,
         ":status: 200\ncontent-type: text/plain\nx-other: \nallow: GET, POST\n"
         "content-type: text/plain\nx-other: \nallow: GET, POST\ncontent-type: text/plain\n"
         "x-other: \n"},
    };
    nghttp2_hd_inflater *inflater;
    struct fr_h2_heads heads;
    char got[2048];

    (void)state;
    fr_h2_heads_init(&heads);
    assert_int_equal(nghttp2_hd_inflate_new(&inflater), 0);
    for (int round = 0; round < 3; round++)
        for (size_t i = 0; i < COUNT(rows); i++) {
            struct fr_span block = fr_h2_heads_get(&heads, rows[i].status, rows[i].date ? 7 : 8,
                                                   rows[i].date, rows[i].fields, rows[i].n);
            inflate(inflater, block, got, sizeof got);
            CHECK_ROW(rows[i].want, strcmp(got, rows[i].want) == 0);
        }
    /* nothing was put into a table: indexes 62 and up stay empty */
    assert_int_equal(nghttp2_hd_inflate_get_num_table_entries(inflater), 61);

    memset(long_value, 'v', sizeof long_value - 1);
    const struct fr_http_field large = FR_HTTP_FIELD("x", long_value);
    inflate(inflater, fr_h2_heads_get(&heads, 200, 7, DATE, &large, 1), got, sizeof got);
    assert_non_null(strstr(got, long_value));
    nghttp2_hd_inflate_del(inflater);
    fr_h2_heads_deinit(&heads);
}

static void a_kept_block_is_of_its_second_and_fields(void **state)
{
    const struct fr_http_field ab = FR_HTTP_FIELD("ab", "c"), a = FR_HTTP_FIELD("a", "bc");
    struct fr_h2_heads heads;
    uint8_t first[64];

    (void)state;
    fr_h2_heads_init(&heads);
    struct fr_span block = fr_h2_heads_get(&heads, 200, 1, DATE, &ab, 1);
    const uint8_t *kept = block.p;
    memcpy(first, block.p, block.n);
    assert_ptr_equal(fr_h2_heads_get(&heads, 200, 1, DATE, &ab, 1).p, kept);
    assert_ptr_not_equal(fr_h2_heads_get(&heads, 200, 1, DATE, &a, 1).p,
                         kept); /* same text, cut elsewhere */
    assert_ptr_not_equal(fr_h2_heads_get(&heads, 200, 2, DATE, &ab, 1).p, kept);
    assert_ptr_not_equal(fr_h2_heads_get(&heads, 400, 1, DATE, &ab, 1).p, kept);
    block = fr_h2_heads_get(&heads, 200, 1, DATE, &ab, 1);
    assert_ptr_equal(block.p, kept);
    assert_memory_equal(block.p, first, block.n);
    fr_h2_heads_deinit(&heads);
}

static void content_length_stands_behind(void **state)
{
    static const struct {
        size_t length;
        const char *want;
    } rows[] = {
        {0, "content-length: 0\n"},
        {9, "content-length: 9\n"},
        {111, "content-length: 111\n"},
        {SIZE_MAX, "content-length: 18446744073709551615\n"},
    };
    nghttp2_hd_inflater *inflater;
    uint8_t bytes[FR_H2_LENGTH_MAX];
    char got[128];

    (void)state;
    assert_int_equal(nghttp2_hd_inflate_new(&inflater), 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t n = fr_h2_length_write(bytes, rows[i].length);

        assert_true(n <= sizeof bytes);
        inflate(inflater, fr_span(bytes, n), got, sizeof got);
        assert_string_equal(got, rows[i].want);
    }
    nghttp2_hd_inflate_del(inflater);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(peers_read_what_was_meant),
        cmocka_unit_test(a_kept_block_is_of_its_second_and_fields),
        cmocka_unit_test(content_length_stands_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
