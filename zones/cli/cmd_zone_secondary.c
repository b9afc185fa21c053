/* fedroam zone secondary add, list, remove */
#include "zones_cli/cmds.h"

#include "base/mem.h"
#include "store/downstream.h"
#include "zones_cli/reading.h"
#include "zones_cli/tsig_option.h"

#include <stdio.h>
#include <string.h>

#define ARGS_MAX 8192

enum fr_exit fr_cmd_zone_secondary_add(struct fr_cli *cli)
{
    struct fr_buf args = FR_BUF_INIT(ARGS_MAX);
    struct fr_json json = fr_json(&args);
    struct fr_tsig_key key = {0};
    struct fr_admin_reply *reply = NULL;
    struct fr_diag diag = {0};
    enum fr_exit code = FR_EXIT_OK;
    enum fr_err err = FR_OK;

    fr_json_object(&json);
    fr_json_put_str(&json, "name", fr_cli_arg(cli, 0));
    if (fr_cli_opt(cli, "address") != NULL) fr_session_put_opts(cli, &json, "address", "addresses");
    fr_json_put_bool(&json, "xot", fr_cli_flag(cli, "xot"));
    if (fr_cli_opt(cli, "tsig-key") != NULL) err = fr_tsig_option_put(cli, &json, &diag, &key);
    fr_json_end(&json);
    if (err == FR_OK)
        err = fr_session_change(cli, "zone.secondary.set", &args, fr_span(key.secret, key.n), &diag,
                                &reply);
    if (err == FR_OK)
        code = fr_print_change(cli, reply,
                               "%s may copy the whole zone; it answers without visibility, budgets "
                               "and revocation\n",
                               fr_admin_reply_text(reply, "name"));
    fr_admin_reply_free(reply);
    fr_secret_zero(&key, sizeof key);
    fr_buf_deinit(&args);
    return err ? fr_cli_fail(cli, err, &diag) : code;
}

enum fr_exit fr_cmd_zone_secondary_remove(struct fr_cli *cli)
{
    struct fr_buf args = FR_BUF_INIT(ARGS_MAX);
    struct fr_json json = fr_json(&args);
    struct fr_admin_reply *reply = NULL;
    struct fr_diag diag = {0};
    enum fr_exit code = FR_EXIT_OK;

    fr_json_object(&json);
    fr_json_put_str(&json, "name", fr_cli_arg(cli, 0));
    fr_json_end(&json);
    enum fr_err err =
        fr_session_change(cli, "zone.secondary.remove", &args, (struct fr_span){0}, &diag, &reply);
    if (err == FR_OK)
        code = fr_print_change(
            cli, reply, "%s gets the zone no more; what it has copied it keeps until it expires\n",
            fr_cli_arg(cli, 0));
    fr_admin_reply_free(reply);
    fr_buf_deinit(&args);
    return err ? fr_cli_fail(cli, err, &diag) : code;
}

static const struct fr_column list_columns[] = {
    {.key = "name"}, {.key = "tsig_key"}, {.key = "xot"}, {.key = "notified"}, {0}};

static enum fr_err add_row(void *data, const struct fr_downstream_row *row)
{
    struct fr_table *table = data;
    char text[FR_DOWNSTREAM_ADDRS_MAX * (FR_ADDR_TEXT + 1)] = "";

    for (uint8_t i = 0; i < row->n_addrs; i++) {
        const size_t at = strlen(text);
        char addr[FR_ADDR_TEXT];
        fr_addr_print(&row->addrs[i], addr);
        (void)snprintf(text + at, sizeof text - at, "%s%s", i > 0 ? " " : "", addr);
    }
    fr_table_text(table, row->name);
    fr_table_text(table, row->key_name);
    fr_table_text(table, row->has_xot ? "yes" : "no");
    fr_table_text(table, text);
    return FR_OK;
}

enum fr_exit fr_cmd_zone_secondary_list(struct fr_cli *cli)
{
    struct fr_session session = FR_SESSION_INIT;
    struct fr_table *table = NULL;
    struct fr_diag diag = {0};

    enum fr_err err = fr_session_open(cli, &diag, &session);
    if (err) goto out;
    err = fr_table_new(list_columns, &table);
    if (err) goto out;
    err = fr_downstream_each(session.snap, add_row, table);
    if (err == FR_OK) err = fr_table_print(table, fr_cli_output(cli), fr_cli_out(cli));
out:
    fr_table_free(table);
    fr_session_close(&session);
    return fr_cli_fail(cli, err, &diag);
}
