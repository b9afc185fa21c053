/* fedroam device release, claim, move, releases, conflicts; fedroam joineui conflicts; fedroam member block add, remove, list */
#include "zones_cli/cmds.h"

#include "base/clock.h"
#include "base/parse.h"
#include "session/remote.h"
#include "store/block.h"
#include "store/conflict.h"
#include "store/joineui.h"
#include "store/release.h"
#include "zones_cli/reading.h"

#include <inttypes.h>
#include <stdio.h>

#define ARGS_MAX 262144

/* --- changes of devices --- */

static enum fr_err put_devices(struct fr_cli *cli, struct fr_json *json, struct fr_diag *diag)
{
    uint64_t eui;

    fr_json_key(json, "devices");
    fr_json_array(json);
    for (size_t i = 0; i < fr_cli_n_args(cli); i++) {
        enum fr_err err = fr_arg_eui(fr_cli_arg(cli, i), diag, &eui);
        if (err) return err;
        fr_json_str(json, fr_cli_arg(cli, i));
    }
    fr_json_end(json);
    return FR_OK;
}

/* "30m", "7d": whole seconds. */
static enum fr_err put_ttl(struct fr_cli *cli, struct fr_json *json, struct fr_diag *diag)
{
    const char *text = fr_cli_opt(cli, "ttl");
    uint64_t ms = 0;

    if (text == NULL) return FR_OK;
    enum fr_err err =
        fr_parse_duration_ms(fr_span_str(text), 1000, (uint64_t)FR_RELEASE_LONGEST_S * 1000, &ms);
    if (err)
        return fr_diag_fail(diag, FR_E_USAGE, "--ttl %s is not a time up to a year (7d, 12h)",
                            text);
    fr_json_put_uint(json, "ttl_s", ms / 1000);
    return FR_OK;
}

static enum fr_err put_until(struct fr_cli *cli, struct fr_json *json, struct fr_diag *diag)
{
    const char *text = fr_cli_opt(cli, "until");
    int64_t until_s = 0;

    if (text == NULL) return FR_OK;
    if (fr_cli_opt(cli, "ttl") != NULL)
        return fr_diag_fail(diag, FR_E_USAGE, "only one of --ttl and --until");
    enum fr_err err = fr_arg_time(text, diag, &until_s);
    if (err) return err;
    fr_json_put_uint(json, "until", (uint64_t)until_s);
    return FR_OK;
}

static enum fr_err release_args(struct fr_cli *cli, struct fr_buf *args, struct fr_diag *diag)
{
    struct fr_json json = fr_json(args);

    fr_json_object(&json);
    enum fr_err err = put_devices(cli, &json, diag);
    fr_session_put_opt(cli, &json, "to", "to");
    if (err == FR_OK) err = put_ttl(cli, &json, diag);
    if (err == FR_OK) err = put_until(cli, &json, diag);
    if (fr_cli_flag(cli, "withdraw")) {
        fr_json_key(&json, "withdraw");
        fr_json_bool(&json, true);
    }
    fr_json_end(&json);
    return err ? err : fr_buf_err(args);
}

enum fr_exit fr_cmd_device_release(struct fr_cli *cli)
{
    struct fr_buf args = FR_BUF_INIT(ARGS_MAX);
    struct fr_admin_reply *reply = NULL;
    struct fr_diag diag = {0};
    enum fr_exit code = FR_EXIT_OK;

    enum fr_err err = release_args(cli, &args, &diag);
    if (err == FR_OK)
        err = fr_session_change(cli, "device.release", &args, (struct fr_span){0}, &diag, &reply);
    if (err == FR_OK && fr_cli_flag(cli, "withdraw"))
        code = fr_print_change(cli, reply, "%" PRIu64 " withdrawn\n",
                               fr_admin_reply_uint(reply, "withdrawn", 0));
    else if (err == FR_OK)
        code =
            fr_print_change(cli, reply, "%" PRIu64 " released to %s until %s\n",
                            fr_admin_reply_uint(reply, "released", 0),
                            fr_admin_reply_text(reply, "to"), fr_admin_reply_text(reply, "until"));
    fr_admin_reply_free(reply);
    fr_buf_deinit(&args);
    return err ? fr_cli_fail(cli, err, &diag) : code;
}

static enum fr_exit run_to_netid(struct fr_cli *cli, const char *op, const char *option)
{
    struct fr_buf args = FR_BUF_INIT(ARGS_MAX);
    struct fr_json json = fr_json(&args);
    struct fr_admin_reply *reply = NULL;
    struct fr_diag diag = {0};
    enum fr_exit code = FR_EXIT_OK;
    uint32_t netid = 0;

