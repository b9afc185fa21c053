/* What a running command asks of its command line, and its talk with the user. */
#include "base/cli.h"

#include "base/cli_internal.h"

#include <stdarg.h>
#include <string.h>
#include <unistd.h>

enum { CONFIRM_MAX = 256 };

size_t fr_cli_n_args(const struct fr_cli *cli)
{
    return cli->n_args;
}

const char *fr_cli_arg(const struct fr_cli *cli, size_t i)
{
    return i < cli->n_args ? cli->args[i] : NULL;
}

size_t fr_cli_opt_count(const struct fr_cli *cli, const char *name)
{
    size_t n = 0;

    for (size_t i = 0; i < cli->n_given; i++) n += strcmp(cli->given[i].option->name, name) == 0;
    return n;
}

const char *fr_cli_opt_at(const struct fr_cli *cli, const char *name, size_t at)
{
    for (size_t i = 0; i < cli->n_given; i++) {
        if (strcmp(cli->given[i].option->name, name) == 0 && at-- == 0) return cli->given[i].value;
    }
    return NULL;
}

const char *fr_cli_opt(const struct fr_cli *cli, const char *name)
{
    return fr_cli_opt_at(cli, name, 0);
}

bool fr_cli_flag(const struct fr_cli *cli, const char *name)
{
    return fr_cli_opt_count(cli, name) > 0;
}

void *fr_cli_data(const struct fr_cli *cli)
{
    return cli->program->data;
}

FILE *fr_cli_in(const struct fr_cli *cli)
{
    return cli->in;
}

FILE *fr_cli_out(const struct fr_cli *cli)
{
    return cli->out;
}

FILE *fr_cli_err(const struct fr_cli *cli)
{
    return cli->err;
}

enum fr_output fr_cli_output(const struct fr_cli *cli)
{
    const char *output = fr_cli_opt(cli, "output");
    if (output == NULL || strcmp(output, "text") == 0) return FR_OUTPUT_TEXT;
    return strcmp(output, "json") == 0 ? FR_OUTPUT_JSON : FR_OUTPUT_CSV;
}

enum fr_exit fr_cli_fail(const struct fr_cli *cli, enum fr_err err, const struct fr_diag *diag)
{
    char text[1200];

    if (err == FR_OK) return FR_EXIT_OK;
    fr_diag_print(diag, err, text, sizeof text);
    fprintf(cli->err, "%s: %s\n", cli->program->name, text);
    return fr_exit_from_err(err);
}

void fr_cli_note(const struct fr_cli *cli, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vfprintf(cli->err, fmt, args);
    va_end(args);
    fputc('\n', cli->err);
}

/* FR_EXIT_OK: nothing to ask. FR_EXIT_FALSE: the answer's line is in `line`. */
static enum fr_exit ask(const struct fr_cli *cli, const char *what, va_list args, const char *how,
                        char line[CONFIRM_MAX])
{
    if (fr_cli_flag(cli, "yes") || fr_cli_flag(cli, "dry-run")) return FR_EXIT_OK;
    vfprintf(cli->err, what, args);
    if (!isatty(fileno(cli->in))) {
        fprintf(cli->err, "\n%s: nobody to ask: give --yes\n", cli->program->name);
        return FR_EXIT_USAGE;
    }
    fputs(how, cli->err);
    fflush(cli->err);
    if (fgets(line, CONFIRM_MAX, cli->in) == NULL) line[0] = '\0';
    line[strcspn(line, "\r\n")] = '\0';
    return FR_EXIT_FALSE;
}

enum fr_exit fr_cli_confirm_name(const struct fr_cli *cli, const char *name, const char *fmt, ...)
{
    char how[CONFIRM_MAX + 32], line[CONFIRM_MAX] = "";
    va_list args;

    (void)snprintf(how, sizeof how, "\ntype %s to do it: ", name);
    va_start(args, fmt);
    const enum fr_exit code = ask(cli, fmt, args, how, line);
    va_end(args);
    return code == FR_EXIT_FALSE && strcmp(line, name) == 0 ? FR_EXIT_OK : code;
}

enum fr_exit fr_cli_confirm(const struct fr_cli *cli, const char *fmt, ...)
{
    char line[CONFIRM_MAX] = "";
    va_list args;

    va_start(args, fmt);
    const enum fr_exit code = ask(cli, fmt, args, " [y/N] ", line);
    va_end(args);
    return code == FR_EXIT_FALSE && (line[0] == 'y' || line[0] == 'Y') ? FR_EXIT_OK : code;
}
