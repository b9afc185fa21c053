#pragma once
/* Command lines: tables of commands and options, found, checked, explained.
 *
 * Model: a program has tables of commands; a command has a path ("member add"), options and a
 * run function of four steps (parse, load, do, print). Options may stand before or after the
 * command: --name value, --name=value, -n value, --flag; "--" ends them. A command whose path is
 * "" is run when no word names another: a daemon has just that one.
 * --help works at every level and --version at the top; both need no row. The first page lists topics
 * where a program has them. Manual pages and completions are made from the same rows (cli_generate.h).
 * Texts are UTF-8: other bytes are refused, but where FILE, DIR or CMD stands for them.
 * Errors: a wrong command line prints one line with the nearest known word on stderr and gives
 * FR_EXIT_USAGE (64).
 * Owns: nothing of argv's; struct fr_cli lives during run. Threads: one. */

#include "base/diag.h"
#include "base/exit.h"
#include <stdbool.h>
#include <stdio.h>

struct fr_cli;

struct fr_cli_option {
    const char *name;   /* "netid" for --netid */
    char letter;        /* 'o' for -o, 0 = none */
    const char *value;  /* what stands for the value in help ("N"); NULL = a flag */
    bool is_repeatable; /* else a second one is a usage error */
    bool is_required;
    bool is_for_changes; /* a global that commands which only read refuse */
    const char *help;
};

struct fr_cli_command {
    const char *path; /* "member add", or "" */
    const char *args; /* "ID" or "[EUI]…" for the usage line; NULL = none */
    unsigned min_args;
    unsigned max_args;
    const struct fr_cli_option *options; /* ends with {NULL}; may be NULL */
    const char *summary;                 /* one line */
    const char *details;                 /* more for its --help; may be NULL */
    const char *example;                 /* a whole command line */
    bool has_csv;                        /* -o csv is a form of its results too */
    const char *own_form;                /* so is -o WORD, which run reads itself; may be NULL */
    bool only_reads;                     /* changes nothing: no --dry-run, --reason, --yes */
    bool has_no_trial;                   /* changes something, and cannot say beforehand what */
    enum fr_exit (*run)(struct fr_cli *cli);
};

/* A first word of commands, for the first page of --help. */
struct fr_cli_topic {
    const char *heading; /* begins a group: who uses it; NULL = of the group before */
    const char *word;    /* "member" */
    const char *summary; /* NULL = that of the command of this name */
};

struct fr_conf_schema;

struct fr_cli_program {
    const char *name; /* "fedroam" */
    const char *summary;
    const struct fr_cli_command *const *tables; /* each ends with {NULL}; the list ends with NULL */
    /* allowed with every command; ends with {NULL}; may be NULL */
    const struct fr_cli_option *globals;
    /* its first page, in this order; ends with {NULL}; NULL = every command on one page */
    const struct fr_cli_topic *topics;
    /* its configuration files, for their manual pages; ends with NULL; may be NULL */
    const struct fr_conf_schema *const *files;
    void *data; /* given back by fr_cli_data */
};

/* --state, --fed, -o/--output, -y/--yes, --dry-run, --reason, --passphrase-fd: what every fedroam command
 * understands. */
extern const struct fr_cli_option fr_cli_globals[];

/* Runs the command and returns the exit code. stdin, stdout and stderr in the first form. */
int fr_cli_main(const struct fr_cli_program *program, int argc, char **argv);
enum fr_exit fr_cli_run(const struct fr_cli_program *program, int argc, char **argv, FILE *in,
                        FILE *out, FILE *err);

/* What was given. Borrowed from argv. */
size_t fr_cli_n_args(const struct fr_cli *cli);
/* NULL past the end */
const char *fr_cli_arg(const struct fr_cli *cli, size_t i);
/* NULL when absent */
const char *fr_cli_opt(const struct fr_cli *cli, const char *name);
size_t fr_cli_opt_count(const struct fr_cli *cli, const char *name);
/* in order given */
const char *fr_cli_opt_at(const struct fr_cli *cli, const char *name, size_t i);
bool fr_cli_flag(const struct fr_cli *cli, const char *name);
void *fr_cli_data(const struct fr_cli *cli);
FILE *fr_cli_in(const struct fr_cli *cli);
FILE *fr_cli_out(const struct fr_cli *cli); /* results only */
FILE *fr_cli_err(const struct fr_cli *cli); /* talk */

enum fr_output { FR_OUTPUT_TEXT, FR_OUTPUT_JSON, FR_OUTPUT_CSV };
enum fr_output fr_cli_output(const struct fr_cli *cli); /* -o; checked before run is called */

/* Prints the diag on stderr and gives the exit code of err. With FR_OK it prints nothing and
 * gives 0. */
enum fr_exit fr_cli_fail(const struct fr_cli *cli, enum fr_err err, const struct fr_diag *diag);

/* A usage fault found by run itself: prints, points at --help, gives FR_EXIT_USAGE. */
enum fr_exit fr_cli_usage(const struct fr_cli *cli, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* A line of talk on stderr ("warning: …"). */
void fr_cli_note(const struct fr_cli *cli, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Asks on the terminal. FR_EXIT_OK when yes, and unasked with --yes or --dry-run; FR_EXIT_FALSE when no;
 * FR_EXIT_USAGE when there is no terminal to ask on (says that --yes is needed). */
enum fr_exit fr_cli_confirm(const struct fr_cli *cli, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The same for what is hard to undo: the answer has to be `name`, typed in full. */
enum fr_exit fr_cli_confirm_name(const struct fr_cli *cli, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
