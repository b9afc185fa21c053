#include "base/cli.h"
#include "support/unit.h"

#include <pty.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A command that says what it was given. */
static enum fr_exit show(struct fr_cli *cli)
{
    FILE *out = fr_cli_out(cli);

    fprintf(out, "%s", (const char *)fr_cli_data(cli));
    for (size_t i = 0; i < fr_cli_n_args(cli); i++) fprintf(out, " <%s>", fr_cli_arg(cli, i));
    for (size_t i = 0; i < fr_cli_opt_count(cli, "netid"); i++)
        fprintf(out, " netid=%s", fr_cli_opt_at(cli, "netid", i));
    if (fr_cli_opt(cli, "state") != NULL) fprintf(out, " state=%s", fr_cli_opt(cli, "state"));
    if (fr_cli_flag(cli, "replace")) fprintf(out, " replace");
    if (fr_cli_output(cli) == FR_OUTPUT_JSON) fprintf(out, " json");
    fprintf(out, "\n");
    assert_null(fr_cli_arg(cli, fr_cli_n_args(cli)));
    assert_null(fr_cli_opt_at(cli, "netid", 99));
    return FR_EXIT_OK;
}

static enum fr_exit ask(struct fr_cli *cli)
{
    return fr_cli_confirm(cli, "remove %d devices?", 3);
}

static enum fr_exit ask_name(struct fr_cli *cli)
{
    return fr_cli_confirm_name(cli, "acme", "%s goes for good.", "acme");
}

static enum fr_exit fail_it(struct fr_cli *cli)
{
    struct fr_diag diag = {0};
    enum fr_err err = fr_diag_fail(&diag, FR_E_NOT_FOUND, "no member acme");

    fr_cli_note(cli, "warning: %s", "w");
    if (fr_cli_n_args(cli) > 0) return fr_cli_usage(cli, "bad %s", fr_cli_arg(cli, 0));
    return fr_cli_fail(cli, err, &diag);
}

static const struct fr_cli_option import_options[] = {
    {.name = "netid",
     .letter = 'n',
     .value = "N",
     .is_repeatable = true,
     .is_required = true,
     .help = "the network"},
    {.name = "replace", .letter = 'r', .help = "make the set equal"},
    {0},
};
static const struct fr_cli_command zone[] = {
    {.path = "zone import",
     .args = "FILE",
     .min_args = 1,
     .max_args = 2,
     .options = import_options,
     .summary = "Add devices.",
     .details = "Lines of EUIs.",
     .example = "fedroam zone import --netid 000013 devices.csv",
     .run = show},
    {.path = "zone export",
     .summary = "Write the zone.",
     .example = "fedroam zone export",
     .run = show},
    {0},
};
static const struct fr_cli_command other[] = {
    {.path = "ask", .summary = "Ask.", .run = ask},
    {.path = "ask name", .summary = "Ask.", .run = ask_name},
    {.path = "fail", .max_args = 1, .summary = "Fail.", .run = fail_it},
    {0},
};
static const struct fr_cli_command *const tables[] = {zone, other, NULL};
static const struct fr_cli_program fedroam = {.name = "fedroam",
                                              .summary = "roams",
                                              .tables = tables,
                                              .globals = fr_cli_globals,
                                              .data = (void *)"data"};

static const struct fr_cli_option daemon_options[] = {
    {.name = "config", .value = "FILE", .help = "its file"}, {0}};
static const struct fr_cli_command daemon_commands[] = {
    {.path = "",
     .options = daemon_options,
     .summary = "Serves.",
     .example = "fedroam-broker --config b.yaml",
     .run = show},
    {0}};
static const struct fr_cli_command *const daemon_tables[] = {daemon_commands, NULL};
static const struct fr_cli_program daemon_program = {
    .name = "fedroam-broker", .summary = "serves", .tables = daemon_tables, .data = (void *)"data"};

struct result {
    enum fr_exit rc;
    char *out, *err;
};

/* Splits the line at blanks and runs it. */
static struct result run(const struct fr_cli_program *program, const char *line)
{
    char copy[256], *argv[32] = {(char *)program->name};
    int argc = 1;
    struct result r = {0};
    size_t n;
    FILE *in = fopen("/dev/null", "r"), *out = open_memstream(&r.out, &n),
         *err = open_memstream(&r.err, &n);

    assert_true(in != NULL && out != NULL && err != NULL);
    assert_true(strlen(line) < sizeof copy);
    strcpy(copy, line);
    for (char *word = strtok(copy, " "); word != NULL; word = strtok(NULL, " "))
        argv[argc++] = word;
    r.rc = fr_cli_run(program, argc, argv, in, out, err);
    fclose(in);
    fclose(out);
    fclose(err);
    return r;
}

