/* fedroam device erase, member erase */
#include "zones_cli/cmds.h"

#include "zones_cli/reading.h"

#include <inttypes.h>
#include <stdio.h>

#define ARGS_MAX 16384

static enum fr_exit print(struct fr_cli *cli, const struct fr_admin_reply *reply)
{
    FILE *out = fr_cli_out(cli);
    char path[32];

    enum fr_exit code = fr_print_change(
        cli, reply,
        "erased: %" PRIu64 " devices, %" PRIu64 " conflicts, %" PRIu64 " facts in %" PRIu64
        " records of the journal\n",
        fr_admin_reply_uint(reply, "removed", 0), fr_admin_reply_uint(reply, "conflicts", 0),
        fr_admin_reply_uint(reply, "journal_facts", 0),
        fr_admin_reply_uint(reply, "journal_records", 0));
    if (fr_cli_output(cli) == FR_OUTPUT_JSON) return code;
    for (size_t i = 0; i < fr_admin_reply_count(reply, "stays"); i++) {
        snprintf(path, sizeof path, "stays.%zu.what", i);
        fprintf(out, "stays: %s", fr_admin_reply_text(reply, path));
        snprintf(path, sizeof path, "stays.%zu.why", i);
        if (fprintf(out, " (%s)\n", fr_admin_reply_text(reply, path)) < 0) return FR_EXIT_IO;
    }
    return code;
}

/* name: what has to be typed first. */
static enum fr_exit run(struct fr_cli *cli, const char *op, const char *name, struct fr_buf *args)
{
    struct fr_admin_reply *reply = NULL;
    struct fr_diag diag = {0};
    enum fr_exit code = FR_EXIT_OK;
    enum fr_err err = fr_buf_err(args);

    if (err == FR_OK)
        code = fr_cli_confirm_name(cli, name,
                                   "What the federation holds about %s%s is erased for good.", name,
                                   fr_cli_n_args(cli) > 1 ? " and the others" : "");
    if (err == FR_OK && code == FR_EXIT_OK)
        err = fr_session_change(cli, op, args, (struct fr_span){0}, &diag, &reply);
    if (err == FR_OK && reply != NULL) code = print(cli, reply);
    fr_admin_reply_free(reply);
    fr_buf_deinit(args);
    return err ? fr_cli_fail(cli, err, &diag) : code;
}

enum fr_exit fr_cmd_device_erase(struct fr_cli *cli)
{
    struct fr_buf args = FR_BUF_INIT(ARGS_MAX);
    struct fr_json json = fr_json(&args);

    fr_json_object(&json);
    fr_json_key(&json, "devices");
    fr_json_array(&json);
    for (size_t i = 0; i < fr_cli_n_args(cli); i++) fr_json_str(&json, fr_cli_arg(cli, i));
    fr_json_end(&json);
    fr_json_end(&json);
    return run(cli, "device.erase", fr_cli_arg(cli, 0), &args);
}

enum fr_exit fr_cmd_member_erase(struct fr_cli *cli)
{
    struct fr_buf args = FR_BUF_INIT(ARGS_MAX);
    struct fr_json json = fr_json(&args);

    fr_json_object(&json);
    fr_json_put_str(&json, "id", fr_cli_arg(cli, 0));
    fr_json_end(&json);
    return run(cli, "member.erase", fr_cli_arg(cli, 0), &args);
}
