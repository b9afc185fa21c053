/* fedroam policy show, set */
#include "zones_cli/cmds.h"

#include "store/policy.h"
#include "zones_cli/reading.h"

#include <inttypes.h>
#include <stdio.h>

static const struct fr_column columns[] = {{.key = "key"},
                                           {.key = "seconds", .is_right = true},
                                           {.key = "default", .is_right = true},
                                           {.key = "meaning"},
                                           {0}};

static enum fr_err add_key(struct fr_snap *snap, enum fr_policy_key key, struct fr_table *table)
{
    const struct fr_policy_about *about = fr_policy_about(key);
    uint32_t seconds;

    enum fr_err err = fr_policy_get(snap, key, &seconds);
    if (err) return err;
    fr_table_text(table, about->name);
    fr_table_uint(table, seconds);
    fr_table_uint(table, about->def);
    fr_table_text(table, about->help);
    return FR_OK;
}

enum fr_exit fr_cmd_policy_show(struct fr_cli *cli)
{
    struct fr_session session = FR_SESSION_INIT;
    struct fr_table *table = NULL;
    struct fr_diag diag = {0};
    enum fr_policy_key only = FR_POLICY_COUNT;
    enum fr_err err = FR_OK;

    if (fr_cli_n_args(cli) == 1) err = fr_policy_find(fr_cli_arg(cli, 0), &diag, &only);
    if (err == FR_OK) err = fr_session_open(cli, &diag, &session);
    if (err == FR_OK) err = fr_table_new(columns, &table);
    for (int i = 0; err == FR_OK && i < FR_POLICY_COUNT; i++)
        if (only == FR_POLICY_COUNT || (int)only == i)
            err = add_key(session.snap, (enum fr_policy_key)i, table);
    if (err == FR_OK) err = fr_table_print(table, fr_cli_output(cli), fr_cli_out(cli));
    fr_table_free(table);
    fr_session_close(&session);
    return fr_cli_fail(cli, err, &diag);
}

enum fr_exit fr_cmd_policy_set(struct fr_cli *cli)
{
    struct fr_buf args = FR_BUF_INIT(4096);
    struct fr_json json = fr_json(&args);
    struct fr_admin_reply *reply = NULL;
    struct fr_diag diag = {0};
    enum fr_exit code = FR_EXIT_OK;

    fr_json_object(&json);
    fr_json_key(&json, "set");
    fr_json_object(&json);
    fr_json_put_str(&json, fr_cli_arg(cli, 0), fr_cli_arg(cli, 1));
    fr_json_end(&json);
    fr_json_end(&json);
    enum fr_err err =
        fr_session_change(cli, "policy.set", &args, (struct fr_span){0}, &diag, &reply);
    if (err == FR_OK)
        code = fr_print_change(cli, reply, "%s: %s\n", fr_cli_arg(cli, 0),
                               fr_admin_reply_bool(reply, "changed") ? "changed" : "unchanged");
    fr_admin_reply_free(reply);
    fr_buf_deinit(&args);
    return err ? fr_cli_fail(cli, err, &diag) : code;
}
