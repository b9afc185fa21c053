/* Who knows the passphrase of a key, on a command line: a descriptor named by an option, the
 * credential ca-passphrase of the service manager, or the person at the terminal.
 *
 * Model    What is at hand is read when it is made; a person is asked once, when a key turns out to
 *          be locked. One command may make several changes: the program keeps what was read or typed
 *          in its struct fr_cli_keeper, which is fr_cli_data, until it ends.
 * Owns     Start from FR_CLI_PASSPHRASE_INIT, end with fr_cli_passphrase_deinit, which wipes it.
 *          `provider` points into it: it stays where it is.
 * Threads  Not for threaded programs.
 * Errors   Those of x509/passphrase.h. */
#pragma once

#include "base/cli.h"
#include "x509/passphrase.h"

/* The program's, for the issuing keys. */
struct fr_cli_keeper {
    const char *credentials; /* folder of the service manager's, or NULL */
    struct fr_buf secret;    /* once read or typed; start from FR_BUF_INIT(FR_PASSPHRASE_MAX) */
    /* An environment variable, for commands that are told its name; NULL: it is not set. */
    const char *(*variable)(const char *name);
};

struct fr_cli_passphrase {
    struct fr_cli_keeper *keeper; /* or NULL */
    struct fr_buf secret;
    struct fr_passphrase provider;
};

#define FR_CLI_PASSPHRASE_INIT                                                                     \
    {                                                                                              \
        .secret = FR_BUF_INIT(FR_PASSPHRASE_MAX)                                                   \
    }

/* option: "passphrase-fd", or another whose value is a descriptor. The credential is the issuing
 * keys' and counts for the first alone. */
enum fr_err fr_cli_passphrase_find(const struct fr_cli *cli, const char *option,
                                   struct fr_diag *diag, struct fr_cli_passphrase *out);
void fr_cli_passphrase_deinit(struct fr_cli_passphrase *passphrase);
