/* fedroam cert revoke */
#include "pki_cli/cmds.h"

#include "base/file.h"
#include "base/hex.h"
#include "x509/cert.h"
#include "x509/csr.h"
#include "x509/key.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { ARGS_MAX = 4096, SHOWN = 20 };

static enum fr_exit check_selector(const struct fr_cli *cli)
{
    const char *member = fr_cli_opt(cli, "member"), *netid = fr_cli_opt(cli, "netid");
    const char *before = fr_cli_opt(cli, "before");
    const size_t n = fr_cli_n_args(cli) + fr_cli_opt_count(cli, "key") + (netid != NULL) +
                     (member != NULL || before != NULL);

    if (n != 1)
        return fr_cli_usage(cli, "give one of SERIAL, --key KEY, --member ID, --netid N and "
                                 "--before TIME (which may stand beside --member)");
    if (fr_cli_n_args(cli) == 1 || fr_cli_opt(cli, "key") != NULL) return FR_EXIT_OK;
    if (before != NULL && member != NULL)
        return fr_cli_confirm_name(
            cli, member, "Every certificate of member %s issued before %s is to be revoked.",
            member, before);
    if (before != NULL)
        return fr_cli_confirm_name(
            cli, "everybody", "Every member's certificates issued before %s are to be revoked.",
            before);
    if (member != NULL)
        return fr_cli_confirm_name(cli, member,
                                   "Member %s is to be suspended and all its certificates revoked: "
                                   "its devices and networks are not found any more.",
                                   member);
    return fr_cli_confirm_name(cli, netid,
                               "NetID %s is to be suspended and all its certificates revoked: its "
                               "devices are not found any more.",
                               netid);
}

/* The public key in a certificate, a request or a private key file. */
static enum fr_err load_key(const char *path, struct fr_diag *diag, struct fr_key **out)
{
    struct fr_buf text = FR_BUF_INIT(FR_CERT_FILE_MAX);
    struct fr_chain *chain = NULL;
    enum fr_err err = fr_file_read(path, diag, &text);

    if (err) goto out;
    if (strstr(fr_buf_str(&text), "CERTIFICATE REQUEST") != NULL) {
        err = fr_csr_parse(fr_buf_span(&text), diag, out);
    } else if (strstr(fr_buf_str(&text), "PRIVATE KEY") != NULL) {
        err = fr_key_load(path, diag, out);
    } else {
        err = fr_chain_load(path, diag, &chain);
        if (!err) err = fr_cert_dup_key(fr_chain_at(chain, 0), out); /* the leaf's */
    }
out:
    fr_chain_free(chain);
    fr_buf_deinit_secret(&text);
    return err;
}

static bool is_digest(const char *text)
{
    uint8_t digest[FR_SHA256_SIZE];

    return strlen(text) == 2 * sizeof digest &&
           fr_hex_parse(fr_span_str(text), digest, sizeof digest) == FR_OK;
}

static enum fr_err put_key(const struct fr_cli *cli, struct fr_json *json, struct fr_diag *diag)
{
    const char *text = fr_cli_opt(cli, "key");
    char digits[2 * FR_SHA256_SIZE + 1];
    uint8_t spki[FR_SHA256_SIZE];
    struct fr_key *key = NULL;

    if (text == NULL) return FR_OK;
    if (is_digest(text)) {
        fr_json_put_str(json, "key", text);
        return FR_OK;
    }
    enum fr_err err = load_key(text, diag, &key);
    if (!err) err = fr_key_spki_sha256(key, spki);
    fr_key_free(key);
    if (err) return err;
    fr_hex_print(spki, sizeof spki, digits);
    fr_json_put_str(json, "key", digits);
    return FR_OK;
}

/* --- what came of it --- */

static void print_list(const struct fr_cli *cli, const struct fr_admin_reply *reply,
                       const char *list, const char *member, const char *what)
{
    const size_t n = fr_admin_reply_count(reply, list);

    for (size_t i = 0; i < n && i < SHOWN; i++) {
        char path[64];
        (void)snprintf(path, sizeof path, "%s.%zu%s%s", list, i, member[0] != '\0' ? "." : "",
                       member);
        fprintf(fr_cli_out(cli), "- %s %s\n", what, fr_admin_reply_text(reply, path));
    }
    if (n > SHOWN) fprintf(fr_cli_out(cli), "- … %zu more: -o json\n", n - SHOWN);
}

static void print_reply(const struct fr_cli *cli, const struct fr_admin_reply *reply)
{
    const bool is_dry = fr_cli_flag(cli, "dry-run");
    const uint64_t devices = fr_admin_reply_uint(reply, "devices", 0);

    if (is_dry || fr_admin_reply_count(reply, "names") > 0) {
        print_list(cli, reply, "certificates", "serial", "certificate");
        print_list(cli, reply, "tlsa", "", "record");
        print_list(cli, reply, "names", "", "name");
        if (devices > 0)
            fprintf(fr_cli_out(cli), "- %" PRIu64 " devices are not found any more\n", devices);
    }
    fprintf(fr_cli_out(cli), "%s %" PRIu64 "\n", is_dry ? "would revoke" : "revoked",
            fr_admin_reply_uint(reply, "revoked", 0));
}

enum fr_exit fr_cmd_cert_revoke(struct fr_cli *cli)
{
    struct fr_buf args = FR_BUF_INIT(ARGS_MAX);
    struct fr_json json = fr_json(&args);
    struct fr_diag diag = {0};
    struct fr_admin_reply *reply = NULL;
    enum fr_exit result = check_selector(cli);

    if (result != FR_EXIT_OK) return result;
    fr_json_object(&json);
    if (fr_cli_n_args(cli) == 1) fr_json_put_str(&json, "serial", fr_cli_arg(cli, 0));
    enum fr_err err = put_key(cli, &json, &diag);
    fr_session_put_opt(cli, &json, "member", "member");
    fr_session_put_opt(cli, &json, "netid", "netid");
    fr_session_put_opt(cli, &json, "before", "before");
    fr_session_put_opt(cli, &json, "cause", "cause");
    fr_json_end(&json);
    if (!err)
        err = fr_session_change(cli, "cert.revoke", &args, (struct fr_span){0}, &diag, &reply);
    if (err) {
        result = fr_cli_fail(cli, err, &diag);
    } else {
        fr_session_note_dry_run(cli);
        if (fr_cli_output(cli) == FR_OUTPUT_JSON)
            result = fr_session_print_json(cli, reply);
        else
            print_reply(cli, reply);
    }
    fr_admin_reply_free(reply);
    fr_buf_deinit(&args);
    return result;
}
