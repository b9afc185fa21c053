#include "backend/jval.h"

#include "support/vectors.h"

#include <stdlib.h>
#include <string.h>

/* Every frequency in use survives text → Hz → text. */
static void check_frequency(const char *text, uint32_t hz)
{
    char json[64], printed[FR_MHZ_TEXT];
    struct fr_jval *doc = NULL;
    uint32_t got = 0;

    (void)snprintf(json, sizeof json, "{\"f\":%s}", text);
    CHECK_ROW(text, fr_jval_parse(fr_span_str(json), &doc) == FR_OK);
    struct fr_jread r = {.object = doc};
    CHECK_ROW(text, fr_jread_mhz(&r, "f", FR_J_MUST, &got) && got == hz);
    fr_mhz_print(got, printed);
    CHECK_ROW(text, strcmp(printed, text) == 0);
    fr_jval_free(doc);
}

static void check_vector(const char *name, const json_t *inputs, const json_t *expected)
{
    const char *key;
    json_t *value;

    if (strcmp(name, "json_frequency") == 0) {
        check_frequency(json_string_value(expected), (uint32_t)vector_uint(inputs, "hz"));
    } else if (strcmp(name, "json_freq_precision") == 0) {
        json_object_foreach((json_t *)expected, key, value)
        {
            check_frequency(key, (uint32_t)vector_uint(value, "double"));
        }
    } else if (strcmp(name, "json_percentage") == 0) {
        struct fr_jval *doc = NULL;
        double fraction = 0;
        char json[64];
        (void)snprintf(json, sizeof json, "{\"p\":%s}", json_string_value(expected));
        assert_int_equal(fr_jval_parse(fr_span_str(json), &doc), FR_OK);
        assert_true(fr_jval_number(fr_jval_get(doc, "p"), &fraction));
        assert_int_equal((int)(fraction * 100 + 0.5), vector_uint(inputs, "percent"));
        fr_jval_free(doc);
    } else {
        fail_msg("no check for %s", name);
    }
}

static void test_vectors(void **state)
{
    (void)state;
    assert_int_equal(vectors_each("json_", check_vector), 3);
}

static void test_frequencies(void **state)
{
    static const struct {
        const char *text;
        uint32_t hz;
    } ROWS[] = {
        {"868.1", 868100000},        {"868.3", 868300000},    {"868.5", 868500000},
        {"869.525", 869525000},      {"867.1", 867100000},    {"433.175", 433175000},
        {"915", 915000000},          {"902.3", 902300000},    {"923.2", 923200000},
        {"779.5", 779500000},        {"865.0625", 865062500}, {"868.000001", 868000001},
        {"2403.123456", 2403123456}, {"0.000001", 1},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(ROWS); i++) check_frequency(ROWS[i].text, ROWS[i].hz);
}

static void test_parse(void **state)
{
    static const struct {
        const char *text;
        enum fr_err err;
    } ROWS[] = {
        {"{}", FR_OK},
        {"{\"a\":\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"}", FR_OK},
        {"{\"a\":\"\\\"{{{{\"}", FR_OK},
        {"", FR_E_MALFORMED},
        {"{", FR_E_MALFORMED},
        {"{} {}", FR_E_MALFORMED},
        {"{\"a\":1,\"a\":2}", FR_E_MALFORMED},
        {"{\"a\":1e999}", FR_E_MALFORMED},
        {"{\"a\":99999999999999999999}", FR_E_MALFORMED},
        {"{\"a\":\"\xff\"}", FR_E_MALFORMED},
        {"{\"a\":NaN}", FR_E_MALFORMED},
        {"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", FR_E_MALFORMED},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(ROWS); i++) {
        struct fr_jval *doc = NULL;
        CHECK_ROW(ROWS[i].text, fr_jval_parse(fr_span_str(ROWS[i].text), &doc) == ROWS[i].err);
        fr_jval_free(doc);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_frequencies),
        cmocka_unit_test(test_parse),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
