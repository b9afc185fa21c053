#include "session/session.h"

#include "session/remote.h"

#include "session/passphrase.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static enum fr_err use_dir(const char *dir, struct fr_diag *diag, char out[FR_STATE_DIR_MAX])
{
    if (strlen(dir) >= FR_STATE_DIR_MAX)
        return fr_diag_fail(diag, FR_E_LIMIT, "the path of the state directory is too long");
    (void)snprintf(out, FR_STATE_DIR_MAX, "%s", dir);
    return FR_OK;
}

/* The only folder with a root certificate in it: network servers keep their state here, too. */
static enum fr_err find_only(struct fr_diag *diag, char out[FR_STATE_DIR_MAX])
{
    DIR *root = opendir(FR_STATE_ROOT);
    char path[FR_STATE_DIR_MAX + 32];
    size_t found = 0;

    if (root == NULL && errno == EACCES) {
        (void)fr_diag_fail(diag, FR_E_PERM, "may not read %s", FR_STATE_ROOT);
        fr_diag_hint(diag, "run this as root or as the user that owns it");
        return FR_E_PERM;
    }
    for (struct dirent *e; root != NULL && (e = readdir(root)) != NULL;) {
        if (e->d_name[0] == '.') continue;
        (void)snprintf(path, sizeof path, FR_STATE_ROOT "/%s/root.pem", e->d_name);
        if (access(path, F_OK) != 0) continue;
        (void)snprintf(out, FR_STATE_DIR_MAX, FR_STATE_ROOT "/%s", e->d_name);
        found++;
    }
    if (root != NULL) closedir(root);
    if (found == 1) return FR_OK;
    if (found > 1)
        return fr_diag_fail(diag, FR_E_USAGE, "several federations are in %s: name one with --fed",
                            FR_STATE_ROOT);
    (void)fr_diag_fail(diag, FR_E_NOT_FOUND, "no federation is in %s", FR_STATE_ROOT);
    fr_diag_hint(diag, "name its directory with --state, or make one with: fedroam ca init");
    return FR_E_NOT_FOUND;
}

enum fr_err fr_session_find(const struct fr_cli *cli, struct fr_diag *diag,
                            char out[FR_STATE_DIR_MAX])
{
    char path[FR_STATE_DIR_MAX];
    const char *fed = fr_cli_opt(cli, "fed");

    if (fr_cli_opt(cli, "state") != NULL) return use_dir(fr_cli_opt(cli, "state"), diag, out);
    if (fed == NULL) return find_only(diag, out);
    if (strchr(fed, '/') != NULL || strlen(fed) > FR_FEDERATION_MAX)
        return fr_diag_fail(diag, FR_E_INVALID, "%s is not the name of a federation", fed);
    (void)snprintf(path, sizeof path, FR_STATE_ROOT "/%s", fed);
    return use_dir(path, diag, out);
}

static enum fr_err check_name(const struct fr_cli *cli, const struct fr_session *session,
                              struct fr_diag *diag)
{
    const char *fed = fr_cli_opt(cli, "fed");
    const char *name = fr_store_federation(session->store);

    if (fed == NULL || strcmp(fed, name) == 0) return FR_OK;
    return fr_diag_fail(diag, FR_E_CONFLICT, "%s holds federation %s, not %s", session->dir, name,
                        fed);
}

enum fr_err fr_session_open(const struct fr_cli *cli, struct fr_diag *diag,
                            struct fr_session *session)
{
    struct fr_store_options options = {.dir = session->dir, .is_read_only = true};
    enum fr_err err = fr_session_find(cli, diag, session->dir);

    if (!err) err = fr_admin_identity_enter(session->dir, diag, &session->identity);
    if (err) return err;
    session->has_identity = true;
    err = fr_store_open(&options, diag, &session->store);
    if (!err) err = check_name(cli, session, diag);
    if (!err) err = fr_snap_begin(session->store, &session->snap);
    return err;
}

void fr_session_close(struct fr_session *session)
{
    fr_snap_end(session->snap);
    fr_store_close(session->store);
    if (session->has_identity) fr_admin_identity_leave(&session->identity);
    *session = (struct fr_session)FR_SESSION_INIT;
}

/* --fed beside --state is a promise about what is in the directory; a change must not happen in
 * another federation. */
static enum fr_err find_checked(const struct fr_cli *cli, struct fr_diag *diag,
                                char out[FR_STATE_DIR_MAX])
{
    struct fr_session session = FR_SESSION_INIT;
    enum fr_err err = FR_OK;

    if (fr_cli_opt(cli, "fed") == NULL) return fr_session_find(cli, diag, out);
    err = fr_session_open(cli, diag, &session);
    if (!err) (void)snprintf(out, FR_STATE_DIR_MAX, "%s", session.dir);
    fr_session_close(&session);
    return err;
}

enum fr_err fr_session_change(const struct fr_cli *cli, const char *op, struct fr_buf *args,
                              struct fr_span body, struct fr_diag *diag,
                              struct fr_admin_reply **out)
{
    char dir[FR_STATE_DIR_MAX];
    struct fr_admin_request request = {
        .op = op,
        .body = body,
        .reason = fr_cli_opt(cli, "reason"),
        .dry_run = fr_cli_flag(cli, "dry-run"),
    };
    struct fr_cli_passphrase passphrase = FR_CLI_PASSPHRASE_INIT;
    enum fr_err err = fr_buf_err(args);

    request.args = fr_buf_str(args);
    if (!err && fr_remote_is_meant(cli)) return fr_remote_change(cli, &request, diag, out);
    if (!err) err = find_checked(cli, diag, dir);
    if (!err) err = fr_cli_passphrase_find(cli, "passphrase-fd", diag, &passphrase);
    request.passphrase = &passphrase.provider;
    if (!err) err = fr_admin_call(dir, &request, diag, out);
    fr_cli_passphrase_deinit(&passphrase);
    return err;
}

void fr_session_put_opt(const struct fr_cli *cli, struct fr_json *json, const char *option,
                        const char *key)
{
    if (fr_cli_opt(cli, option) != NULL) fr_json_put_str(json, key, fr_cli_opt(cli, option));
}

void fr_session_put_opts(const struct fr_cli *cli, struct fr_json *json, const char *option,
                         const char *key)
{
    size_t n = fr_cli_opt_count(cli, option);

    if (n == 0) return;
    fr_json_key(json, key);
    fr_json_array(json);
    for (size_t i = 0; i < n; i++) fr_json_str(json, fr_cli_opt_at(cli, option, i));
    fr_json_end(json);
}

enum fr_exit fr_session_print_json(const struct fr_cli *cli, const struct fr_admin_reply *reply)
{
    return fprintf(fr_cli_out(cli), "%s\n", fr_admin_reply_json(reply)) < 0 ? FR_EXIT_IO
                                                                            : FR_EXIT_OK;
}

void fr_session_note_dry_run(const struct fr_cli *cli)
{
    if (fr_cli_flag(cli, "dry-run")) fr_cli_note(cli, "dry run: nothing was changed");
}
