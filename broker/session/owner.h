/* Whose files a command makes that root runs: the broker's user's, not root's.
 *
 * Model    In this order: the user named by --user; the owner of the directory, where it is there already and not root's; the
 *          service user "fedroam", where there is one. Else they stay root's, and a note says so. Who is not root keeps them.
 * Owns     Nothing. Threads: one.
 * Errors   FR_E_NOT_FOUND (no such user), FR_E_PERM (--user of somebody else, without being root). */
#pragma once

#include "base/cli.h"
#include "base/diag.h"

#include <stdbool.h>
#include <sys/types.h>

struct fr_owner {
    bool gives_away;
    uid_t uid;
    gid_t gid;
};

/* dir: the directory to be made. */
enum fr_err fr_owner_find(const struct fr_cli *cli, const char *dir, struct fr_diag *diag,
                          struct fr_owner *out);

#define FR_OPTION_USER                                                                             \
    {                                                                                              \
        .name = "user", .value = "USER",                                                           \
        .help = "when root runs this: whose files they become (the directory's owner, or fedroam)" \
    }
