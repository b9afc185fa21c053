/* fedroam cert set */
#include "pki_cli/cmds.h"

#include <stdio.h>

enum { ARGS_MAX = 4096 };

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
