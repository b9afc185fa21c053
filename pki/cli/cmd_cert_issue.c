/* fedroam cert issue */
#include "pki_cli/cmds.h"

#include "base/file.h"
#include "base/parse.h"
#include "pki_cli/subject.h"
#include "x509/csr.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { ARGS_MAX = 16384 };

/* The files of one issue; key is empty where the request came from elsewhere. */
struct outputs {
    char key[FR_SUBJECT_PATH_MAX];
    char chain[FR_SUBJECT_PATH_MAX];
    char root[FR_SUBJECT_PATH_MAX];
};

static enum fr_err choose_outputs(const char *folder, const struct fr_subject *subject,
                                  bool makes_key, struct fr_diag *diag, struct outputs *o)
{
    enum fr_err err = fr_subject_path(folder, subject, "chain.pem", diag, o->chain);

    if (!err && makes_key) err = fr_subject_path(folder, subject, "key", diag, o->key);
    if (!err && makes_key) err = fr_subject_expect_new(o->key, diag);
    if (!err) err = fr_subject_expect_new(o->chain, diag);
    if (!err)
        (void)snprintf(o->root, sizeof o->root, "%.*s/root.pem", FR_SUBJECT_PATH_MAX - 16, folder);
    return err;
}

/* A root that lies there already must be this federation's: it is what the member will trust. */
static enum fr_err write_root(const char *path, struct fr_span pem, struct fr_diag *diag)
{
    struct fr_buf present = FR_BUF_INIT(65536);
    enum fr_err err = FR_OK;

    if (!fr_file_exists(path)) return fr_file_create(path, 0644, pem, diag);
    err = fr_file_read(path, diag, &present);
    if (!err && !fr_span_equal(fr_buf_span(&present), pem))
        err =
            fr_diag_fail(diag, FR_E_EXISTS, "%s is there already, and of another federation", path);
    fr_buf_deinit(&present);
    return err;
}

static enum fr_err write_outputs(const struct outputs *o, const struct fr_admin_reply *reply,
                                 struct fr_diag *diag)
{
    const char *chain = fr_admin_reply_text(reply, "chain");
    const char *root = fr_admin_reply_text(reply, "root");
    enum fr_err err = chain == NULL || root == NULL ? FR_E_INTERNAL : FR_OK;

    if (!err) err = write_root(o->root, fr_span_str(root), diag);
    if (!err) err = fr_file_create(o->chain, 0644, fr_span_str(chain), diag);
    if (err && chain != NULL)
        fr_diag_hint(diag, "the certificate was issued all the same: fedroam cert revoke %s",
                     fr_admin_reply_text(reply, "serial"));
    return err;
}

/* The key is on disk before the certificate exists: a certificate whose key was lost would have to
 * be revoked. */
static enum fr_err make_request(const struct fr_cli *cli, const struct fr_subject *subject,
                                const struct outputs *o, struct fr_diag *diag, struct fr_buf *csr)
{
    char id[FR_SUBJECT_ID_TEXT];
    struct fr_key *key = NULL;
    enum fr_err err = fr_key_generate(&key);

    fr_subject_print_id(subject, id);
    if (!err) err = fr_csr_build(key, id, csr);
    if (!err && !fr_cli_flag(cli, "dry-run")) err = fr_key_save_new(key, o->key, diag);
    fr_key_free(key);
    return err;
}

static enum fr_err read_request(const char *path, struct fr_diag *diag, struct fr_buf *csr)
{
    struct fr_key *key = NULL;
    enum fr_err err = fr_file_read(path, diag, csr);

    if (err) return err;
    err =
        fr_csr_parse(fr_buf_span(csr), diag, &key); /* here too, because here the file has a name */
    if (err) fr_diag_where(diag, path, 0, 0);
    fr_key_free(key);
    return err;
}

static enum fr_err put_lifetime(const struct fr_cli *cli, struct fr_json *json,
                                struct fr_diag *diag)
{
    const char *text = fr_cli_opt(cli, "lifetime");
    uint64_t ms = 0;

    if (text == NULL) return FR_OK;
    if (fr_parse_duration_ms(fr_span_str(text), 1000, (uint64_t)UINT32_MAX * 1000, &ms) != FR_OK)
        return fr_diag_fail(diag, FR_E_USAGE, "%s is not a lifetime, as in 12h or 30d", text);
    fr_json_put_uint(json, "lifetime_s", ms / 1000);
    return FR_OK;
}

