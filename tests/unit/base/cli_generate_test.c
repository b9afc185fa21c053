#include "base/buf.h"
#include "base/cli.h"
#include "base/cli_pages.h"
#include "base/conf.h"
#include "base/file.h"
#include "base/mem.h"
#include "support/unit.h"

#include <stdlib.h>
#include <string.h>

static enum fr_exit nothing(struct fr_cli *cli)
{
    (void)cli;
    return FR_EXIT_OK;
}

static const struct fr_cli_option add_options[] = {
    {.name = "netid", .letter = 'n', .value = "N", .is_required = true, .help = "The network."},
    {.name = "form", .value = "long|short", .help = "It's the form."},
    {0},
};
static const struct fr_cli_command commands[] = {
    {.path = "zone add",
     .args = "FILE",
     .max_args = 1,
     .options = add_options,
     .summary = "add to it",
     .details = "One. Two.",
     .example = "roam zone add x",
     .run = nothing},
    {.path = "zone list", .summary = "list it", .only_reads = true, .run = nothing},
    {.path = "zone part set", .summary = "set a part", .run = nothing},
    {.path = "show", .summary = "show all", .only_reads = true, .run = nothing},
    {0},
};
static const struct fr_cli_command *const tables[] = {commands, NULL};
static const struct fr_cli_topic topics[] = {
    {"those who do", "zone", "a zone"},
    {"those who look", "show", NULL},
    {0},
};
struct conf {
    uint32_t ttl;
};
static const struct fr_conf_row rows[] = {
    {.key = "ttl",
     .type = FR_T_DURATION,
     FR_CONF_AT(struct conf, ttl),
     .def = "60s",
     .min = 1000,
     .max = 3600000,
     .help = "How long."},
    {0},
};
static const struct fr_conf_schema schema = {
    .title = "roam.yaml", .summary = "how it roams", .size = sizeof(struct conf), .rows = rows};
static const struct fr_conf_schema *const files[] = {&schema, NULL};
static const struct fr_cli_program program = {.name = "roam",
                                              .summary = "roams",
                                              .tables = tables,
                                              .globals = fr_cli_globals,
                                              .topics = topics,
                                              .files = files};

static char folder[] = "/tmp/fedroam-pages-XXXXXX";

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    char command[64];

    (void)state;
    (void)snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

static enum fr_exit generate(const char *kind, const char *where)
{
    char *argv[] = {(char *)"roam", (char *)"--generate",        (char *)kind,
                    (char *)where,  (char *)"November 20, 2026", NULL};
    FILE *null = fopen("/dev/null", "r+");

    assert_non_null(null);
    enum fr_exit rc = fr_cli_run(&program, 5, argv, null, null, null);
    fclose(null);
    return rc;
}

/* Owned by the caller. */
static char *text_of(const char *name)
{
    struct fr_buf text = FR_BUF_INIT(1 << 16);
    char *path = fr_path_join(folder, name);
    size_t n;

    if (fr_file_read(path, NULL, &text) != FR_OK) fail_msg("%s is not there", name);
    fr_free(path);
    return (char *)fr_buf_take(&text, &n);
}

static void files_hold(void **state)
{
    static const struct {
        const char *file, *part;
    } parts[] = {
        {"roam.1", ".Dd November 20, 2026\n.Dt ROAM 1\n"},
        {"roam.1", ".Ss those who do\n"},
        {"roam.1", ".It Xr roam-zone 1\na zone\n"},
        {"roam.1", ".It 78\n"},
        {"roam.1", ".Xr fedroam-roam.yaml 5"},
        {"roam-zone.1", ".It Ic roam zone part set\nset a part\n"},
        {"roam-zone-part.1", ".It Ic roam zone part set\n"},
        {"roam-zone-add.1", ".Nm roam zone add\n.Op Ar options\n.Ar FILE\n"},
        {"roam-zone-add.1", ".It Fl n , Fl \\-netid Ar N\nThe network.\n(Required.)\n"},
        {"roam-zone-add.1", "One.\nTwo.\n"},
        {"roam-zone-add.1", "\nroam zone add x\n"},
        {"roam-zone-add.1", "\\-dry\\-run"},
        {"roam-show.1", ".Nd show all\n"},
        {"fedroam-roam.yaml.5", ".It Ic ttl\nHow long.\n"},
        {"roam", "'zone') follow=' add list part' flags="},
        {"roam", "-n|--netid) takes='OTHER'"},
        {"roam", "--form) takes='long short'"},
        {"roam", "complete -o filenames -F _roam roam\n"},
        {"_roam", "#compdef roam\n"},
        {"_roam", "'--form:It'\\''s the form.'"},
    };

    (void)state;
    assert_int_equal(generate("man", folder), FR_EXIT_OK);
    assert_int_equal(generate("bash", folder), FR_EXIT_OK);
    assert_int_equal(generate("zsh", folder), FR_EXIT_OK);
    for (size_t i = 0; i < COUNT(parts); i++) {
        char *text = text_of(parts[i].file);
        if (strstr(text, parts[i].part) == NULL) fail_msg("%s: %s", parts[i].part, text);
        fr_free(text);
    }
    char *show = text_of("roam-show.1");
    assert_null(strstr(show, "dry"));
    fr_free(show);
}

static void wrong_calls(void **state)
{
    (void)state;
    assert_int_equal(generate("pdf", folder), FR_EXIT_USAGE);
    assert_int_equal(generate("man", "/nonexistent/folder"), FR_EXIT_CREATE);
}

static void names_of_pages(void **state)
{
    struct fr_buf name = FR_BUF_INIT(64);

    (void)state;
    fr_cli_page_name(&name, &program, fr_span_str("zone part set"));
    assert_string_equal(fr_buf_str(&name), "roam-zone-part-set");
    assert_int_equal(fr_cli_page_section(&program), 1);
    fr_buf_deinit(&name);
}

static void a_full_buffer_is_told(void **state)
{
    static void (*const makers[])(struct fr_buf *, const struct fr_cli_program *) = {
        fr_cli_complete_bash, fr_cli_complete_zsh};

    (void)state;
    for (size_t i = 0; i < COUNT(makers); i++) {
        struct fr_buf out = FR_BUF_INIT(100);
        makers[i](&out, &program);
        assert_int_equal(fr_buf_err(&out), FR_E_LIMIT);
        fr_buf_deinit(&out);
    }
}

static void what_only_reads_takes_no_dry_run(void **state)
{
    char *err_text = NULL;
    size_t n;
    char *argv[] = {(char *)"roam", (char *)"zone", (char *)"list", (char *)"--dry-run", NULL};
    FILE *null = fopen("/dev/null", "r+"), *err = open_memstream(&err_text, &n);

    (void)state;
    assert_true(null != NULL && err != NULL);
    assert_int_equal(fr_cli_run(&program, 4, argv, null, null, err), FR_EXIT_USAGE);
    fclose(err);
    assert_string_equal(err_text, "roam: --dry-run is for commands that change something\n"
                                  "see: roam zone list --help\n");
    free(err_text);
    argv[3] = (char *)"--help";
    err = open_memstream(&err_text, &n);
    assert_int_equal(fr_cli_run(&program, 4, argv, null, err, null), FR_EXIT_OK);
    fclose(err);
    assert_null(strstr(err_text, "dry-run"));
    assert_non_null(strstr(err_text, "--output"));
    free(err_text);
    fclose(null);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_hold),
        cmocka_unit_test(wrong_calls),
        cmocka_unit_test(names_of_pages),
        cmocka_unit_test(a_full_buffer_is_told),
        cmocka_unit_test(what_only_reads_takes_no_dry_run),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
