/* fedroam ca server renew */
#include "pki_cli/cmds.h"

#include <stdio.h>

enum { ARGS_MAX = 4096 };

enum fr_exit fr_cmd_ca_server_renew(struct fr_cli *cli)
{
    struct fr_diag diag = {0};
    struct fr_buf args = FR_BUF_INIT(ARGS_MAX);
    struct fr_json json = fr_json(&args);
    struct fr_admin_reply *reply = NULL;
    enum fr_exit result = FR_EXIT_OK;

    fr_json_object(&json);
    fr_session_put_opt(cli, &json, "host", "host");
    if (fr_cli_flag(cli, "new-key")) fr_json_put_bool(&json, "new_key", true);
    fr_json_end(&json);
    enum fr_err err =
        fr_session_change(cli, "server.renew", &args, (struct fr_span){0}, &diag, &reply);
    if (err) {
        result = fr_cli_fail(cli, err, &diag);
    } else {
        if (fr_cli_output(cli) == FR_OUTPUT_JSON)
            result = fr_session_print_json(cli, reply);
        else if (!fr_cli_flag(cli, "dry-run"))
            fprintf(fr_cli_out(cli), "%s: certificate %s until %s\n",
                    fr_admin_reply_text(reply, "host"), fr_admin_reply_text(reply, "serial"),
                    fr_admin_reply_text(reply, "not_after"));
        fr_session_note_dry_run(cli);
    }
    fr_admin_reply_free(reply);
    fr_buf_deinit(&args);
    return result;
}
