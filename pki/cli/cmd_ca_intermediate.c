/* fedroam ca intermediate prepare, install, activate, taint, retire; ca crl install */
#include "pki_cli/cmds.h"

#include "base/file.h"
#include "base/parse.h"
#include "base/table.h"
#include "pki_cli/cells.h"
#include "pki_cli/cmd_ca_root.h"
#include "x509/crl.h"

#include <stdio.h>
#include <string.h>

enum { ARGS_MAX = 4096, KEY_TEXT = 64 };

/* One operation with one object of arguments; *reply is the caller's. */
static enum fr_err change(const struct fr_cli *cli, const char *op, const char *name, bool force,
                          struct fr_span body, struct fr_diag *diag, struct fr_admin_reply **reply)
{
    struct fr_buf args = FR_BUF_INIT(ARGS_MAX);
    struct fr_json json = fr_json(&args);

    fr_json_object(&json);
    if (name != NULL) fr_json_put_str(&json, "name", name);
    if (force) fr_json_put_bool(&json, "force", true);
    fr_json_end(&json);
    enum fr_err err = fr_session_change(cli, op, &args, body, diag, reply);
    fr_buf_deinit(&args);
    return err;
}

enum fr_err fr_ca_install_cert(const struct fr_cli *cli, const struct fr_cert *cert,
                               struct fr_diag *diag)
{
    struct fr_buf der = FR_BUF_INIT(FR_CERT_MAX);
    struct fr_admin_reply *reply = NULL;
    enum fr_err err = fr_cert_write_der(cert, &der);

    if (!err) err = change(cli, "ca.install", NULL, false, fr_buf_span(&der), diag, &reply);
    fr_admin_reply_free(reply);
    fr_buf_deinit(&der);
    return err;
}

enum fr_err fr_ca_install_list(const struct fr_cli *cli, struct fr_span der, struct fr_diag *diag,
                               struct fr_admin_reply **out)
{
    return change(cli, "ca.list.install", NULL, false, der, diag, out);
}

/* --- prepare --- */

static const char *prepared(const struct fr_admin_reply *reply, size_t i, const char *what)
{
    char key[KEY_TEXT];

    (void)snprintf(key, sizeof key, "prepared.%u.%s", (unsigned)i, what);
    return fr_admin_reply_text(reply, key);
}

/* The requests once more, where they can be carried away from: --out DIR. */
static enum fr_err copy_requests(const struct fr_cli *cli, const struct fr_admin_reply *reply,
                                 struct fr_diag *diag)
{
    const char *out = fr_cli_opt(cli, "out");
    char path[4096];
    enum fr_err err = FR_OK;

    for (size_t i = 0; out != NULL && !err && i < fr_admin_reply_count(reply, "prepared"); i++) {
        const char *csr = prepared(reply, i, "csr");
        int n = snprintf(path, sizeof path, "%s/%s.csr", out, prepared(reply, i, "name"));
        if (csr == NULL) continue; /* a dry run */
        err =
            n < (int)sizeof path ? fr_file_create(path, 0644, fr_span_str(csr), diag) : FR_E_LIMIT;
    }
    return err;
}

static enum fr_err print_prepared(const struct fr_cli *cli, const struct fr_admin_reply *reply)
{
    static const struct fr_column COLUMNS[] = {{.key = "name"}, {.key = "request"}, {0}};
    struct fr_table *t = NULL;
    const char *out = fr_cli_opt(cli, "out");
    enum fr_err err = fr_table_new(COLUMNS, &t);

    if (err) return err;
    for (size_t i = 0; i < fr_admin_reply_count(reply, "prepared"); i++) {
        const char *name = prepared(reply, i, "name");
        fr_table_text(t, name);
        fr_table_textf(t, "%s/%s.csr", out != NULL ? out : "ca", name);
    }
    err = fr_table_print(t, fr_cli_output(cli), fr_cli_out(cli));
    fr_table_free(t);
    return err;
}

/* Whether the root's key is at hand, so that one step is enough. */
static enum fr_err has_root_key(const struct fr_cli *cli, struct fr_diag *diag, bool *out)
{
    char dir[FR_STATE_DIR_MAX], path[FR_STATE_DIR_MAX + 16];
    enum fr_err err = fr_session_find(cli, diag, dir);

    if (err) return err;
    (void)snprintf(path, sizeof path, "%s/root.key", dir);
    *out = !fr_cli_flag(cli, "dry-run") &&
           (fr_cli_opt(cli, "root-key") != NULL || fr_file_exists(path));
    return FR_OK;
}

static enum fr_err prepare(const struct fr_cli *cli, struct fr_diag *diag,
                           struct fr_admin_reply **reply)
{
    struct fr_buf args = FR_BUF_INIT(ARGS_MAX);
    const char *count = fr_cli_opt(cli, "count");
    uint64_t n = 1;

    if (count != NULL && fr_parse_u64(fr_span_str(count), 1, 8, &n) != FR_OK)
        return fr_diag_fail(diag, FR_E_USAGE, "--count is a number from 1 to 8");
    fr_buf_printf(&args, "{\"count\":%u}", (unsigned)n);
    enum fr_err err = fr_session_change(cli, "ca.prepare", &args, (struct fr_span){0}, diag, reply);
    fr_buf_deinit(&args);
    return err;
}

enum fr_exit fr_cmd_ca_intermediate_prepare(struct fr_cli *cli)
{
    struct fr_diag diag = {0};
    struct fr_admin_reply *reply = NULL;
    bool can_sign = false;
    const char *out = fr_cli_opt(cli, "out");
    enum fr_err err = has_root_key(cli, &diag, &can_sign);