    enum fr_err err = fr_arg_netid(fr_cli_opt(cli, option), &diag, &netid);
    fr_json_object(&json);
    fr_session_put_opt(cli, &json, option, "netid");
    if (err == FR_OK) err = put_devices(cli, &json, &diag);
    fr_json_end(&json);
    if (err == FR_OK) err = fr_buf_err(&args);
    if (err == FR_OK) err = fr_session_change(cli, op, &args, (struct fr_span){0}, &diag, &reply);
    if (err == FR_OK)
        code = fr_print_change(cli, reply, "%" PRIu64 " moved, %" PRIu64 " unchanged\n",
                               fr_admin_reply_uint(reply, "moved", 0),
                               fr_admin_reply_uint(reply, "same", 0));
    fr_admin_reply_free(reply);
    fr_buf_deinit(&args);
    return err ? fr_cli_fail(cli, err, &diag) : code;
}

enum fr_exit fr_cmd_device_claim(struct fr_cli *cli)
{
    return run_to_netid(cli, "device.claim", "netid");
}

enum fr_exit fr_cmd_device_move(struct fr_cli *cli)
{
    return run_to_netid(cli, "device.move", "to");
}

/* --- lists --- */

static void cell_time(struct fr_table *table, int64_t real_s)
{
    char text[FR_TIME_TEXT];

    fr_time_print(real_s, text);
    fr_table_text(table, text);
}

static const struct fr_column release_columns[] = {
    {.key = "deveui"}, {.key = "from"}, {.key = "to"}, {.key = "until"}, {.key = "since"}, {0}};

static enum fr_err put_release(void *data, const struct fr_release_row *row)
{
    struct fr_table *table = data;

    fr_cell_eui(table, row->deveui);
    fr_table_text(table, row->from);
    fr_table_text(table, row->to);
    cell_time(table, row->until_s);
    cell_time(table, row->created_s);
    return FR_OK;
}

static const struct fr_column conflict_columns[] = {{.key = "deveui"},
                                                    {.key = "owner"},
                                                    {.key = "claimant"},
                                                    {.key = "netid"},
                                                    {.key = "count", .is_right = true},
                                                    {.key = "first"},
                                                    {.key = "last"},
                                                    {0}};

static void cells_of_claim(struct fr_table *table, const struct fr_conflict_row *row)
{
    fr_table_uint(table, row->count);
    cell_time(table, row->first_s);
    cell_time(table, row->last_s);
}

static enum fr_err put_conflict(void *data, const struct fr_conflict_row *row)
{
    struct fr_table *table = data;

    if (row->nibbles > 0) return FR_OK;
    fr_cell_eui(table, row->eui);
    fr_table_text(table, row->owner);
    fr_table_text(table, row->claimant);
    fr_cell_netid(table, row->netid);
    cells_of_claim(table, row);
    return FR_OK;
}

static const struct fr_column joineui_columns[] = {{.key = "joineui"},
                                                   {.key = "owner"},
                                                   {.key = "claimant"},
                                                   {.key = "count", .is_right = true},
                                                   {.key = "first"},
                                                   {.key = "last"},
                                                   {0}};

static enum fr_err put_joineui_conflict(void *data, const struct fr_conflict_row *row)
{
    struct fr_table *table = data;
    char text[FR_JOINEUI_TEXT];

    if (row->nibbles == 0) return FR_OK;
    fr_joineui_print(row->eui, row->nibbles, text);
    fr_table_text(table, text);
    fr_table_text(table, row->owner);
    fr_table_text(table, row->claimant);
    cells_of_claim(table, row);
    return FR_OK;
}

static const struct fr_column block_columns[] = {
    {.key = "block"}, {.key = "member"}, {.key = "since"}, {0}};

static enum fr_err put_block(void *data, const struct fr_block_row *row)
{
    struct fr_table *table = data;
    char text[FR_BLOCK_TEXT];

    fr_block_print(row->base, row->bits, text);
    fr_table_text(table, text);
    fr_table_text(table, row->member);
    cell_time(table, row->created_s);
    return FR_OK;
}

typedef enum fr_err (*fill_fn)(struct fr_snap *snap, const char *member, struct fr_table *table);

static enum fr_err fill_releases(struct fr_snap *snap, const char *member, struct fr_table *table)
{
    return fr_release_each(snap, member, fr_clock_real_s(fr_clock_system()), put_release, table);
}

static enum fr_err fill_conflicts(struct fr_snap *snap, const char *member, struct fr_table *table)
{
    return fr_conflict_each(snap, member, put_conflict, table);
}

static enum fr_err fill_joineui_conflicts(struct fr_snap *snap, const char *member,
                                          struct fr_table *table)
{
    return fr_conflict_each(snap, member, put_joineui_conflict, table);
}

static enum fr_err fill_blocks(struct fr_snap *snap, const char *member, struct fr_table *table)
{
    return fr_block_each(snap, member, put_block, table);
}

/* `resource`: what the broker's API calls it; NULL: it has it not. */
struct list {
    const struct fr_column *columns;
    fill_fn fill;
    const char *resource;
};

static enum fr_err fill_here(struct fr_cli *cli, const struct list *list, const char *member,
                             struct fr_table *table, struct fr_diag *diag)
{
    struct fr_session session = FR_SESSION_INIT;

    enum fr_err err = fr_session_open(cli, diag, &session);
    if (err == FR_OK) err = list->fill(session.snap, member, table);
    fr_session_close(&session);
    return err;
}

