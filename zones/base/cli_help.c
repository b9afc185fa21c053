#include "base/cli_internal.h"

#include "base/buf.h"

#include <string.h>

bool fr_cli_path_is_under(const char *path, struct fr_span prefix)
{
    struct fr_span p = fr_span_str(path);

    if (prefix.n == 0) return true;
    if (p.n < prefix.n || !fr_span_equal(fr_span(p.p, prefix.n), prefix)) return false;
    return p.n == prefix.n || p.p[prefix.n] == ' ';
}

static void put_option(const struct fr_cli_option *o, FILE *out)
{
    struct fr_buf left = FR_BUF_INIT(256);

    if (o->letter != 0) {
        fr_buf_printf(&left, "-%c, ", o->letter);
    } else {
        fr_buf_add_str(&left, "    ");
    }
    fr_buf_printf(&left, "--%s%s%s", o->name, o->value != NULL ? " " : "",
                  o->value != NULL ? o->value : "");
    fprintf(out, "  %-30s  %s%s%s\n", fr_buf_str(&left), o->help,
            o->is_required ? " (required)" : "", o->is_repeatable ? " (may be repeated)" : "");
    fr_buf_deinit(&left);
}

static void put_options(const char *heading, const struct fr_cli_option *options, FILE *out)
{
    if (options == NULL || options[0].name == NULL) return;
    fprintf(out, "\n%s:\n", heading);
    for (; options->name != NULL; options++) put_option(options, out);
}

void fr_cli_help_program(const struct fr_cli_program *program, struct fr_span prefix, FILE *out)
{
    int width = 0;

    if (prefix.n == 0) fprintf(out, "%s: %s\n\n", program->name, program->summary);
    fprintf(out, "usage: %s %.*s%s[options]\n\ncommands:\n", program->name, (int)prefix.n,
            prefix.n > 0 ? (const char *)prefix.p : "", prefix.n > 0 ? " COMMAND " : "COMMAND ");
    for (int pass = 0; pass < 2; pass++) { /* first the width, then the lines */
        for (const struct fr_cli_command *const *table = program->tables; *table != NULL; table++) {
            for (const struct fr_cli_command *c = *table; c->path != NULL; c++) {
                if (!fr_cli_path_is_under(c->path, prefix)) continue;
                int n = (int)strlen(c->path);
                if (pass == 0 && n > width) width = n;
                if (pass == 1) fprintf(out, "  %-*s  %s\n", width, c->path, c->summary);
            }
        }
    }
    if (prefix.n == 0) put_options("options of every command", program->globals, out);
    fprintf(out, "\n%s COMMAND --help explains one command, with an example.\n", program->name);
}

void fr_cli_help_command(const struct fr_cli_program *program, const struct fr_cli_command *command,
                         FILE *out)
{
    bool has_options = program->globals != NULL || command->options != NULL;

    fprintf(out, "usage: %s%s%s%s%s%s\n\n%s\n", program->name, command->path[0] != '\0' ? " " : "",
            command->path, has_options ? " [options]" : "", command->args != NULL ? " " : "",
            command->args != NULL ? command->args : "", command->summary);
    if (command->details != NULL) fprintf(out, "\n%s\n", command->details);
    put_options("options", command->options, out);
    put_options("options of every command", program->globals, out);
    fprintf(out, "\n  -h, --help                      explain\n");
    if (command->path[0] == '\0')
        fprintf(out, "      --version                   print the version\n");
    if (command->example != NULL) fprintf(out, "\nexample:\n  %s\n", command->example);
}
