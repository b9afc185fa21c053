#include "transport/proxy_v2.h"

#include <string.h>

#include "base/hex.h"
#include "support/unit.h"

#define SIG "0d0a0d0a000d0a515549540a"
#define V4 "c0000207c0000201c35001bb"
#define V6 "20010db800000000000000000000000720010db8000000000000000000000001c35001bb"

static size_t bytes_of(const char *hex, uint8_t out[1024])
{
    size_t n = strlen(hex) / 2;
    assert_true(n <= 1024);
    assert_int_equal(fr_hex_parse(fr_span_str(hex), out, n), FR_OK);
    return n;
}

static const struct {
    const char *label, *hex;
    enum fr_err err;
    const char *client; /* NULL: none */
} rows[] = {
    {"IPv4", SIG "2111000c" V4, FR_OK, "192.0.2.7:50000"},
    {"IPv6", SIG "21210024" V6, FR_OK, "[2001:db8::7]:50000"},
    {"IPv4 with extras", SIG "21110013" V4 "03000461626364", FR_OK, "192.0.2.7:50000"},
    {"the proxy itself", SIG "20000000", FR_OK, NULL},
    {"the proxy itself, with addresses", SIG "2011000c" V4, FR_OK, NULL},
    {"unknown family", SIG "21000000", FR_OK, NULL},
    {"no bytes", "", FR_E_TRUNCATED, NULL},
    {"version 1", "50524f585920544350342031", FR_E_MALFORMED, NULL},
    {"version 3", SIG "3111000c" V4, FR_E_MALFORMED, NULL},
    {"unknown command", SIG "2211000c" V4, FR_E_MALFORMED, NULL},
    {"TLS", "16030100a5010000a10303", FR_E_MALFORMED, NULL},
    {"UDP", SIG "2112000c" V4, FR_E_UNSUPPORTED, NULL},
    {"shorter than its addresses", SIG "2121000c" V4, FR_E_MALFORMED, NULL},
    {"more than it says", SIG "2111000c" V4 "00", FR_E_MALFORMED, NULL},
    {"longer than anything sensible", SIG "2111ffff" V4, FR_E_LIMIT, NULL},
    {"one over the limit", SIG "21110209" V4, FR_E_LIMIT, NULL},
};

static void headers(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fr_proxy_head head = {.client.port = 7};
        char text[FR_ADDR_TEXT];
        uint8_t in[1024];
        size_t n = bytes_of(rows[i].hex, in);

        CHECK_ROW(rows[i].label, fr_proxy_read(fr_span(in, n), &head) == rows[i].err);
        if (rows[i].err) {
            CHECK_ROW(rows[i].label, head.client.port == 7); /* untouched */
            continue;
        }
        CHECK_ROW(rows[i].label, head.has_client == (rows[i].client != NULL));
        if (!rows[i].client) continue;
        fr_addr_print(&head.client, text);
        CHECK_ROW(rows[i].label, strcmp(text, rows[i].client) == 0);
    }
}

static void every_truncation(void **state)
{
    struct fr_proxy_head head;
    uint8_t in[1024];
    size_t n = bytes_of(SIG "21210024" V6, in), size = 0;
    (void)state;

    for (size_t i = 0; i < n; i++) {
        assert_int_equal(fr_proxy_read(fr_span(in, i), &head), FR_E_TRUNCATED);
        if (i < FR_PROXY_HEAD)
            assert_int_equal(fr_proxy_size(fr_span(in, i), &size), FR_E_TRUNCATED);
        if (i < FR_PROXY_HEAD) continue;
        assert_int_equal(fr_proxy_size(fr_span(in, i), &size), FR_OK);
        assert_int_equal(size, n);
    }
}

static void the_longest(void **state)
{
    struct fr_proxy_head head;
    uint8_t in[1024] = {0};
    (void)state;

    (void)bytes_of(SIG "21110208" V4, in);
    assert_int_equal(fr_proxy_read(fr_span(in, FR_PROXY_MAX), &head), FR_OK);
    assert_true(head.has_client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers),
        cmocka_unit_test(every_truncation),
        cmocka_unit_test(the_longest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
