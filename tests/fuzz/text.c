/* Any bytes as hex, base64, number, duration, size, address, URL or date. What is accepted must
 * come out again as it went in. */
#include "base/addr.h"
#include "base/base64.h"
#include "base/clock.h"
#include "base/hex.h"
#include "base/json_out.h"
#include "base/parse.h"
#include "base/url.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds) abort();
}

static void codecs(struct fr_span text)
{
    struct fr_buf bytes = FR_BUF_INIT(1 << 20), again = FR_BUF_INIT(1 << 21);

    if (fr_base64_parse(text, &bytes) == FR_OK) {
        require(fr_base64_print(fr_buf_span(&bytes), &again) == FR_OK &&
                fr_span_equal(fr_buf_span(&again), text));
    }
    fr_buf_reset(&bytes);
    fr_buf_reset(&again);
    if (fr_base64url_parse(text, &bytes) == FR_OK) {
        require(fr_base64url_print(fr_buf_span(&bytes), &again) == FR_OK &&
                fr_span_equal(fr_buf_span(&again), text));
    }
    fr_buf_reset(&bytes);
    fr_buf_reset(&again);
    if (fr_hex_parse_buf(text, &bytes) == FR_OK) {
        char *printed = (char *)fr_buf_reserve(&again, bytes.n * 2);
        require(printed != NULL && bytes.n * 2 == text.n);
        fr_hex_print(bytes.p, bytes.n, printed);
        require(fr_span_equal_nocase(fr_span(printed, text.n), text));
    }
    fr_buf_deinit(&bytes);
    fr_buf_deinit(&again);
}

static void numbers(struct fr_span text)
{
    uint64_t v;
    int64_t i;
    bool b;

    if (fr_parse_u64(text, 3, 1000, &v) == FR_OK) require(v >= 3 && v <= 1000);
    if (fr_parse_i64(text, -5, 5, &i) == FR_OK) require(i >= -5 && i <= 5);
    if (fr_parse_duration_ms(text, 0, 1000, &v) == FR_OK) require(v <= 1000);
    if (fr_parse_size(text, 0, 1 << 20, &v) == FR_OK) require(v <= 1 << 20);
    if (fr_parse_bool(text, &b) == FR_OK) require(text.n >= 2 && text.n <= 5);
}

static void places(struct fr_span text)
{
    struct fr_addr addr, back;
    struct fr_url url;
    char printed[FR_ADDR_TEXT], authority[FR_AUTHORITY_TEXT];

    if (fr_addr_parse(text, 53, &addr) == FR_OK) {
        fr_addr_print(&addr, printed);
        require(fr_addr_parse(fr_span_str(printed), 0, &back) == FR_OK &&
                fr_addr_equal(&addr, &back));
    }
    if (fr_url_parse(text, &url) == FR_OK) {
        fr_url_authority(&url, authority);
        require(url.path[0] == '/' && url.host[0] != '\0' && url.port != 0 &&
                strlen(authority) >= strlen(url.host));
    }
}

static void dates(struct fr_span text)
{
    int64_t t, back;
    char printed[FR_TIME_TEXT];

    if (fr_time_parse(text, &t) != FR_OK) return;
    fr_time_print(t, printed);
    require(fr_time_parse(fr_span_str(printed), &back) == FR_OK && back == t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fr_span text = fr_span(data, size);
    struct fr_buf json = FR_BUF_INIT(1 << 23);
    struct fr_json j = fr_json(&json);

    codecs(text);
    numbers(text);
    places(text);
    dates(text);
    fr_json_span(&j, text);
    for (size_t i = 0; i < json.n; i++) require(json.p[i] >= 0x20 && json.p[i] != 0x7f);
    fr_buf_deinit(&json);
    return 0;
}