    /* Before anything is prepared: a CA whose request found no place would be prepared twice. */
    if (!err && out != NULL && !fr_cli_flag(cli, "dry-run")) err = fr_dir_make(out, 0755, &diag);
    if (!err) err = prepare(cli, &diag, &reply);
    if (!err) err = copy_requests(cli, reply, &diag);
    if (!err && can_sign) {
        err = fr_ca_sign_prepared(cli, &diag);
        if (!err) fr_cli_note(cli, "next: fedroam ca intermediate activate NAME");
    } else if (!err) {
        err = print_prepared(cli, reply);
        if (!err && !fr_cli_flag(cli, "dry-run"))
            fr_cli_note(cli, "next, where the root's key is: fedroam ca root sign");
    }
    if (!err) fr_session_note_dry_run(cli);
    fr_admin_reply_free(reply);
    return fr_cli_fail(cli, err, &diag);
}

/* --- install --- */

enum fr_exit fr_cmd_ca_intermediate_install(struct fr_cli *cli)
{
    struct fr_diag diag = {0};
    enum fr_err err = FR_OK;

    for (size_t i = 0; !err && i < fr_cli_n_args(cli); i++) {
        struct fr_cert *cert = NULL;
        err = fr_cert_load(fr_cli_arg(cli, i), &diag, &cert);
        if (!err) err = fr_ca_install_cert(cli, cert, &diag);
        if (err)
            fr_diag_where(&diag, fr_cli_arg(cli, i), 0, 0);
        else if (!fr_cli_flag(cli, "dry-run"))
            fr_cli_note(cli, "%s: installed", fr_cli_arg(cli, i));
        fr_cert_free(cert);
    }
    if (!err) fr_session_note_dry_run(cli);
    return fr_cli_fail(cli, err, &diag);
}

static void print_taken(const struct fr_cli *cli, const struct fr_admin_reply *reply)
{
    char key[KEY_TEXT];

    fprintf(fr_cli_out(cli), "root: list %llu with %llu entries, until %s\n",
            (unsigned long long)fr_admin_reply_uint(reply, "number", 0),
            (unsigned long long)fr_admin_reply_uint(reply, "entries", 0),
            fr_admin_reply_text(reply, "next_update"));
    for (size_t i = 0; i < fr_admin_reply_count(reply, "names"); i++) {
        (void)snprintf(key, sizeof key, "names.%u", (unsigned)i);
        fprintf(fr_cli_out(cli), "%s ends\n", fr_admin_reply_text(reply, key));
    }
    if (fr_admin_reply_uint(reply, "revoked", 0) > 0)
        fprintf(fr_cli_out(cli), "%llu certificates below are revoked\n",
                (unsigned long long)fr_admin_reply_uint(reply, "revoked", 0));
}

/* A list (DER), as it comes from where the root is. */
enum fr_exit fr_cmd_ca_crl_install(struct fr_cli *cli)
{
    struct fr_diag diag = {0};
    struct fr_buf der = FR_BUF_INIT(FR_CRL_MAX);
    struct fr_admin_reply *reply = NULL;
    enum fr_exit result = FR_EXIT_OK;
    enum fr_err err = fr_file_read(fr_cli_arg(cli, 0), &diag, &der);

    if (!err) err = fr_ca_install_list(cli, fr_buf_span(&der), &diag, &reply);
    if (err)
        result = fr_cli_fail(cli, err, &diag);
    else if (fr_cli_output(cli) == FR_OUTPUT_JSON)
        result = fr_session_print_json(cli, reply);
    else
        print_taken(cli, reply);
    if (!err) fr_session_note_dry_run(cli);
    fr_admin_reply_free(reply);
    fr_buf_deinit(&der);
    return result;
}

/* --- activate, taint, retire --- */

static enum fr_exit change_state(struct fr_cli *cli, const char *op, const char *done)
{
    struct fr_diag diag = {0};
    struct fr_admin_reply *reply = NULL;
    const char *name = fr_cli_arg(cli, 0);
    enum fr_exit result = FR_EXIT_OK;
    enum fr_err err =
        change(cli, op, name, fr_cli_flag(cli, "force"), (struct fr_span){0}, &diag, &reply);

    if (err)
        result = fr_cli_fail(cli, err, &diag);
    else if (fr_cli_output(cli) == FR_OUTPUT_JSON)
        result = fr_session_print_json(cli, reply);
    else if (!fr_cli_flag(cli, "dry-run"))
        fprintf(fr_cli_out(cli), "%s %s\n", name,
                fr_admin_reply_bool(reply, "changed") ? done : "was so already");
    if (!err) {
        const char *before = fr_admin_reply_text(reply, "before");
        if (before != NULL && before[0] != '\0')
            fr_cli_note(cli, "%s signs no more; what it signed is good until it is renewed",
                        before);
        fr_session_note_dry_run(cli);
    }
    fr_admin_reply_free(reply);
    return result;
}

enum fr_exit fr_cmd_ca_intermediate_activate(struct fr_cli *cli)
{
    return change_state(cli, "ca.activate", "signs from now on");
}

enum fr_exit fr_cmd_ca_intermediate_taint(struct fr_cli *cli)
{
    return change_state(cli, "ca.taint", "signs no more");
}

enum fr_exit fr_cmd_ca_intermediate_retire(struct fr_cli *cli)
{
    if (fr_cli_flag(cli, "force")) {
        enum fr_exit answer = fr_cli_confirm_name(
            cli, fr_cli_arg(cli, 0), "every certificate below %s is refused from now on, for good",
            fr_cli_arg(cli, 0));
        if (answer != FR_EXIT_OK) return answer;
    }
    return change_state(cli, "ca.retire", "is not trusted any more");
}
