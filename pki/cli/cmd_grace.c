/* fedroam grace open, list, close; ca clock show, accept */
#include "pki_cli/cmds.h"

#include "base/clock.h"
#include "pki_cli/cells.h"
#include "store/acted.h"
#include "store/grace.h"

#include <stdio.h>
#include <string.h>

enum { ARGS_MAX = 1024 };

static enum fr_exit check_whose(const struct fr_cli *cli)
{
    if (fr_cli_flag(cli, "all") == (fr_cli_opt(cli, "member") != NULL))
        return fr_cli_usage(cli, "give one of --all and --member ID");
    return FR_EXIT_OK;
}

static const char *whose(const struct fr_cli *cli)
{
    return fr_cli_flag(cli, "all") ? "everybody" : fr_cli_opt(cli, "member");
}

/* Asks for the change and prints what came of it by `say`. */
static enum fr_exit change(struct fr_cli *cli, const char *op, struct fr_buf *args,
                           void (*say)(struct fr_cli *cli, const struct fr_admin_reply *reply))
{
    struct fr_diag diag = {0};
    struct fr_admin_reply *reply = NULL;
    enum fr_exit result = FR_EXIT_OK;
    enum fr_err err = fr_session_change(cli, op, args, (struct fr_span){0}, &diag, &reply);

    if (err) {
        result = fr_cli_fail(cli, err, &diag);
    } else {
        fr_session_note_dry_run(cli);
        if (fr_cli_output(cli) == FR_OUTPUT_JSON)
            result = fr_session_print_json(cli, reply);
        else
            say(cli, reply);
    }
    fr_admin_reply_free(reply);
    fr_buf_deinit(args);
    return result;
}

static void put_whose(const struct fr_cli *cli, struct fr_json *json)
{
    fr_session_put_opt(cli, json, "member", "member");
    if (fr_cli_flag(cli, "all")) fr_json_put_bool(json, "all", true);
}

/* --- grace open, close --- */

static void say_opened(struct fr_cli *cli, const struct fr_admin_reply *reply)
{
    fprintf(fr_cli_out(cli),
            "until %s expired certificates of %s can be renewed with their own key\n",
            fr_admin_reply_text(reply, "until"), whose(cli));
}

enum fr_exit fr_cmd_grace_open(struct fr_cli *cli)
{
    struct fr_buf args = FR_BUF_INIT(ARGS_MAX);
    struct fr_json json = fr_json(&args);
    enum fr_exit result = check_whose(cli);

    if (result != FR_EXIT_OK) return result;
    if (fr_cli_opt(cli, "reason") == NULL)
        return fr_cli_usage(cli, "say why it is opened: --reason TEXT");
    fr_json_object(&json);
    put_whose(cli, &json);
    fr_json_put_str(&json, "until", fr_cli_opt(cli, "until"));
    fr_json_end(&json);
    return change(cli, "grace.open", &args, say_opened);
}

static void say_closed(struct fr_cli *cli, const struct fr_admin_reply *reply)
{
    (void)reply;
    fprintf(fr_cli_out(cli), "the grace of %s is closed\n", whose(cli));
}

enum fr_exit fr_cmd_grace_close(struct fr_cli *cli)
{
    struct fr_buf args = FR_BUF_INIT(ARGS_MAX);
    struct fr_json json = fr_json(&args);
    enum fr_exit result = check_whose(cli);

    if (result != FR_EXIT_OK) return result;
    fr_json_object(&json);
    put_whose(cli, &json);
    fr_json_end(&json);
    return change(cli, "grace.close", &args, say_closed);
}

/* --- grace list --- */

static const struct fr_column GRACE_COLUMNS[] = {
    {.key = "member"}, {.key = "opened"}, {.key = "until"}, {.key = "state"}, {0}};

struct listing {
    struct fr_table *table;
    int64_t now_s;
};

static enum fr_err list_row(void *data, const struct fr_grace_row *row)
{
    struct listing *l = data;

    if (row->member[0] != '\0')
        fr_table_text(l->table, row->member);
    else
        fr_table_none(l->table); /* everybody's */
    fr_cell_time(l->table, row->opened_s);
    fr_cell_time(l->table, row->until_s);
    fr_table_text(l->table, row->until_s >= l->now_s ? "open" : "over");
    return FR_OK;
}

enum fr_exit fr_cmd_grace_list(struct fr_cli *cli)
{
    struct fr_session session = FR_SESSION_INIT;
    struct fr_diag diag = {0};
    struct listing l = {.now_s = fr_clock_real_s(fr_clock_system())};
    enum fr_err err = fr_session_open(cli, &diag, &session);

    if (!err) err = fr_table_new(GRACE_COLUMNS, &l.table);
    if (!err) err = fr_grace_each(session.snap, list_row, &l);
    if (!err) err = fr_table_print(l.table, fr_cli_output(cli), fr_cli_out(cli));
    fr_table_free(l.table);
    fr_session_close(&session);
    return fr_cli_fail(cli, err, &diag);
}

/* --- ca clock --- */

static const struct fr_column CLOCK_COLUMNS[] = {
    {.key = "now"}, {.key = "last"}, {.key = "behind_s"}, {.key = "issues"}, {0}};

enum fr_exit fr_cmd_ca_clock_show(struct fr_cli *cli)
{
    struct fr_session session = FR_SESSION_INIT;
    struct fr_diag diag = {0};
    struct fr_table *t = NULL;
    const int64_t now_s = fr_clock_real_s(fr_clock_system());
    int64_t acted_s = 0;
    enum fr_err err = fr_session_open(cli, &diag, &session);

    if (!err) err = fr_acted_get(session.snap, &acted_s);
    if (!err) err = fr_table_new(CLOCK_COLUMNS, &t);
    if (!err) {
        fr_cell_time(t, now_s);
        fr_cell_time(t, acted_s);
        fr_table_uint(t, acted_s > now_s ? (uint64_t)(acted_s - now_s) : 0);
        fr_table_bool(t, now_s >= acted_s - FR_CLOCK_BACK_S);
        err = fr_table_print_record(t, fr_cli_output(cli), fr_cli_out(cli));
    }
    fr_table_free(t);
    fr_session_close(&session);
    return fr_cli_fail(cli, err, &diag);
}

static void say_accepted(struct fr_cli *cli, const struct fr_admin_reply *reply)
{
    if (fr_admin_reply_bool(reply, "changed"))
        fprintf(fr_cli_out(cli), "the time is %s: what was done later, until %s, is forgotten\n",
                fr_admin_reply_text(reply, "now"), fr_admin_reply_text(reply, "last"));
    else
        fprintf(fr_cli_out(cli), "the clock is not behind\n");
}

enum fr_exit fr_cmd_ca_clock_accept(struct fr_cli *cli)
{
    struct fr_buf args = FR_BUF_INIT(ARGS_MAX);

    if (fr_cli_opt(cli, "reason") == NULL)
        return fr_cli_usage(cli, "say why this time is right: --reason TEXT");
    fr_buf_add_str(&args, "{}");
    return change(cli, "clock.accept", &args, say_accepted);
}
