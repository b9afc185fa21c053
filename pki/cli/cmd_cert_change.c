/* fedroam cert revoke, set */
#include "pki_cli/cmds.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { ARGS_MAX = 4096 };

static enum fr_exit check_selector(const struct fr_cli *cli)
{
    size_t n =
        fr_cli_n_args(cli) + fr_cli_opt_count(cli, "member") + fr_cli_opt_count(cli, "netid");

    if (n != 1) return fr_cli_usage(cli, "give one of SERIAL, --member ID and --netid N");
    if (fr_cli_n_args(cli) == 1 || fr_cli_flag(cli, "dry-run")) return FR_EXIT_OK;
    if (fr_cli_opt(cli, "member") != NULL)
        return fr_cli_confirm(cli, "Revoke every certificate of member %s?",
                              fr_cli_opt(cli, "member"));
    return fr_cli_confirm(cli, "Revoke every certificate of NetID %s?", fr_cli_opt(cli, "netid"));
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
    fr_session_put_opt(cli, &json, "member", "member");
    fr_session_put_opt(cli, &json, "netid", "netid");
    fr_session_put_opt(cli, &json, "cause", "cause");
    fr_json_end(&json);
    enum fr_err err =
        fr_session_change(cli, "cert.revoke", &args, (struct fr_span){0}, &diag, &reply);
    if (err) {
        result = fr_cli_fail(cli, err, &diag);
    } else {
        fr_session_note_dry_run(cli);
        if (fr_cli_output(cli) == FR_OUTPUT_JSON)
            result = fr_session_print_json(cli, reply);
        else
            fprintf(fr_cli_out(cli), "revoked %" PRIu64 "\n",
                    fr_admin_reply_uint(reply, "revoked", 0));
    }
    fr_admin_reply_free(reply);
    fr_buf_deinit(&args);
    return result;
}

static void print_rights(const struct fr_cli *cli, const struct fr_admin_reply *reply)
{
    size_t n = fr_admin_reply_count(reply, "rights");

    fprintf(fr_cli_out(cli), "%s",
            fr_admin_reply_bool(reply, "changed") ? "rights now:" : "unchanged:");
    for (size_t i = 0; i < n; i++) {
        char path[32];
        (void)snprintf(path, sizeof path, "rights.%zu", i);
        fprintf(fr_cli_out(cli), " %s", fr_admin_reply_text(reply, path));
    }
    fprintf(fr_cli_out(cli), "%s\n", n == 0 ? " none" : "");
}

enum fr_exit fr_cmd_cert_set(struct fr_cli *cli)
{
    struct fr_buf args = FR_BUF_INIT(ARGS_MAX);
    struct fr_json json = fr_json(&args);
    struct fr_diag diag = {0};
    struct fr_admin_reply *reply = NULL;
    enum fr_exit result = FR_EXIT_OK;

    if ((fr_cli_opt_count(cli, "right") > 0) == fr_cli_flag(cli, "no-rights"))
        return fr_cli_usage(cli, "give --right WORD, once for each right, or --no-rights");
    fr_json_object(&json);
    fr_json_put_str(&json, "serial", fr_cli_arg(cli, 0));
    fr_json_key(&json, "rights");
    fr_json_array(&json);
    for (size_t i = 0; i < fr_cli_opt_count(cli, "right"); i++)
        fr_json_str(&json, fr_cli_opt_at(cli, "right", i));
    fr_json_end(&json);
    fr_json_end(&json);
    enum fr_err err = fr_session_change(cli, "cert.set", &args, (struct fr_span){0}, &diag, &reply);
    if (err) {
        result = fr_cli_fail(cli, err, &diag);
    } else {
        fr_session_note_dry_run(cli);
        if (fr_cli_output(cli) == FR_OUTPUT_JSON)
            result = fr_session_print_json(cli, reply);
        else
            print_rights(cli, reply);
    }
    fr_admin_reply_free(reply);
    fr_buf_deinit(&args);
    return result;
}
