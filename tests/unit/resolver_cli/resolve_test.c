#include "resolver_cli/commands.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"

/* What is decided before anything is sent; the rest is in tests/system/test_resolve.py. */

static int run(char *const *args, char **said)
{
    const struct fr_cli_command *const tables[] = {fr_resolver_commands, NULL};
    struct fr_cli_program program = {
        .name = "fedroam", .summary = "test", .tables = tables, .globals = fr_cli_globals};
    char *out = NULL;
    size_t n_out = 0, n_err = 0;
    int argc = 0;
    FILE *o = open_memstream(&out, &n_out), *e = open_memstream(said, &n_err);
    assert_true(o && e);
    while (args[argc]) argc++;
    int code = (int)fr_cli_run(&program, argc, (char **)args, stdin, o, e);
    fclose(o);
    fclose(e);
    free(out);
    return code;
}

static void test_command_lines(void **state)
{
    (void)state;
    static const struct {
        char *const args[8];
        int code;
        const char *said;
    } rows[] = {
        {{"fedroam", "resolve"}, FR_EXIT_USAGE, "one DevEUI"},
        {{"fedroam", "resolve", "70b3d57ed0000001", "70b3d57ed0000002"}, FR_EXIT_USAGE, ""},
        {{"fedroam", "resolve", "70b3d57ed0000001", "--netid", "000013"},
         FR_EXIT_USAGE,
         "one DevEUI"},
        {{"fedroam", "resolve", "--netid", "000013", "--joineui", "70b3d57ed0000001"},
         FR_EXIT_USAGE,
         "one DevEUI"},
        {{"fedroam", "resolve", "70b3d57ed000000"}, FR_EXIT_USAGE, "16 hex digits"},
        {{"fedroam", "resolve", "--joineui", "000013"}, FR_EXIT_USAGE, "16 hex digits"},
        {{"fedroam", "resolve", "--netid", "13"}, FR_EXIT_USAGE, "6 hex digits"},
        {{"fedroam", "resolve", "--timeout", "5", "70b3d57ed0000001"}, FR_EXIT_USAGE, "--timeout"},
        {{"fedroam", "resolve", "--timeout", "1ms", "70b3d57ed0000001"},
         FR_EXIT_USAGE,
         "--timeout"},
        {{"fedroam", "resolve", "--confi", "x", "70b3d57ed0000001"}, FR_EXIT_USAGE, "config"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *said = NULL;
        int code = run(rows[i].args, &said);
        if (code != rows[i].code || !strstr(said, rows[i].said))
            fail_msg("row %zu: %d %s", i, code, said);
        free(said);
    }
}

static void test_configurations(void **state)
{
    (void)state;
    static const struct {
        const char *yaml;
        int code;
        const char *said;
    } rows[] = {
        {"federations: []\n", FR_EXIT_CONFIG, "federations"},
        {"federations:\n  - {name: fed.test, broker: 'https://127.0.0.1:1/q', ca: none.pem, "
         "certificate: none.chain.pem, key: none.key}\n",
         FR_EXIT_CONFIG, "none"},
    };
    char path[] = "/tmp/fr-resolve-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *const args[] = {"fedroam", "resolve", "--config", path, "70b3d57ed0000001", NULL};
        char *said = NULL;
        assert_int_equal(fr_file_write(path, 0600, fr_span_str(rows[i].yaml), NULL), FR_OK);
        int code = run(args, &said);
        if (code != rows[i].code || !strstr(said, rows[i].said))
            fail_msg("row %zu: %d %s", i, code, said);
        free(said);
    }
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_command_lines),
                                       cmocka_unit_test(test_configurations)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
