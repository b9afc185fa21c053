/* fedroam ca crl show, publish */
#include "pki_cli/cmds.h"

#include "base/clock.h"
#include "ca/crl.h"
#include "pki_cli/cells.h"

#include <stdio.h>

static const struct fr_column COLUMNS[] = {
    {.key = "name"},        {.key = "file"},        {.key = "number"}, {.key = "entries"},
    {.key = "this_update"}, {.key = "next_update"}, {.key = "state"},  {0},
};

static const char *state_of(const struct fr_crl_fields *list, int64_t now_s)
{
    if (list->next_update_s <= now_s) return "over";
    return now_s - list->this_update_s > 2 * FR_CRL_REFRESH_S ? "late" : "fresh";
}

static enum fr_err print_list(const struct fr_cli *cli, const char *name, const char *path,
                              const struct fr_crl_fields *list)
{
    struct fr_table *t = NULL;
    enum fr_err err = fr_table_new(COLUMNS, &t);

    if (err) return err;
    fr_table_text(t, name);
    fr_table_text(t, path);
    fr_table_uint(t, list->number);
    fr_table_uint(t, list->entries);
    fr_cell_time(t, list->this_update_s);
    fr_cell_time(t, list->next_update_s);
    fr_table_text(t, state_of(list, fr_clock_real_s(fr_clock_system())));
    err = fr_table_print_record(t, fr_cli_output(cli), fr_cli_out(cli));
    fr_table_free(t);
    return err;
}

enum fr_exit fr_cmd_ca_crl_show(struct fr_cli *cli)
{
    struct fr_session session = FR_SESSION_INIT;
    struct fr_diag diag = {0};
    struct fr_crl_fields list;
    char name[FR_HOST_MAX + 1], path[FR_CRL_PATH_MAX];
    enum fr_err err = fr_session_open(cli, &diag, &session);

    if (!err) err = fr_ca_find_active(session.snap, &diag, name);
    if (!err) err = fr_crl_load(session.dir, name, &diag, &list);
    if (!err) err = fr_crl_path(session.dir, name, path);
    if (!err) err = print_list(cli, name, path, &list);
    fr_session_close(&session);
    return fr_cli_fail(cli, err, &diag);
}

enum fr_exit fr_cmd_ca_crl_publish(struct fr_cli *cli)
{
    struct fr_buf args = FR_BUF_INIT(16);
    struct fr_diag diag = {0};
    struct fr_admin_reply *reply = NULL;
    enum fr_exit result = FR_EXIT_OK;

    fr_buf_add_str(&args, "{}");
    enum fr_err err =
        fr_session_change(cli, "crl.publish", &args, (struct fr_span){0}, &diag, &reply);
    if (err) {
        result = fr_cli_fail(cli, err, &diag);
    } else {
        fr_session_note_dry_run(cli);
        if (fr_cli_output(cli) == FR_OUTPUT_JSON)
            result = fr_session_print_json(cli, reply);
        else if (!fr_cli_flag(cli, "dry-run"))
            fprintf(fr_cli_out(cli), "%s: list %llu with %llu entries\n",
                    fr_admin_reply_text(reply, "name"),
                    (unsigned long long)fr_admin_reply_uint(reply, "number", 0),
                    (unsigned long long)fr_admin_reply_uint(reply, "entries", 0));
    }
    fr_admin_reply_free(reply);
    fr_buf_deinit(&args);
    return result;
}
