/* Every allocation of a load fails once: no leak (the sanitizer watches), the caller's struct
 * untouched. */
#include "base/cli.h"
#include "base/conf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/table.h"
#include "support/unit.h"
#include "unit/base/conf_example.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void conf(void **state)
{
    static const char text[] =
        "name: abc\nfile: x\nwords: [a, b]\ncustom: xyz\nfront: {port: 1}\n"
        "doors: [{port: 1}, {port: 2}]\nservers: [u, {url: v, addresses: [c, d]}]\n";
    unsigned long n = 0;
    bool failed;

    (void)state;
    do {
        struct example e;
        memset(&e, 0x55, sizeof e);
        fr_mem_fail_nth(++n);
        enum fr_err err = fr_conf_parse(&example_schema, "d/e.yaml", fr_span_str(text), NULL, &e);
        failed = fr_mem_failed();
        fr_mem_fail_nth(0);
        assert_int_equal(err, failed ? FR_E_NOMEM : FR_OK);
        if (failed) {
            assert_int_equal(e.workers, 0x55555555);
        } else {
            fr_conf_free(&example_schema, &e);
        }
    } while (failed);
    assert_true(n > 30);
}

static void file(void **state)
{
    char path[] = "/tmp/fr_alloc_test.XXXXXX";
    int fd = mkstemp(path);
    unsigned long n = 0;
    bool failed;

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(close(fd), 0);
    do {
        struct fr_buf b = FR_BUF_INIT(100000);
        fr_mem_fail_nth(++n);
        enum fr_err err = fr_file_write(path, 0600, FR_SPAN_LIT("hello"), NULL);
        if (!err) err = fr_file_read(path, NULL, &b);
        failed = fr_mem_failed();
        fr_mem_fail_nth(0);
        assert_int_equal(err, failed ? FR_E_NOMEM : FR_OK);
        fr_buf_deinit(&b);
    } while (failed);
    assert_true(n > 2);
    assert_int_equal(unlink(path), 0);
}

static void table(void **state)
{
    static const struct fr_column columns[] = {{.key = "a"}, {.key = "b"}, {0}};
    unsigned long n = 0;
    bool failed;

    (void)state;
    do {
        struct fr_table *t = NULL;
        char *text = NULL;
        size_t size = 0;
        FILE *out = open_memstream(&text, &size);
        assert_non_null(out);
        fr_mem_fail_nth(++n);
        enum fr_err err = fr_table_new(columns, &t);
        for (uint64_t i = 0; i < 70 && !err; i++) {
            fr_table_text(t, "x");
            fr_table_uint(t, i);
        }
        if (!err) err = fr_table_print(t, FR_OUTPUT_JSON, out);
        failed = fr_mem_failed();
        fr_mem_fail_nth(0);
        assert_int_equal(err, failed ? FR_E_NOMEM : FR_OK);
        fr_table_free(t);
        assert_int_equal(fclose(out), 0);
        free(text);
    } while (failed);
    assert_true(n > 10);
}

static enum fr_exit run_nothing(struct fr_cli *cli)
{
    return fr_cli_n_args(cli) == 1 ? FR_EXIT_OK : FR_EXIT_INTERNAL;
}

static void cli(void **state)
{
    static const struct fr_cli_command commands[] = {
        {.path = "do", .max_args = 1, .summary = "s", .run = run_nothing}, {0}};
    static const struct fr_cli_command *const tables[] = {commands, NULL};
    const struct fr_cli_program program = {
        .name = "p", .summary = "s", .tables = tables, .globals = fr_cli_globals};
    char *argv[] = {"p", "do", "x", "--yes", NULL};
    FILE *null = fopen("/dev/null", "r+");
    unsigned long n = 0;
    bool failed;

    (void)state;
    assert_non_null(null);
    do {
        fr_mem_fail_nth(++n);
        enum fr_exit rc = fr_cli_run(&program, 4, argv, null, null, null);
        failed = fr_mem_failed();
        fr_mem_fail_nth(0);
        assert_int_equal(rc, failed ? FR_EXIT_INTERNAL : FR_EXIT_OK);
    } while (failed);
    assert_int_equal(fclose(null), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conf),
        cmocka_unit_test(file),
        cmocka_unit_test(table),
        cmocka_unit_test(cli),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
