#include "base/cli.h"

#include "base/cli_generate.h"
#include "base/cli_internal.h"
#include "base/mem.h"
#include "base/nearest.h"
#include "base/utf8.h"

#include <stdarg.h>
#include <string.h>

const struct fr_cli_option fr_cli_globals[] = {
    {.name = "state", .value = "DIR", .help = "the federation's state directory"},
    {.name = "fed", .value = "NAME", .help = "the federation, where several exist"},
    {.name = "output", .letter = 'o', .value = "text|json", .help = "form of the results"},
    {.name = "yes", .letter = 'y', .is_for_changes = true, .help = "do not ask"},
    {.name = "dry-run", .is_for_changes = true, .help = "show what would change, change nothing"},
    {.name = "reason", .value = "TEXT", .is_for_changes = true, .help = "why, for the journal"},
    {.name = "passphrase-fd",
     .value = "N",
     .help = "of the CA's keys, when no broker runs: read it from this descriptor"},
    {0},
};

enum { MAX_WORDS = 8, MAX_NAMES = 256 }; /* words of a command path; names offered as the nearest */

/* --name or -x, taken apart. */
struct token {
    struct fr_span name; /* without dashes */
    bool is_letter;
    const char *value; /* after '=' or behind the letter; NULL = none */
};

static bool read_token(const char *arg, struct token *out)
{
    if (arg[0] != '-' || arg[1] == '\0') return false; /* "-" alone is an argument: stdin */
    if (arg[1] != '-') {
        *out = (struct token){fr_span(arg + 1, 1), true, arg[2] != '\0' ? arg + 2 : NULL};
        return true;
    }
    const char *eq = strchr(arg, '=');
    size_t n = eq != NULL ? (size_t)(eq - arg) - 2 : strlen(arg) - 2;
    *out = (struct token){fr_span(arg + 2, n), false, eq != NULL ? eq + 1 : NULL};
    return true;
}

static const struct fr_cli_option *find_in(const struct fr_cli_option *options,
                                           const struct token *t)
{
    if (options == NULL) return NULL;
    for (; options->name != NULL; options++) {
        if (t->is_letter ? options->letter == (char)t->name.p[0]
                         : fr_span_is(t->name, options->name)) {
            return options;
        }
    }
    return NULL;
}

/* An option that stands before its command: any command that knows it says whether it takes a
 * value. */
static const struct fr_cli_option *find_anywhere(const struct fr_cli_program *program,
                                                 const struct token *t)
{
    const struct fr_cli_option *o = find_in(program->globals, t);

    for (const struct fr_cli_command *const *table = program->tables; o == NULL && *table != NULL;
         table++) {
        for (const struct fr_cli_command *c = *table; o == NULL && c->path != NULL; c++) {
            o = find_in(c->options, t);
        }
    }
    return o;
}

/* The words among the arguments, joined by blanks as in a command path, and whether --help or
 * --version is among them. */
struct words {
    char text[256];
    size_t n;
    bool wants_help;
    bool wants_version;
};

static struct words collect_words(const struct fr_cli_program *program, int argc, char **argv)
{
    struct words w = {0};

    for (int i = 1; i < argc; i++) {
        struct token t;
        if (strcmp(argv[i], "--") == 0) break;
        if (read_token(argv[i], &t)) {
            w.wants_help |= fr_span_is(t.name, t.is_letter ? "h" : "help");
            w.wants_version |= fr_span_is(t.name, "version") && !t.is_letter;
            const struct fr_cli_option *o = find_anywhere(program, &t);
            if (o != NULL && o->value != NULL && t.value == NULL) i++;
            continue;
        }
        size_t at = strlen(w.text), n = strlen(argv[i]);
        if (w.n == MAX_WORDS || at + n + 2 > sizeof w.text) continue; /* not part of any path */
        if (at > 0) w.text[at++] = ' ';
        memcpy(w.text + at, argv[i], n + 1);
        w.n++;
    }
    return w;
}

/* The command with the longest path that starts the words. */
static const struct fr_cli_command *find_command(const struct fr_cli_program *program,
                                                 const char *words)
{
    const struct fr_cli_command *best = NULL;

    for (const struct fr_cli_command *const *table = program->tables; *table != NULL; table++) {
        for (const struct fr_cli_command *c = *table; c->path != NULL; c++) {
            if (!fr_cli_path_is_under(words, fr_span_str(c->path))) continue;
            if (best == NULL || strlen(c->path) > strlen(best->path)) best = c;
        }
    }
    return best;
}

