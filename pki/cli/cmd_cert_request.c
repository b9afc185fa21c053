/* fedroam cert request: on the member's host, key and request; needs no federation. */
#include "pki_cli/cmds.h"

#include "base/file.h"
#include "pki_cli/subject.h"
#include "x509/csr.h"

#include <stdio.h>
#include <unistd.h>

static enum fr_err make_files(const char *key_path, const char *csr_path, const char *id,
                              struct fr_diag *diag)
{
    struct fr_buf csr = FR_BUF_INIT(FR_CSR_MAX);
    struct fr_key *key = NULL;
    enum fr_err err = fr_key_generate(&key);

    if (!err) err = fr_csr_build(key, id, &csr);
    if (!err) err = fr_key_save_new(key, key_path, diag);
    if (!err) {
        err = fr_file_create(csr_path, 0644, fr_buf_span(&csr), diag);
        if (err) (void)unlink(key_path); /* a key without its request is of no use to anybody */
    }
    fr_key_free(key);
    fr_buf_deinit(&csr);
    return err;
}

static enum fr_exit print_files(const struct fr_cli *cli, const char *key_path,
                                const char *csr_path)
{
    struct fr_buf line = FR_BUF_INIT(4 * FR_SUBJECT_PATH_MAX);
    struct fr_json json = fr_json(&line);

    if (fr_cli_output(cli) == FR_OUTPUT_JSON) {
        fr_json_object(&json);
        fr_json_put_str(&json, "key", key_path);
        fr_json_put_str(&json, "csr", csr_path);
        fr_json_end(&json);
        fprintf(fr_cli_out(cli), "%s\n", fr_buf_str(&line));
    } else {
        fprintf(fr_cli_out(cli), "key  %s\ncsr  %s\n", key_path, csr_path);
    }
    fr_buf_deinit(&line);
    fr_cli_note(cli, "send the request to the operator of the federation; the key stays here");
    return FR_EXIT_OK;
}

enum fr_exit fr_cmd_cert_request(struct fr_cli *cli)
{
    struct fr_diag diag = {0};
    struct fr_subject subject;
    const char *folder = fr_cli_opt(cli, "out");
    char key_path[FR_SUBJECT_PATH_MAX], csr_path[FR_SUBJECT_PATH_MAX], id[FR_SUBJECT_ID_TEXT];
    enum fr_err err = fr_subject_from_options(cli, &diag, &subject);

    if (!err) err = fr_subject_path(folder, &subject, "key", &diag, key_path);
    if (!err) err = fr_subject_path(folder, &subject, "csr", &diag, csr_path);
    if (!err) err = fr_subject_expect_new(key_path, &diag);
    if (!err) err = fr_subject_expect_new(csr_path, &diag);
    if (err) return fr_cli_fail(cli, err, &diag);
    if (fr_cli_flag(cli, "dry-run")) {
        fr_session_note_dry_run(cli);
        return FR_EXIT_OK;
    }
    err = fr_dir_make(folder, 0755, &diag);
    fr_subject_print_id(&subject, id);
    if (!err) err = make_files(key_path, csr_path, id, &diag);
    return err ? fr_cli_fail(cli, err, &diag) : print_files(cli, key_path, csr_path);
}
