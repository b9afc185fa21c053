#include "bench/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/unit.h"

static int run(char *const *args, char **said)
{
    const struct fr_cli_command *const tables[] = {fr_bench_commands, NULL};
    struct fr_cli_program program = {
        .name = "fedroam", .summary = "test", .tables = tables, .globals = fr_cli_globals};
    size_t n = 0;
    int argc = 0;
    FILE *e = open_memstream(said, &n), *o = fopen("/dev/null", "w");

    assert_true(e && o);
    while (args[argc]) argc++;
    int code = (int)fr_cli_run(&program, argc, (char **)args, stdin, o, e);
    fclose(e);
    fclose(o);
    return code;
}

static void test_command_lines(void **state)
{
    static const struct {
        char *const args[8];
        int code;
        const char *said;
    } rows[] = {
        {{"fedroam", "bench", "doh", "--connections", "0"}, FR_EXIT_USAGE, "--connections"},
        {{"fedroam", "bench", "doh", "--connections", "5000"}, FR_EXIT_USAGE, "4096"},
        {{"fedroam", "bench", "doh", "--streams", "2000"}, FR_EXIT_USAGE, "1024"},
        {{"fedroam", "bench", "doh", "--count", "x"}, FR_EXIT_USAGE, "--count"},
        {{"fedroam", "bench", "doh", "--duration", "5"}, FR_EXIT_USAGE, "--duration"},
        {{"fedroam", "bench", "doh", "--path", "x"}, FR_EXIT_USAGE, "slash"},
        {{"fedroam", "bench", "doh", "x"}, FR_EXIT_USAGE, ""},
        {{"fedroam", "bench", "doh", "--config", "/nonexistent/r.yaml"},
         FR_EXIT_NOT_FOUND,
         "/nonexistent/r.yaml"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *said = NULL;
        int code = run(rows[i].args, &said);
        CHECK_ROW(rows[i].args[3], code == rows[i].code);
        CHECK_ROW(rows[i].args[3], strstr(said, rows[i].said) != NULL);
        free(said);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_command_lines)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