static bool has_commands_under(const struct fr_cli_program *program, struct fr_span prefix)
{
    for (const struct fr_cli_command *const *table = program->tables; *table != NULL; table++) {
        for (const struct fr_cli_command *c = *table; c->path != NULL; c++) {
            if (fr_cli_path_is_under(c->path, prefix)) return true;
        }
    }
    return false;
}

static void point_at_help(const struct fr_cli *cli)
{
    const char *path = cli->command != NULL ? cli->command->path : "";
    fprintf(cli->err, "see: %s%s%s --help\n", cli->program->name, path[0] != '\0' ? " " : "", path);
}

enum fr_exit fr_cli_usage(const struct fr_cli *cli, const char *fmt, ...)
{
    va_list args;

    fprintf(cli->err, "%s: ", cli->program->name);
    va_start(args, fmt);
    vfprintf(cli->err, fmt, args);
    va_end(args);
    fputc('\n', cli->err);
    point_at_help(cli);
    return FR_EXIT_USAGE;
}

static enum fr_exit unknown_command(const struct fr_cli *cli, const char *words)
{
    const char *names[MAX_NAMES];
    size_t n = 0;

    for (const struct fr_cli_command *const *table = cli->program->tables; *table != NULL;
         table++) {
        for (const struct fr_cli_command *c = *table; c->path != NULL && n < MAX_NAMES; c++)
            names[n++] = c->path;
    }
    const char *near = fr_nearest(fr_span_str(words), names, n);
    if (near == NULL) return fr_cli_usage(cli, "unknown command: %s", words);
    return fr_cli_usage(cli, "unknown command: %s (did you mean: %s?)", words, near);
}

static size_t add_names(const struct fr_cli_option *options, const char **names, size_t n)
{
    for (; options != NULL && options->name != NULL && n < MAX_NAMES; options++)
        names[n++] = options->name;
    return n;
}

static enum fr_exit unknown_option(const struct fr_cli *cli, const struct token *t)
{
    const char *names[MAX_NAMES];
    size_t n = add_names(cli->command->options, names, 0);

    n = add_names(cli->program->globals, names, n);
    if (t->is_letter) return fr_cli_usage(cli, "unknown option: -%c", t->name.p[0]);
    const char *near = fr_nearest(t->name, names, n);
    if (near == NULL)
        return fr_cli_usage(cli, "unknown option: --%.*s", (int)t->name.n, (const char *)t->name.p);
    return fr_cli_usage(cli, "unknown option: --%.*s (did you mean: --%s?)", (int)t->name.n,
                        (const char *)t->name.p, near);
}

/* Names of files are whatever bytes the file system has; all else is text for people and for JSON. */
static bool may_be_bytes(const char *what)
{
    return what != NULL && (strstr(what, "FILE") != NULL || strstr(what, "DIR") != NULL ||
                            strstr(what, "CMD") != NULL);
}

/* One option; *i moves when its value is the next argument. */
static enum fr_exit take_option(struct fr_cli *cli, const struct token *t, int argc, char **argv,
                                int *i)
{
    const struct fr_cli_option *o = find_in(cli->command->options, t);
    const char *value = t->value;

    if (o == NULL) o = find_in(cli->program->globals, t);
    if (o == NULL) return unknown_option(cli, t);
    if (!fr_cli_option_fits(o, cli->command))
        return fr_cli_usage(cli,
                            cli->command->only_reads ? "--%s is for commands that change something"
                                                     : "this command knows no --%s",
                            o->name);
    if (o->value == NULL && value != NULL) return fr_cli_usage(cli, "--%s takes no value", o->name);
    if (o->value != NULL && value == NULL) {
        if (*i + 1 >= argc) return fr_cli_usage(cli, "--%s needs a value (%s)", o->name, o->value);
        value = argv[++*i];
    }
    if (!o->is_repeatable && fr_cli_opt_count(cli, o->name) > 0) {
        return fr_cli_usage(cli, "--%s is given twice", o->name);
    }
    if (value != NULL && !may_be_bytes(o->value) && !fr_utf8_is_valid(value))
        return fr_cli_usage(cli, "--%s is not UTF-8 text", o->name);
    cli->given[cli->n_given++] = (struct fr_cli_given){o, value};
    return FR_EXIT_OK;
}

/* The options and arguments of the command that was found; `skip` words are its path. */
static enum fr_exit take_all(struct fr_cli *cli, int argc, char **argv, size_t skip)
{
    bool only_args = false;