static enum fr_err ask(const struct fr_cli *cli, const struct fr_buf *csr, struct fr_diag *diag,
                       struct fr_admin_reply **out)
{
    struct fr_buf args = FR_BUF_INIT(ARGS_MAX);
    struct fr_json json = fr_json(&args);
    enum fr_err err = FR_OK;

    fr_json_object(&json);
    fr_session_put_opt(cli, &json, "profile", "profile");
    fr_session_put_opt(cli, &json, "member", "member");
    fr_session_put_opt(cli, &json, "netid", "netid");
    fr_session_put_opt(cli, &json, "joineui", "joineui");
    fr_session_put_opt(cli, &json, "host", "host");
    fr_session_put_opts(cli, &json, "right", "rights");
    err = put_lifetime(cli, &json, diag);
    fr_json_end(&json);
    if (!err) err = fr_session_change(cli, "cert.issue", &args, fr_buf_span(csr), diag, out);
    fr_buf_deinit(&args);
    return err;
}

static enum fr_exit print_issued(const struct fr_cli *cli, const struct outputs *o,
                                 const struct fr_admin_reply *reply)
{
    FILE *out = fr_cli_out(cli);

    fr_session_note_dry_run(cli);
    if (fr_cli_output(cli) == FR_OUTPUT_JSON) return fr_session_print_json(cli, reply);
    if (fr_admin_reply_text(reply, "sha256") != NULL)
        fprintf(out, "serial  %s\n", fr_admin_reply_text(reply, "serial"));
    for (size_t i = 0; i < fr_admin_reply_count(reply, "names"); i++) {
        char path[32];
        (void)snprintf(path, sizeof path, "names.%zu", i);
        fprintf(out, "name    %s\n", fr_admin_reply_text(reply, path));
    }
    fprintf(out, "until   %s\n", fr_admin_reply_text(reply, "not_after"));
    if (fr_cli_flag(cli, "dry-run")) return FR_EXIT_OK;
    if (o->key[0] != '\0') fprintf(out, "key     %s\n", o->key);
    fprintf(out, "chain   %s\nroot    %s\n", o->chain, o->root);
    return FR_EXIT_OK;
}

static enum fr_err issue(const struct fr_cli *cli, const struct fr_subject *subject,
                         const struct outputs *o, struct fr_diag *diag, struct fr_admin_reply **out)
{
    const char *csr_path = fr_cli_opt(cli, "csr");
    struct fr_buf csr = FR_BUF_INIT(FR_CSR_MAX);
    enum fr_err err = csr_path != NULL ? read_request(csr_path, diag, &csr)
                                       : make_request(cli, subject, o, diag, &csr);
    bool has_key = !err && csr_path == NULL && !fr_cli_flag(cli, "dry-run");

    if (!err) err = ask(cli, &csr, diag, out);
    if (err && has_key) (void)unlink(o->key); /* made a moment ago, and no certificate is for it */
    if (!err && !fr_cli_flag(cli, "dry-run")) err = write_outputs(o, *out, diag);
    fr_buf_deinit(&csr);
    return err;
}

enum fr_exit fr_cmd_cert_issue(struct fr_cli *cli)
{
    struct fr_diag diag = {0};
    struct fr_subject subject;
    struct outputs o = {0};
    struct fr_admin_reply *reply = NULL;
    const char *folder = fr_cli_opt(cli, "out");
    bool makes_key = fr_cli_flag(cli, "generate");
    enum fr_err err = FR_OK;
    enum fr_exit result = FR_EXIT_OK;

    if (makes_key == (fr_cli_opt(cli, "csr") != NULL))
        return fr_cli_usage(cli, "give one of --csr FILE and --generate");
    err = fr_subject_from_options(cli, &diag, &subject);
    if (!err) err = choose_outputs(folder, &subject, makes_key, &diag, &o);
    if (!err && !fr_cli_flag(cli, "dry-run")) err = fr_dir_make(folder, 0755, &diag);
    if (!err) err = issue(cli, &subject, &o, &diag, &reply);
    result = err ? fr_cli_fail(cli, err, &diag) : print_issued(cli, &o, reply);
    fr_admin_reply_free(reply);
    return result;
}
