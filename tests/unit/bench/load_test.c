#include "bench/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/report.h"
#include "support/unit.h"

/* What needs no server; runs against a real one are in tests/system/test_bench.py. */

static const struct fr_load_plan plan = {
    .host = "broker.fed.test",
    .ca = "/nonexistent/root.pem",
    .http = {.authority = "broker.fed.test", .path = "/dns-query", .streams = 1},
    .connections = 1,
    .count = 1,
};

static void test_files_are_named(void **state)
{
    struct fr_questions q;
    struct fr_diag diag = {0};
    static struct fr_load_result result;

    (void)state;
    assert_int_equal(fr_questions_range(&q, "fed.test", 1, 1, 0, &diag), FR_OK);
    assert_int_equal(fr_load_run(&plan, &q, &diag, &result), FR_E_CONFIG);
    assert_non_null(strstr(diag.what, "/nonexistent/root.pem"));
}

static char *print(const struct fr_load_result *r, enum fr_output output)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);

    assert_non_null(out);
    assert_int_equal(fr_load_report_print(r, output, out), FR_OK);
    fclose(out);
    return text;
}

static void test_report(void **state)
{
    static struct fr_load_result r;

    (void)state;
    r.took_us = 2000000;
    r.asked = 12;
    r.answered = r.ok = 10;
    r.status[200] = 10;
    r.rcode[0] = 7;
    r.rcode[3] = 3;
    r.handshakes = 4;
    r.resumed = 1;
    fr_histogram_add(&r.latency, 20);
    char *text = print(&r, FR_OUTPUT_TEXT);
    assert_non_null(strstr(text, "10 in 2.00 s: 5 a second"));
    assert_non_null(strstr(text, "7 found, 3 unknown, 0 other"));
    free(text);
    text = print(&r, FR_OUTPUT_JSON);
    assert_non_null(strstr(text, "\"status\":{\"200\":10}"));
    assert_non_null(strstr(text, "\"answers_per_s\":5"));
    assert_non_null(strstr(text, "\"p99\":20,\"max\":20,\"buckets\":[[20,1]]"));
    free(text);
}

static void test_report_on_a_full_disk(void **state)
{
    static const struct fr_load_result r;
    FILE *full = fopen("/dev/full", "w");

    (void)state;
    assert_non_null(full);
    setvbuf(full, NULL, _IONBF, 0);
    assert_int_equal(fr_load_report_print(&r, FR_OUTPUT_JSON, full), FR_E_IO);
    assert_int_equal(fr_load_report_print(&r, FR_OUTPUT_TEXT, full), FR_E_IO);
    fclose(full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files_are_named),
        cmocka_unit_test(test_report),
        cmocka_unit_test(test_report_on_a_full_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
