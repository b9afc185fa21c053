/* fedroam joineui add, remove, list, show */
#include "zones_cli/cmds.h"

#include "base/clock.h"
#include "session/remote.h"
#include "store/joineui.h"
#include "zones_cli/reading.h"

#include <stdio.h>

#define ARGS_MAX 65536
#define TARGET_MAX 160

/* --- add, remove --- */

static enum fr_exit change(struct fr_cli *cli, const char *op, const char *done)
{
    struct fr_buf args = FR_BUF_INIT(ARGS_MAX);
    struct fr_json json = fr_json(&args);
    struct fr_admin_reply *reply = NULL;
    struct fr_diag diag = {0};
    enum fr_exit code = FR_EXIT_OK;

    fr_json_object(&json);
    fr_json_put_str(&json, "joineui", fr_cli_arg(cli, 0));
    fr_session_put_opt(cli, &json, "member", "member");
    fr_session_put_opts(cli, &json, "server", "servers");
    fr_json_end(&json);
    enum fr_err err = fr_session_change(cli, op, &args, (struct fr_span){0}, &diag, &reply);
    if (err == FR_OK) {
        const char *joineui = fr_admin_reply_text(reply, "joineui");
        if (fr_admin_reply_bool(reply, "added")) done = "added";
        code = fr_print_change(cli, reply, "JoinEUI %s: %s\n", joineui ? joineui : "",
                               fr_admin_reply_bool(reply, "changed") ? done : "unchanged");
    }
    fr_admin_reply_free(reply);
    fr_buf_deinit(&args);
    return err ? fr_cli_fail(cli, err, &diag) : code;
}

/* What is no JoinEUI is a wrong command line, before anything is asked. */
static enum fr_err read_arg(const struct fr_cli *cli, struct fr_diag *diag,
                            struct fr_joineui_row *out)
{
    enum fr_err err =
        fr_joineui_parse(fr_span_str(fr_cli_arg(cli, 0)), diag, &out->base, &out->nibbles);

    return err ? FR_E_USAGE : FR_OK;
}

enum fr_exit fr_cmd_joineui_add(struct fr_cli *cli)
{
    struct fr_joineui_row row;
    struct fr_diag diag = {0};
    enum fr_err err = read_arg(cli, &diag, &row);

    return err ? fr_cli_fail(cli, err, &diag) : change(cli, "joineui.add", "changed");
}

enum fr_exit fr_cmd_joineui_remove(struct fr_cli *cli)
{
    struct fr_joineui_row row;
    struct fr_diag diag = {0};
    enum fr_err err = read_arg(cli, &diag, &row);

    return err ? fr_cli_fail(cli, err, &diag) : change(cli, "joineui.remove", "removed");
}

/* --- cells --- */

static void cell_joineui(struct fr_table *table, uint64_t base, uint8_t nibbles)
{
    char text[FR_JOINEUI_TEXT];

    fr_joineui_print(base, nibbles, text);
    fr_table_text(table, text);
}

static void cell_servers(struct fr_table *table, const struct fr_joineui_row *row)
{
    char texts[FR_JOIN_SERVERS_MAX][FR_JOIN_SERVER_TEXT];
    const char *items[FR_JOIN_SERVERS_MAX];

    for (uint16_t i = 0; i < row->n_servers; i++) {
        fr_join_server_print(&row->servers[i], (uint16_t)(i + 1), texts[i]);
        items[i] = texts[i];
    }
    fr_table_texts(table, items, row->n_servers);
}

/* --- list --- */

static const struct fr_column list_columns[] = {
    {.key = "joineui"}, {.key = "member"}, {.key = "servers"}, {0}};

static enum fr_err add_row(void *data, const struct fr_joineui_row *row)
{
    struct fr_table *table = data;

    cell_joineui(table, row->base, row->nibbles);
    fr_table_text(table, row->member);
    cell_servers(table, row);
    return FR_OK;
}

