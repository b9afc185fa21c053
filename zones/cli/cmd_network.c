/* fedroam network set, suspend, resume, show, list */
#include "zones_cli/cmds.h"

#include "names/devaddr.h"
#include "zones_cli/reading.h"

#include <inttypes.h>
#include <stdio.h>

#define ARGS_MAX 65536

static enum fr_exit change_network(struct fr_cli *cli, const char *op)
{
    struct fr_buf args = FR_BUF_INIT(ARGS_MAX);
    struct fr_json json = fr_json(&args);
    struct fr_admin_reply *reply = NULL;
    struct fr_diag diag = {0};
    enum fr_exit code = FR_EXIT_OK;
    uint32_t netid;

    enum fr_err err = fr_arg_netid(fr_cli_arg(cli, 0), &diag, &netid);
    fr_json_object(&json);
    fr_json_put_str(&json, "netid", fr_cli_arg(cli, 0));
    fr_session_put_opts(cli, &json, "endpoint", "endpoints");
    fr_json_end(&json);
    if (err == FR_OK) err = fr_session_change(cli, op, &args, (struct fr_span){0}, &diag, &reply);
    if (err == FR_OK)
        code = fr_print_change(cli, reply, "network %s: %s\n", fr_cli_arg(cli, 0),
                               fr_admin_reply_bool(reply, "changed") ? "changed" : "unchanged");
    fr_admin_reply_free(reply);
    fr_buf_deinit(&args);
    return err ? fr_cli_fail(cli, err, &diag) : code;
}

enum fr_exit fr_cmd_network_set(struct fr_cli *cli)
{
    return change_network(cli, "network.set");
}

enum fr_exit fr_cmd_network_suspend(struct fr_cli *cli)
{
    return change_network(cli, "network.suspend");
}

enum fr_exit fr_cmd_network_resume(struct fr_cli *cli)
{
    return change_network(cli, "network.resume");
}

/* --- show, list --- */

static const struct fr_column list_columns[] = {
    {.key = "netid"},     {.key = "member"},
    {.key = "state"},     {.key = "devices", .is_right = true},
    {.key = "endpoints"}, {0}};

static enum fr_err add_network(void *data, const struct fr_network_row *row)
{
    struct fr_table *table = data;

    fr_cell_netid(table, row->netid);
    fr_table_text(table, row->member);
    fr_table_text(table, fr_network_state_text(row->state));
    fr_table_uint(table, row->devices);
    fr_cell_endpoints(table, row->endpoints, row->n_endpoints);
    return FR_OK;
}

enum fr_exit fr_cmd_network_list(struct fr_cli *cli)
{
    struct fr_session session = FR_SESSION_INIT;
    struct fr_table *table = NULL;
    struct fr_diag diag = {0};

    enum fr_err err = fr_session_open(cli, &diag, &session);
    if (err == FR_OK) err = fr_table_new(list_columns, &table);
    if (err == FR_OK) err = fr_network_each(session.snap, add_network, table);
    if (err == FR_OK) err = fr_table_print(table, fr_cli_output(cli), fr_cli_out(cli));
    fr_table_free(table);
    fr_session_close(&session);
    return fr_cli_fail(cli, err, &diag);
}

static const struct fr_column show_columns[] = {
    {.key = "netid"},     {.key = "member"},         {.key = "state"},    {.key = "devices"},
    {.key = "endpoints"}, {.key = "devaddr_prefix"}, {.key = "answered"}, {0}};

static void show_network(struct fr_snap *snap, const struct fr_network_row *row,
                         struct fr_table *table)
{
    struct fr_network_row live;
    char prefix[FR_DEVADDR_PREFIX_TEXT];

    (void)add_network(table, row);
    fr_devaddr_prefix_print(fr_devaddr_prefix(row->netid), prefix);
    fr_table_text(table, prefix);
    fr_table_bool(table, fr_network_get_live(snap, row->netid, &live) == FR_OK);
}

enum fr_exit fr_cmd_network_show(struct fr_cli *cli)
{
    struct fr_session session = FR_SESSION_INIT;
    struct fr_table *table = NULL;
    struct fr_network_row row;
    struct fr_diag diag = {0};
    uint32_t netid;

    enum fr_err err = fr_arg_netid(fr_cli_arg(cli, 0), &diag, &netid);
    if (err == FR_OK) err = fr_session_open(cli, &diag, &session);
    if (err) goto out;
    err = fr_network_get(session.snap, netid, &row);
    if (err == FR_E_NOT_FOUND)
        (void)fr_diag_fail(&diag, err, "no member holds NetID %06" PRIx32, netid);
    if (err == FR_OK) err = fr_table_new(show_columns, &table);
    if (err) goto out;
    show_network(session.snap, &row, table);
    err = fr_table_print_record(table, fr_cli_output(cli), fr_cli_out(cli));
out:
    fr_table_free(table);
    fr_session_close(&session);
    return fr_cli_fail(cli, err, &diag);
}