/* --- lists of the broker --- */

static void put_remote_row(const struct list *list, const struct fr_admin_reply *reply, size_t i,
                           struct fr_table *table)
{
    char path[64];

    for (const struct fr_column *column = list->columns; column->key != NULL; column++) {
        (void)snprintf(path, sizeof path, "%s.%zu.%s", list->resource, i, column->key);
        const char *text = fr_admin_reply_text(reply, path);
        if (column->is_right)
            fr_table_uint(table, fr_admin_reply_uint(reply, path, 0));
        else
            fr_table_text(table, text != NULL ? text : "");
    }
}

static enum fr_err fill_there(struct fr_cli *cli, const struct list *list, struct fr_table *table,
                              struct fr_diag *diag)
{
    struct fr_publisher *publisher = NULL;
    char target[128];
    bool is_last = false;

    (void)snprintf(target, sizeof target, FR_PUBLISH_API "/%s", list->resource);
    enum fr_err err = fr_remote_open(cli, diag, &publisher);
    while (err == FR_OK && !is_last) {
        struct fr_admin_reply *reply = NULL;
        err = fr_remote_get(publisher, target, diag, &reply);
        if (err) break;
        const size_t n = fr_admin_reply_count(reply, list->resource);
        for (size_t i = 0; i < n; i++) put_remote_row(list, reply, i, table);
        const char *next = fr_admin_reply_text(reply, "next");
        is_last = next == NULL;
        if (next != NULL)
            (void)snprintf(target, sizeof target, FR_PUBLISH_API "/%s?after=%s", list->resource,
                           next);
        fr_admin_reply_free(reply);
    }
    fr_publisher_close(publisher);
    return err;
}

static enum fr_exit print_list(struct fr_cli *cli, const struct list *list, const char *member)
{
    const bool is_remote = list->resource != NULL && fr_remote_is_meant(cli);
    struct fr_table *table = NULL;
    struct fr_diag diag = {0};

    if (is_remote && member != NULL)
        return fr_cli_usage(cli, "with --broker the list is your own: no --member");
    enum fr_err err = fr_table_new(list->columns, &table);
    if (err == FR_OK)
        err = is_remote ? fill_there(cli, list, table, &diag)
                        : fill_here(cli, list, member, table, &diag);
    if (err == FR_OK) err = fr_table_print(table, fr_cli_output(cli), fr_cli_out(cli));
    fr_table_free(table);
    return fr_cli_fail(cli, err, &diag);
}

enum fr_exit fr_cmd_device_releases(struct fr_cli *cli)
{
    static const struct list list = {release_columns, fill_releases, "releases"};

    return print_list(cli, &list, fr_cli_opt(cli, "member"));
}

enum fr_exit fr_cmd_device_conflicts(struct fr_cli *cli)
{
    static const struct list list = {conflict_columns, fill_conflicts, "conflicts"};

    return print_list(cli, &list, fr_cli_opt(cli, "member"));
}

enum fr_exit fr_cmd_joineui_conflicts(struct fr_cli *cli)
{
    static const struct list list = {joineui_columns, fill_joineui_conflicts, NULL};

    return print_list(cli, &list, fr_cli_opt(cli, "member"));
}

enum fr_exit fr_cmd_block_list(struct fr_cli *cli)
{
    static const struct list list = {block_columns, fill_blocks, NULL};

    return print_list(cli, &list, fr_cli_arg(cli, 0));
}

/* --- blocks --- */

static enum fr_exit run_block(struct fr_cli *cli, const char *op)
{
    struct fr_buf args = FR_BUF_INIT(ARGS_MAX);
    struct fr_json json = fr_json(&args);
    struct fr_admin_reply *reply = NULL;
    struct fr_diag diag = {0};
    enum fr_exit code = FR_EXIT_OK;

    fr_json_object(&json);
    fr_json_put_str(&json, "member", fr_cli_arg(cli, 0));
    fr_json_key(&json, "blocks");
    fr_json_array(&json);
    for (size_t i = 1; i < fr_cli_n_args(cli); i++) fr_json_str(&json, fr_cli_arg(cli, i));
    fr_json_end(&json);
    fr_json_end(&json);
    enum fr_err err = fr_buf_err(&args);
    if (err == FR_OK) err = fr_session_change(cli, op, &args, (struct fr_span){0}, &diag, &reply);
    if (err == FR_OK)
        code = fr_print_change(cli, reply, "%s has %zu blocks\n", fr_cli_arg(cli, 0),
                               fr_admin_reply_count(reply, "blocks"));
    fr_admin_reply_free(reply);
    fr_buf_deinit(&args);
    return err ? fr_cli_fail(cli, err, &diag) : code;
}

enum fr_exit fr_cmd_block_add(struct fr_cli *cli)
{
    return run_block(cli, "block.add");
}

enum fr_exit fr_cmd_block_remove(struct fr_cli *cli)
{
    return run_block(cli, "block.remove");
}