/* One JoinEUI of a broker's reply; `at` is where it stands in it, "" or "joineuis.0.". */
static enum fr_err add_told(const struct fr_admin_reply *reply, const char *at,
                            struct fr_table *table)
{
    const char *items[FR_JOIN_SERVERS_MAX];
    char path[64];

    (void)snprintf(path, sizeof path, "%sjoineui", at);
    const char *joineui = fr_admin_reply_text(reply, path);
    (void)snprintf(path, sizeof path, "%smember", at);
    const char *member = fr_admin_reply_text(reply, path);
    (void)snprintf(path, sizeof path, "%sservers", at);
    const size_t n = fr_admin_reply_count(reply, path);
    if (joineui == NULL || member == NULL || n > FR_JOIN_SERVERS_MAX) return FR_E_MALFORMED;
    for (size_t i = 0; i < n; i++) {
        (void)snprintf(path, sizeof path, "%sservers.%zu", at, i);
        items[i] = fr_admin_reply_text(reply, path);
    }
    fr_table_text(table, joineui);
    fr_table_text(table, member);
    fr_table_texts(table, items, n);
    return FR_OK;
}

static enum fr_err add_page(const struct fr_admin_reply *reply, struct fr_table *table)
{
    const size_t n = fr_admin_reply_count(reply, "joineuis");
    enum fr_err err = FR_OK;
    char at[32];

    for (size_t i = 0; err == FR_OK && i < n; i++) {
        (void)snprintf(at, sizeof at, "joineuis.%zu.", i);
        err = add_told(reply, at, table);
    }
    return err;
}

static enum fr_err list_remote(struct fr_cli *cli, struct fr_diag *diag, struct fr_table *table)
{
    struct fr_publisher *publisher = NULL;
    char target[TARGET_MAX] = FR_PUBLISH_API "/joineuis";
    bool is_last = false;

    enum fr_err err = fr_remote_open(cli, diag, &publisher);
    while (err == FR_OK && !is_last) {
        struct fr_admin_reply *reply = NULL;
        err = fr_remote_get(publisher, target, diag, &reply);
        if (err == FR_OK) err = add_page(reply, table);
        const char *next = err ? NULL : fr_admin_reply_text(reply, "next");
        is_last = next == NULL;
        if (next != NULL)
            (void)snprintf(target, sizeof target, FR_PUBLISH_API "/joineuis?after=%.40s", next);
        fr_admin_reply_free(reply);
    }
    fr_publisher_close(publisher);
    return err;
}

static enum fr_err list_here(struct fr_cli *cli, struct fr_diag *diag, struct fr_table *table)
{
    struct fr_session session = FR_SESSION_INIT;

    enum fr_err err = fr_session_open(cli, diag, &session);
    if (err == FR_OK)
        err = fr_joineui_each(session.snap, fr_cli_opt(cli, "member"), add_row, table);
    fr_session_close(&session);
    return err;
}

enum fr_exit fr_cmd_joineui_list(struct fr_cli *cli)
{
    struct fr_table *table = NULL;
    struct fr_diag diag = {0};

    enum fr_err err = fr_table_new(list_columns, &table);
    if (err == FR_OK)
        err =
            fr_remote_is_meant(cli) ? list_remote(cli, &diag, table) : list_here(cli, &diag, table);
    if (err == FR_OK) err = fr_table_print(table, fr_cli_output(cli), fr_cli_out(cli));
    fr_table_free(table);
    return fr_cli_fail(cli, err, &diag);
}

/* --- show --- */

static const struct fr_column show_columns[] = {
    {.key = "joineui"}, {.key = "held_as"}, {.key = "member"},  {.key = "since"},
    {.key = "name"},    {.key = "answer"},  {.key = "servers"}, {0}};

static void cell_name(struct fr_table *table, const struct fr_joineui_row *row, const char *fed)
{
    struct fr_owner owner = fr_owner_joineui(row->base, row->nibbles);
    char text[FR_OWNER_TEXT];

    if (row->nibbles < FR_JOINEUI_NIBBLES) owner.kind = FR_OWNER_JOINEUI_ANY;
    if (fr_owner_print(&owner, fed, text) == FR_OK)
        fr_table_text(table, text);
    else
        fr_table_none(table);
}