static void free_result(struct result *r)
{
    free(r->out);
    free(r->err);
}

static void good_lines(void **state)
{
    static const struct {
        const char *line, *out;
    } rows[] = {
        {"zone import --netid 000013 a.csv", "data <a.csv> netid=000013\n"},
        {"--state S zone import a.csv -n 1 --netid=2 -n3 -r",
         "data <a.csv> netid=1 netid=2 netid=3 state=S replace\n"},
        {"--netid 1 --replace zone --state=S import -o json a b",
         "data <a> <b> netid=1 state=S replace json\n"},
        {"zone -ojson import -n 1 -- --replace", "data <--replace> netid=1 json\n"},
        {"zone import -n 1 -", "data <-> netid=1\n"},
        {"zone import -n -- a", "data <a> netid=--\n"},
        {"zone import --netid= a", "data <a> netid=\n"},
        {"zone export -o text", "data\n"},
        {"--yes ask", ""},
        {"ask -y", ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct result r = run(&fedroam, rows[i].line);
        if (r.rc != FR_EXIT_OK) fail_msg("%s: %d %s", rows[i].line, (int)r.rc, r.err);
        assert_string_equal(r.out, rows[i].out);
        free_result(&r);
    }
}

static void bad_lines(void **state)
{
    static const struct {
        const char *line, *err;
    } rows[] = {
        {"zone import --nteid 1 a", "fedroam: unknown option: --nteid (did you mean: "
                                    "--netid?)\nsee: fedroam zone import --help\n"},
        {"zone import -n 1 -x a", "fedroam: unknown option: -x\nsee: fedroam zone import --help\n"},
        {"zone import -n 1", "fedroam: missing argument: FILE\nsee: fedroam zone import --help\n"},
        {"zone import -n 1 a b c",
         "fedroam: surplus argument: c\nsee: fedroam zone import --help\n"},
        {"zone import a", "fedroam: --netid N is missing\nsee: fedroam zone import --help\n"},
        {"zone import a -n",
         "fedroam: --netid needs a value (N)\nsee: fedroam zone import --help\n"},
        {"zone import a -n 1 --replace=yes",
         "fedroam: --replace takes no value\nsee: fedroam zone import --help\n"},
        {"zone import a -n 1 --state A --state B",
         "fedroam: --state is given twice\nsee: fedroam zone import --help\n"},
        {"zone export -o xml",
         "fedroam: --output is text or json, not xml\nsee: fedroam zone export --help\n"},
        {"zone export -o csv",
         "fedroam: --output is text or json, not csv\nsee: fedroam zone export --help\n"},
        {"zone export --replace",
         "fedroam: unknown option: --replace\nsee: fedroam zone export --help\n"},
        {"zone imprt", "fedroam: unknown command: zone imprt (did you mean: zone import?)\nsee: "
                       "fedroam --help\n"},
        {"qwertyuiop", "fedroam: unknown command: qwertyuiop\nsee: fedroam --help\n"},
        {"fail x", "warning: w\nfedroam: bad x\nsee: fedroam fail --help\n"},
        {"ask", "remove 3 devices?\nfedroam: nobody to ask: give --yes\n"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct result r = run(&fedroam, rows[i].line);
        assert_string_equal(r.err, rows[i].err);
        assert_string_equal(r.out, "");
        assert_int_equal(r.rc, FR_EXIT_USAGE);
        free_result(&r);
    }
}

static void help_at_every_level(void **state)
{
    static const struct {
        const char *line, *part;
        enum fr_exit rc;
    } rows[] = {
        {"--help", "  zone import  Add devices.\n", FR_EXIT_OK},
        {"--help", "--dry-run", FR_EXIT_OK},
        {"-h", "  zone import  Add devices.\n", FR_EXIT_OK},
        {"zone import -h", "--help", FR_EXIT_OK},
        {"zone --help", "usage: fedroam zone COMMAND [options]", FR_EXIT_OK},
        {"zone import --help",
         "usage: fedroam zone import [options] FILE\n\nAdd devices.\n\nLines of EUIs.\n",
         FR_EXIT_OK},
        {"--help zone import", "example:\n  fedroam zone import --netid 000013 devices.csv\n",
         FR_EXIT_OK},
        {"zone import --help",
         "  -n, --netid N                   the network (required) (may be repeated)\n",
         FR_EXIT_OK},
        {"--version", "fedroam " FR_VERSION "\n", FR_EXIT_OK},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct result r = run(&fedroam, rows[i].line);
        if (strstr(r.out, rows[i].part) == NULL) fail_msg("%s: %s", rows[i].line, r.out);
        assert_int_equal(r.rc, rows[i].rc);
        free_result(&r);
    }
    struct result zone_help = run(&fedroam, "zone --help");
    assert_null(strstr(zone_help.out, "Ask."));
    free_result(&zone_help);
    static const char *const bare[] = {"", "zone"};
    for (size_t i = 0; i < 2; i++) { /* nothing said: the list of commands, but as a usage error */
        struct result r = run(&fedroam, bare[i]);
        assert_int_equal(r.rc, FR_EXIT_USAGE);
        assert_string_equal(r.out, "");
        assert_non_null(strstr(r.err, "zone import"));
        free_result(&r);
    }
}

static void a_daemon_has_one_command(void **state)
{
    (void)state;
    struct result r = run(&daemon_program, "--config b.yaml");
    assert_int_equal(r.rc, FR_EXIT_OK);
    assert_string_equal(r.out, "data\n");
    free_result(&r);
    r = run(&daemon_program, "serve");
    assert_int_equal(r.rc, FR_EXIT_USAGE);
    assert_string_equal(r.err,
                        "fedroam-broker: surplus argument: serve\nsee: fedroam-broker --help\n");
    free_result(&r);
    r = run(&daemon_program, "--version");
    assert_string_equal(r.out, "fedroam-broker " FR_VERSION "\n");
    free_result(&r);
    r = run(&daemon_program, "--help");
    assert_non_null(strstr(r.out, "usage: fedroam-broker [options]\n\nServes.\n"));
    free_result(&r);
}

static void failure_has_a_sentence_and_a_code(void **state)
{
    (void)state;
    struct result r = run(&fedroam, "fail");
    assert_int_equal(r.rc, FR_EXIT_NOT_FOUND);
    assert_string_equal(r.err, "warning: w\nfedroam: no member acme\n");
    free_result(&r);
}

static void a_terminal_is_asked(void **state)
{
    static const char yes_no[] = "remove 3 devices? [y/N] ",
                      name[] = "acme goes for good.\ntype acme to do it: ";
    static const struct {
        const char *word, *option, *typed, *asked;
        enum fr_exit want;
    } rows[] = {
        {NULL, NULL, "y\n", yes_no, FR_EXIT_OK},        {NULL, NULL, "Yes\n", yes_no, FR_EXIT_OK},
        {NULL, NULL, "n\n", yes_no, FR_EXIT_FALSE},     {NULL, NULL, "\n", yes_no, FR_EXIT_FALSE},
        {NULL, NULL, "\4", yes_no, FR_EXIT_FALSE},      {NULL, "--yes", "", "", FR_EXIT_OK},
        {NULL, "--dry-run", "", "", FR_EXIT_OK},        {"name", NULL, "acme\n", name, FR_EXIT_OK},
        {"name", NULL, "acme \n", name, FR_EXIT_FALSE}, {"name", NULL, "y\n", name, FR_EXIT_FALSE},
        {"name", NULL, "\n", name, FR_EXIT_FALSE},      {"name", NULL, "\4", name, FR_EXIT_FALSE},
        {"name", "--yes", "", "", FR_EXIT_OK},          {"name", "--dry-run", "", "", FR_EXIT_OK},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *argv[5] = {(char *)"fedroam", (char *)"ask"};
        int argc = 2, master, slave;
        char *err_text = NULL;
        size_t n;
        if (rows[i].word) argv[argc++] = (char *)(uintptr_t)rows[i].word;
        if (rows[i].option) argv[argc++] = (char *)(uintptr_t)rows[i].option;
        assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
        FILE *in = fdopen(slave, "r"), *null = fopen("/dev/null", "w"),
             *err = open_memstream(&err_text, &n);
        assert_true(in != NULL && null != NULL && err != NULL);
        assert_int_equal(write(master, rows[i].typed, strlen(rows[i].typed)),
                         strlen(rows[i].typed));
        assert_int_equal(fr_cli_run(&fedroam, argc, argv, in, null, err), rows[i].want);
        fclose(err);
        assert_string_equal(err_text, rows[i].asked);
        free(err_text);
        fclose(in);
        fclose(null);
        close(master);
    }
}

static void results_that_do_not_arrive_are_no_success(void **state)
{
    char *argv[] = {(char *)"fedroam", (char *)"zone", (char *)"export", NULL};
    FILE *full = fopen("/dev/full", "w");

    (void)state;
    assert_non_null(full);
    assert_int_equal(fr_cli_run(&fedroam, 3, argv, stdin, full, stderr), FR_EXIT_IO);
    (void)fclose(full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_lines),
        cmocka_unit_test(bad_lines),
        cmocka_unit_test(help_at_every_level),
        cmocka_unit_test(a_daemon_has_one_command),
        cmocka_unit_test(failure_has_a_sentence_and_a_code),
        cmocka_unit_test(a_terminal_is_asked),
        cmocka_unit_test(results_that_do_not_arrive_are_no_success),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
