/* What the commands share: finding the federation, reading it, asking for a change.
 *
 * Model    A *session* is one federation's store open for reading as the owner of its directory,
 *          with one snapshot. Changes do not use it: they go through fr_session_change, which
 *          reaches a running broker or works in this process.
 * Owns     Start from FR_SESSION_INIT, end with fr_session_close whatever happened.
 * Threads  Not for threaded programs (the effective user changes).
 * Errors   FR_E_USAGE (several federations and none named), FR_E_NOT_FOUND, FR_E_PERM,
 *          FR_E_CONFLICT (--fed names another), the store's. */
#pragma once

#include "admin/admin.h"
#include "base/buf.h"
#include "base/cli.h"
#include "base/diag.h"
#include "base/json_out.h"
#include "store/store.h"

#define FR_STATE_ROOT "/var/lib/fedroam"
#define FR_STATE_DIR_MAX 4000

struct fr_session {
    char dir[FR_STATE_DIR_MAX];
    bool has_identity;
    struct fr_admin_identity identity;
    struct fr_store *store;
    struct fr_snap *snap;
};

#define FR_SESSION_INIT                                                                            \
    {                                                                                              \
        0                                                                                          \
    }

/* --state, else FR_STATE_ROOT/<--fed>, else the only federation under FR_STATE_ROOT. */
enum fr_err fr_session_find(const struct fr_cli *cli, struct fr_diag *diag,
                            char out[FR_STATE_DIR_MAX]);

enum fr_err fr_session_open(const struct fr_cli *cli, struct fr_diag *diag,
                            struct fr_session *session);
void fr_session_close(struct fr_session *session);

/* Runs an operation with --reason and --dry-run as given, here or (--broker) over the API. args is a finished JSON object. */
enum fr_err fr_session_change(const struct fr_cli *cli, const char *op, struct fr_buf *args,
                              struct fr_span body, struct fr_diag *diag,
                              struct fr_admin_reply **out);

/* A member of args for each option given: text as it is, and a list of every value of a repeated
 * one. */
void fr_session_put_opt(const struct fr_cli *cli, struct fr_json *json, const char *option,
                        const char *key);
void fr_session_put_opts(const struct fr_cli *cli, struct fr_json *json, const char *option,
                         const char *key);

/* The whole reply as one line of JSON on stdout. */
enum fr_exit fr_session_print_json(const struct fr_cli *cli, const struct fr_admin_reply *reply);

/* Says on stderr that nothing was written, when --dry-run was given. */
void fr_session_note_dry_run(const struct fr_cli *cli);