/* `held`: whose it is; the servers may be those of a row around that. */
static enum fr_err show(struct fr_snap *snap, const struct fr_joineui_row *asked,
                        const struct fr_joineui_row *held, struct fr_table *table)
{
    const struct fr_joineui_eyes all = {0};
    struct fr_joineui_row answer = {0};
    char since[FR_TIME_TEXT];

    enum fr_err err = fr_joineui_find(snap, &all, asked->base, asked->nibbles, &answer);
    if (err && err != FR_E_NOT_FOUND) return err;
    fr_time_print(held->changed_s, since);
    cell_joineui(table, asked->base, asked->nibbles);
    cell_joineui(table, held->base, held->nibbles);
    fr_table_text(table, held->member);
    fr_table_text(table, since);
    cell_name(table, asked, fr_store_federation(fr_snap_store(snap)));
    if (err == FR_OK)
        cell_joineui(table, answer.base, answer.nibbles);
    else
        fr_table_none(table);
    cell_servers(table, &answer);
    return FR_OK;
}

static enum fr_err show_here(struct fr_cli *cli, const struct fr_joineui_row *asked,
                             struct fr_diag *diag, struct fr_table *table)
{
    struct fr_session session = FR_SESSION_INIT;
    struct fr_joineui_row held;
    char text[FR_JOINEUI_TEXT];

    fr_joineui_print(asked->base, asked->nibbles, text);
    enum fr_err err = fr_session_open(cli, diag, &session);
    if (err) return err;
    err = fr_joineui_holder(session.snap, asked->base, asked->nibbles, NULL, &held);
    if (err == FR_E_NOT_FOUND || (err == FR_OK && held.nibbles > asked->nibbles))
        err = fr_diag_fail(diag, FR_E_NOT_FOUND, "nobody holds JoinEUI %s", text);
    if (err == FR_OK) err = show(session.snap, asked, &held, table);
    fr_session_close(&session);
    return err;
}

static enum fr_exit show_remote(struct fr_cli *cli, const struct fr_joineui_row *asked)
{
    struct fr_publisher *publisher = NULL;
    struct fr_admin_reply *reply = NULL;
    struct fr_table *table = NULL;
    struct fr_diag diag = {0};
    char text[FR_JOINEUI_TEXT], target[TARGET_MAX];

    fr_joineui_print(asked->base, asked->nibbles, text);
    (void)snprintf(target, sizeof target, FR_PUBLISH_API "/joineuis/%s", text);
    enum fr_err err = fr_remote_open(cli, &diag, &publisher);
    if (err == FR_OK) err = fr_remote_get(publisher, target, &diag, &reply);
    if (err == FR_OK) err = fr_table_new(list_columns, &table);
    if (err == FR_OK) err = add_told(reply, "", table);
    if (err == FR_OK) err = fr_table_print_record(table, fr_cli_output(cli), fr_cli_out(cli));
    fr_table_free(table);
    fr_admin_reply_free(reply);
    fr_publisher_close(publisher);
    return fr_cli_fail(cli, err, &diag);
}

enum fr_exit fr_cmd_joineui_show(struct fr_cli *cli)
{
    struct fr_table *table = NULL;
    struct fr_joineui_row asked;
    struct fr_diag diag = {0};

    enum fr_err err = read_arg(cli, &diag, &asked);
    if (err == FR_OK && fr_remote_is_meant(cli)) return show_remote(cli, &asked);
    if (err == FR_OK) err = fr_table_new(show_columns, &table);
    if (err == FR_OK) err = show_here(cli, &asked, &diag, table);
    if (err == FR_OK) err = fr_table_print_record(table, fr_cli_output(cli), fr_cli_out(cli));
    fr_table_free(table);
    return fr_cli_fail(cli, err, &diag);
}
