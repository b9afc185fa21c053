/* fedroam zone rollback */
#include "zones_cli/cmds.h"

#include "base/parse.h"
#include "zones_cli/reading.h"

#include <inttypes.h>

static enum fr_exit print(struct fr_cli *cli, const struct fr_admin_reply *reply)
{
    enum fr_exit code = fr_print_change(
        cli, reply,
        "%" PRIu64 " added, %" PRIu64 " removed, %" PRIu64 " moved, %" PRIu64 " hidden, %" PRIu64
        " shown; %" PRIu64 " left as they are\n",
        fr_admin_reply_uint(reply, "added", 0), fr_admin_reply_uint(reply, "removed", 0),
        fr_admin_reply_uint(reply, "moved", 0), fr_admin_reply_uint(reply, "hidden", 0),
        fr_admin_reply_uint(reply, "shown", 0), fr_admin_reply_uint(reply, "left", 0));

    if (fr_admin_reply_uint(reply, "left", 0) > 0)
        fr_cli_note(cli, "devices are left where their network or its member is gone since then");
    return code;
}

enum fr_exit fr_cmd_zone_rollback(struct fr_cli *cli)
{
    struct fr_buf args = FR_BUF_INIT(64);
    struct fr_json json = fr_json(&args);
    struct fr_admin_reply *reply = NULL;
    struct fr_diag diag = {0};
    enum fr_exit code = FR_EXIT_OK;
    uint64_t to = 0;

    if (fr_parse_u64(fr_span_str(fr_cli_opt(cli, "to")), 0, INT64_MAX - 1, &to) != FR_OK)
        return fr_cli_usage(cli, "--to %s is not the number of a transaction",
                            fr_cli_opt(cli, "to"));
    code = fr_cli_confirm(cli, "bring the devices of every member back to transaction %" PRIu64 "?",
                          to);
    if (code != FR_EXIT_OK) return code;
    fr_json_object(&json);
    fr_json_put_uint(&json, "to", to);
    fr_json_end(&json);
    enum fr_err err = fr_buf_err(&args);
    if (err == FR_OK)
        err = fr_session_change(cli, "zone.rollback", &args, (struct fr_span){0}, &diag, &reply);
    if (err == FR_OK) code = print(cli, reply);
    fr_admin_reply_free(reply);
    fr_buf_deinit(&args);
    return err ? fr_cli_fail(cli, err, &diag) : code;
}
