#include "api/results.h"

#include "support/unit.h"

#include <stdlib.h>
#include <string.h>

static char *whole(const char *letters, size_t n, size_t step, uint64_t *length)
{
    struct fr_buf buf = FR_BUF_INIT(1 << 20);
    fr_buf_add(&buf, letters, n);
    struct fr_api_results *results = fr_api_results_new(&buf);
    assert_non_null(results);
    *length = fr_api_results_length(results);
    char *text = malloc((size_t)*length + 1);
    for (size_t at = 0; at < *length;) {
        size_t part = *length - at < step ? (size_t)*length - at : step;
        fr_api_results_fill(results, (uint8_t *)text + at, part);
        at += part;
    }
    text[*length] = '\0';
    fr_api_results_free(results);
    fr_buf_deinit(&buf);
    return text;
}

static void a_line_for_each_letter_however_it_is_cut(void **state)
{
    (void)state;
    static const char want[] = "{\"line\":1,\"status\":201,\"result\":\"added\"}\n"
                               "{\"line\":2,\"status\":409,\"result\":\"taken\"}\n"
                               "{\"line\":3,\"status\":429,\"result\":\"over budget\"}\n";
    for (size_t step = 1; step < 200; step++) {
        uint64_t length;
        char *text = whole("atq", 3, step, &length);
        assert_string_equal(text, want);
        assert_int_equal(length, sizeof want - 1);
        free(text);
    }
}

static void the_length_is_right_at_every_number_of_digits(void **state)
{
    (void)state;
    static char letters[100001];
    for (size_t i = 0; i < sizeof letters; i++) letters[i] = "amsrnzxodtq"[i % 11];
    uint64_t length;
    char *text = whole(letters, sizeof letters, 4096, &length);
    size_t lines = 0;
    for (const char *p = text; (p = strchr(p, '\n')) != NULL; p++) lines++;
    assert_int_equal(lines, sizeof letters);
    assert_int_equal(text[length - 1], '\n');
    assert_non_null(strstr(text, "{\"line\":100001,"));
    assert_null(strstr(text, "unknown"));
    free(text);
    text = whole("", 0, 1, &length);
    assert_int_equal(length, 0);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_for_each_letter_however_it_is_cut),
        cmocka_unit_test(the_length_is_right_at_every_number_of_digits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