    for (int i = 1; i < argc; i++) {
        struct token t;
        if (!only_args && strcmp(argv[i], "--") == 0) {
            only_args = true;
        } else if (!only_args && read_token(argv[i], &t)) {
            enum fr_exit rc = take_option(cli, &t, argc, argv, &i);
            if (rc != FR_EXIT_OK) return rc;
        } else if (skip > 0) {
            skip--;
        } else {
            if (!may_be_bytes(cli->command->args) && !fr_utf8_is_valid(argv[i]))
                return fr_cli_usage(cli, "an argument is not UTF-8 text");
            cli->args[cli->n_args++] = argv[i];
        }
    }
    return FR_EXIT_OK;
}

static enum fr_exit check_given(const struct fr_cli *cli)
{
    const struct fr_cli_command *c = cli->command;
    const char *output = fr_cli_opt(cli, "output");

    for (const struct fr_cli_option *o = c->options; o != NULL && o->name != NULL; o++) {
        if (o->is_required && fr_cli_opt_count(cli, o->name) == 0) {
            return fr_cli_usage(cli, "--%s %s is missing", o->name,
                                o->value != NULL ? o->value : "");
        }
    }
    if (cli->n_args < c->min_args) {
        return fr_cli_usage(cli, "missing argument: %s", c->args != NULL ? c->args : "");
    }
    if (cli->n_args > c->max_args) {
        return fr_cli_usage(cli, "surplus argument: %s", cli->args[c->max_args]);
    }
    if (output != NULL && strcmp(output, "text") != 0 && strcmp(output, "json") != 0 &&
        !(c->has_csv && strcmp(output, "csv") == 0) &&
        !(c->own_form != NULL && strcmp(output, c->own_form) == 0)) {
        return fr_cli_usage(cli, "--output is text%s%s%s or json, not %s",
                            c->has_csv ? ", csv" : "", c->own_form != NULL ? ", " : "",
                            c->own_form != NULL ? c->own_form : "", output);
    }
    return FR_EXIT_OK;
}

static size_t count_words(const char *path)
{
    size_t n = path[0] != '\0';

    for (; *path != '\0'; path++) n += *path == ' ';
    return n;
}

/* Help, version, or a word that names nothing; *is_done says that there is nothing to run. */
static enum fr_exit answer_early(struct fr_cli *cli, const struct words *w, bool *is_done)
{
    const struct fr_cli_program *p = cli->program;
    struct fr_span prefix = fr_span_str(w->text);

    *is_done = true;
    if (w->wants_version && (w->n == 0 || cli->command == NULL)) {
        fprintf(cli->out, "%s %s\n", p->name, FR_VERSION);
        return FR_EXIT_OK;
    }
    if (w->wants_help && cli->command != NULL) {
        fr_cli_help_command(p, cli->command, cli->out);
        return FR_EXIT_OK;
    }
    if (cli->command != NULL) {
        *is_done = false;
        return FR_EXIT_OK;
    }
    if (!has_commands_under(p, prefix)) return unknown_command(cli, w->text);
    fr_cli_help_program(p, prefix, w->wants_help ? cli->out : cli->err);
    return w->wants_help ? FR_EXIT_OK : FR_EXIT_USAGE;
}

enum fr_exit fr_cli_run(const struct fr_cli_program *program, int argc, char **argv, FILE *in,
                        FILE *out, FILE *err)
{
    struct fr_cli cli = {.program = program, .in = in, .out = out, .err = err};
    struct words w = collect_words(program, argc, argv);
    bool is_done;
    enum fr_exit rc;

    if (argc > 1 && strcmp(argv[1], "--generate") == 0)
        return fr_cli_generate(program, argc, argv, err);
    cli.command = find_command(program, w.text);
    rc = answer_early(&cli, &w, &is_done);
    if (is_done) return rc;
    cli.args = fr_calloc((size_t)argc + 1, sizeof *cli.args);
    cli.given = fr_calloc((size_t)argc + 1, sizeof *cli.given);
    if (cli.args == NULL || cli.given == NULL) {
        rc = fr_cli_fail(&cli, FR_E_NOMEM, NULL);
        goto out;
    }
    rc = take_all(&cli, argc, argv, count_words(cli.command->path));
    if (rc == FR_EXIT_OK) rc = check_given(&cli);
    if (rc == FR_EXIT_OK) rc = cli.command->run(&cli);
    /* A full disk or a closed pipe shows only now; results that did not arrive are not a
     * success. */
    if (fflush(out) != 0 && rc == FR_EXIT_OK) rc = FR_EXIT_IO;
out:
    fr_free(cli.args);
    fr_free(cli.given);
    return rc;
}

int fr_cli_main(const struct fr_cli_program *program, int argc, char **argv)
{
    return (int)fr_cli_run(program, argc, argv, stdin, stdout, stderr);
}
