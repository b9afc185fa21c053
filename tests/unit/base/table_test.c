#include "base/table.h"
#include "support/unit.h"

#include <stdlib.h>

static const struct fr_column columns[] = {
    {.key = "id", .title = "ID"},
    {.key = "count", .title = "COUNT", .is_right = true},
    {.key = "is_live"},
    {.key = "names", .title = "NAMES"},
    {0},
};

static struct fr_table *make(size_t rows)
{
    static const char *const names[] = {"a", "b\""};
    struct fr_table *t;

    assert_int_equal(fr_table_new(columns, &t), FR_OK);
    for (size_t i = 0; i < rows; i++) {
        if (i == 0) {
            fr_table_text(t, "\xc3\xa9t\xc3\xa9\n");
        } else {
            fr_table_textf(t, "member-%zu", i);
        }
        fr_table_uint(t, i * 1000);
        if (i == 0) {
            fr_table_none(t);
        } else {
            fr_table_bool(t, true);
        }
        fr_table_texts(t, names, i == 0 ? 2 : 0);
    }
    assert_int_equal(fr_table_rows(t), rows);
    return t;
}

static void check(enum fr_err (*print)(const struct fr_table *, enum fr_output, FILE *),
                  size_t rows, enum fr_output output, const char *want)
{
    struct fr_table *t = make(rows);
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);

    assert_non_null(out);
    assert_int_equal(print(t, output, out), FR_OK);
    assert_int_equal(fclose(out), 0);
    assert_string_equal(text, want);
    free(text);
    fr_table_free(t);
}

static void tables(void **state)
{
    (void)state;
    check(fr_table_print, 2, FR_OUTPUT_TEXT,
          "ID        COUNT  is_live  NAMES\n"
          "\xc3\xa9t\xc3\xa9?          0  -        a, b\"\n"
          "member-1   1000  yes      -\n");
    check(fr_table_print, 2, FR_OUTPUT_JSON,
          "[{\"id\": \"\xc3\xa9t\xc3\xa9\\n\", \"count\": 0, \"is_live\": null, \"names\": "
          "[\"a\",\"b\\\"\"]},\n"
          " {\"id\": \"member-1\", \"count\": 1000, \"is_live\": true, \"names\": []}]\n");
    check(fr_table_print, 2, FR_OUTPUT_CSV,
          "id,count,is_live,names\n"
          "\xc3\xa9t\xc3\xa9?,0,-,\"a, b\"\"\"\n"
          "member-1,1000,yes,-\n");
    check(fr_table_print, 0, FR_OUTPUT_CSV, "id,count,is_live,names\n");
    check(fr_table_print, 0, FR_OUTPUT_TEXT, "");
    check(fr_table_print, 0, FR_OUTPUT_JSON, "[]\n");
}

static void records(void **state)
{
    (void)state;
    check(fr_table_print_record, 1, FR_OUTPUT_TEXT,
          "id       \xc3\xa9t\xc3\xa9?\ncount    0\nis_live  -\nnames    a, b\"\n");
    check(fr_table_print_record, 1, FR_OUTPUT_JSON,
          "{\"id\": \"\xc3\xa9t\xc3\xa9\\n\", \"count\": 0, \"is_live\": null, \"names\": "
          "[\"a\",\"b\\\"\"]}\n");
}

static void faults(void **state)
{
    struct fr_table *t = make(0);
    FILE *full = fopen("/dev/full", "w");

    (void)state;
    assert_int_equal(fr_table_print_record(t, FR_OUTPUT_TEXT, stdout), FR_E_NOT_FOUND);
    fr_table_text(t, "half a row is no row");
    assert_int_equal(fr_table_rows(t), 0);
    assert_non_null(full);
    setbuf(full, NULL);
    assert_int_equal(fr_table_print(t, FR_OUTPUT_JSON, full), FR_E_IO);
    (void)fclose(full);
    fr_table_free(t);
    fr_table_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(tables), cmocka_unit_test(records),
                                       cmocka_unit_test(faults)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
