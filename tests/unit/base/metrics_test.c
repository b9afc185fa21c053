#include "base/metrics.h"
#include "support/unit.h"

static void families_samples_and_end(void **state)
{
    (void)state;
    struct fr_buf out = FR_BUF_INIT(4096);
    struct fr_metrics m = fr_metrics(&out);
    fr_metrics_family(&m, FR_METRIC_COUNTER, "fedroam_x", "Things.");
    FR_METRIC(&m, 0);
    FR_METRIC(&m, 18446744073709551615u, {"rcode", "NOERROR"});
    fr_metrics_family(&m, FR_METRIC_GAUGE, "fedroam_y", "More\nthings.");
    FR_METRIC(&m, 3, {"a", "1"}, {"b", "quote\" back\\ line\n"});
    fr_metrics_sample_int(&m, -5, NULL, 0);
    fr_metrics_family(&m, FR_METRIC_INFO, "fedroam_build", "What runs.");
    FR_METRIC(&m, 1, {"version", "9"});
    fr_metrics_end(&m);
    assert_int_equal(fr_buf_err(&out), FR_OK);
    assert_string_equal(fr_buf_str(&out),
                        "# TYPE fedroam_x counter\n"
                        "# HELP fedroam_x Things.\n"
                        "fedroam_x_total 0\n"
                        "fedroam_x_total{rcode=\"NOERROR\"} 18446744073709551615\n"
                        "# TYPE fedroam_y gauge\n"
                        "# HELP fedroam_y More\\nthings.\n"
                        "fedroam_y{a=\"1\",b=\"quote\\\" back\\\\ line\\n\"} 3\n"
                        "fedroam_y -5\n"
                        "# TYPE fedroam_build info\n"
                        "# HELP fedroam_build What runs.\n"
                        "fedroam_build_info{version=\"9\"} 1\n"
                        "# EOF\n");
    fr_buf_deinit(&out);
}

static void counters_by_rows(void **state)
{
    (void)state;
    struct fr_buf out = FR_BUF_INIT(4096);
    struct fr_metrics m = fr_metrics(&out);
    const struct fr_metric_row rows[] = {{"fedroam_a", "First.", 1}, {"fedroam_b", "Second.", 0}};
    fr_metrics_counters(&m, rows, 2);
    assert_string_equal(fr_buf_str(&out), "# TYPE fedroam_a counter\n"
                                          "# HELP fedroam_a First.\n"
                                          "fedroam_a_total 1\n"
                                          "# TYPE fedroam_b counter\n"
                                          "# HELP fedroam_b Second.\n"
                                          "fedroam_b_total 0\n");
    fr_buf_deinit(&out);
}

static void a_full_buffer_is_told(void **state)
{
    (void)state;
    struct fr_buf out = FR_BUF_INIT(20);
    struct fr_metrics m = fr_metrics(&out);
    fr_metrics_family(&m, FR_METRIC_GAUGE, "fedroam_long_name", "Text.");
    fr_metrics_end(&m);
    assert_int_equal(fr_buf_err(&out), FR_E_LIMIT);
    fr_buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(families_samples_and_end),
        cmocka_unit_test(counters_by_rows),
        cmocka_unit_test(a_full_buffer_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
