/* fedroam visibility allow, deny, list; fedroam device set */
#include "zones_cli/cmds.h"

#include "base/clock.h"
#include "store/visibility.h"
#include "zones_cli/reading.h"

#include <inttypes.h>
#include <string.h>

#define ARGS_MAX 65536

static enum fr_exit set_pair(struct fr_cli *cli, bool is_allowed)
{
    struct fr_buf args = FR_BUF_INIT(4096);
    struct fr_json json = fr_json(&args);
    struct fr_admin_reply *reply = NULL;
    struct fr_diag diag = {0};
    enum fr_exit code = FR_EXIT_OK;

    fr_json_object(&json);
    fr_session_put_opt(cli, &json, "home", "home");
    fr_session_put_opt(cli, &json, "visited", "visited");
    fr_json_put_bool(&json, "allowed", is_allowed);
    fr_json_put_bool(&json, "both", fr_cli_flag(cli, "both"));
    fr_json_end(&json);
    enum fr_err err =
        fr_session_change(cli, "visibility.set", &args, (struct fr_span){0}, &diag, &reply);
    if (err == FR_OK)
        code =
            fr_print_change(cli, reply, "devices of %s are %s %s%s: %s\n", fr_cli_opt(cli, "home"),
                            is_allowed ? "shown to" : "kept from", fr_cli_opt(cli, "visited"),
                            fr_cli_flag(cli, "both") ? ", and the other way round" : "",
                            fr_admin_reply_bool(reply, "changed") ? "changed" : "unchanged");
    fr_admin_reply_free(reply);
    fr_buf_deinit(&args);
    return err ? fr_cli_fail(cli, err, &diag) : code;
}

enum fr_exit fr_cmd_visibility_allow(struct fr_cli *cli)
{
    return set_pair(cli, true);
}

enum fr_exit fr_cmd_visibility_deny(struct fr_cli *cli)
{
    return set_pair(cli, false);
}

/* --- list --- */

static const struct fr_column list_columns[] = {
    {.key = "home"}, {.key = "visited"}, {.key = "since"}, {0}};

struct listing {
    const char *home, *visited; /* NULL: any */
    struct fr_table *table;
};

static enum fr_err add_grant(void *data, const struct fr_visibility_row *row)
{
    const struct listing *l = data;
    char since[FR_TIME_TEXT];

    if (l->home != NULL && strcmp(l->home, row->home) != 0) return FR_OK;
    if (l->visited != NULL && strcmp(l->visited, row->visited) != 0) return FR_OK;
    fr_time_print(row->since_s, since);
    fr_table_text(l->table, row->home);
    fr_table_text(l->table, row->visited);
    fr_table_text(l->table, since);
    return FR_OK;
}

enum fr_exit fr_cmd_visibility_list(struct fr_cli *cli)
{
    struct fr_session session = FR_SESSION_INIT;
    struct listing l = {fr_cli_opt(cli, "home"), fr_cli_opt(cli, "visited"), NULL};
    struct fr_diag diag = {0};
    uint32_t policy = FR_VISIBILITY_GRANTED;

    enum fr_err err = fr_session_open(cli, &diag, &session);
    if (err == FR_OK) err = fr_table_new(list_columns, &l.table);
    if (err == FR_OK) err = fr_policy_get(session.snap, FR_POLICY_VISIBILITY, &policy);
    if (err == FR_OK) err = fr_visibility_each(session.snap, add_grant, &l);
    fr_session_close(&session);
    if (err == FR_OK) err = fr_table_print(l.table, fr_cli_output(cli), fr_cli_out(cli));
    if (err == FR_OK && policy == FR_VISIBILITY_FEDERATION)
        fr_cli_note(cli, "the policy visibility is federation: every member sees every device, and "
                         "these pairs count once it is granted");
    fr_table_free(l.table);
    return fr_cli_fail(cli, err, &diag);
}

/* --- device set --- */

static enum fr_err make_args(struct fr_cli *cli, bool is_hidden, struct fr_buf *args,
                             struct fr_diag *diag)
{
    struct fr_json json = fr_json(args);
    uint64_t eui;

    fr_json_object(&json);
    fr_json_put_bool(&json, "hidden", is_hidden);
    fr_json_key(&json, "devices");
    fr_json_array(&json);
    for (size_t i = 0; i < fr_cli_n_args(cli); i++) {
        enum fr_err err = fr_arg_eui(fr_cli_arg(cli, i), diag, &eui);
        if (err) return err;
        fr_json_str(&json, fr_cli_arg(cli, i));
    }
    fr_json_end(&json);
    fr_json_end(&json);
    return fr_buf_err(args);
}

enum fr_exit fr_cmd_device_set(struct fr_cli *cli)
{
    const char *hidden = fr_cli_opt(cli, "hidden");
    struct fr_buf args = FR_BUF_INIT(ARGS_MAX);
    struct fr_admin_reply *reply = NULL;
    struct fr_diag diag = {0};
    enum fr_exit code = FR_EXIT_OK;
    bool is_hidden = strcmp(hidden, "yes") == 0;

    if (!is_hidden && strcmp(hidden, "no") != 0)
        return fr_cli_usage(cli, "--hidden is yes or no, not %s", hidden);
    enum fr_err err = make_args(cli, is_hidden, &args, &diag);
    if (err == FR_OK)
        err = fr_session_change(cli, "device.set", &args, (struct fr_span){0}, &diag, &reply);
    if (err == FR_OK)
        code = fr_print_change(cli, reply, "%" PRIu64 " %s\n",
                               fr_admin_reply_uint(reply, "devices", 0),
                               is_hidden ? "hidden" : "shown again");
    fr_admin_reply_free(reply);
    fr_buf_deinit(&args);
    return err ? fr_cli_fail(cli, err, &diag) : code;
}
