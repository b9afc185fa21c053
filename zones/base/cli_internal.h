#pragma once
/* What cli.c (finding and checking) and cli_help.c (explaining) share. Not for other libraries. */

#include "base/cli.h"
#include "base/span.h"

struct fr_cli_given {
    const struct fr_cli_option *option;
    const char *value; /* NULL for a flag */
};

struct fr_cli {
    const struct fr_cli_program *program;
    const struct fr_cli_command *command; /* NULL while not found */
    const char **args;                    /* words after the command's own */
    size_t n_args;
    struct fr_cli_given *given;
    size_t n_given;
    FILE *in, *out, *err;
};

/* Help for the program, for all commands below a prefix ("zone"), or for one command. */
void fr_cli_help_program(const struct fr_cli_program *program, struct fr_span prefix, FILE *out);
void fr_cli_help_command(const struct fr_cli_program *program, const struct fr_cli_command *command,
                         FILE *out);

/* Is it `prefix` itself or a command below it? The empty prefix holds all. */
bool fr_cli_path_is_under(const char *path, struct fr_span prefix);

/* The command of exactly this path, or NULL. */
const struct fr_cli_command *fr_cli_find_exact(const struct fr_cli_program *program,
                                               struct fr_span path);

/* Has no command before `at` in the tables the same first n bytes of its path, up to the end of a word? */
bool fr_cli_is_first_with(const struct fr_cli_program *program, const struct fr_cli_command *at,
                          size_t n);

const char *fr_cli_topic_summary(const struct fr_cli_program *program,
                                 const struct fr_cli_topic *topic);

/* Does the command take it? NULL: any command. */
bool fr_cli_option_fits(const struct fr_cli_option *option, const struct fr_cli_command *command);
