/* fedroam notify list, ack, test */
#include "pki_cli/cmds.h"

#include "admin/inquiry.h"
#include "base/mem.h"
#include "base/table.h"
#include "pki_cli/cells.h"
#include "store/notice.h"

#include <stdio.h>
#include <string.h>

enum { ARGS_MAX = 65536 };

/* --- notify list --- */

static const struct fr_column TEXT_COLUMNS[] = {
    {.key = "id"},   {.key = "level"}, {.key = "stage"}, {.key = "since"},
    {.key = "told"}, {.key = "acked"}, {.key = "what"},  {0}};

static const struct fr_column JSON_COLUMNS[] = {{.key = "id"},        {.key = "level"},
                                                {.key = "stage"},     {.key = "since"},
                                                {.key = "told"},      {.key = "acked"},
                                                {.key = "what"},      {.key = "mend"},
                                                {.key = "until"},     {.key = "begun"},
                                                {.key = "told_last"}, {.key = "acked_by"},
                                                {.key = "why"},       {0}};

struct listing {
    struct fr_table *table;
    bool is_text, is_open_only;
};

static void put_told(struct fr_table *table, uint8_t told)
{
    const char *words[2];
    size_t n = 0;

    if (told & FR_NOTICE_BY_EXEC) words[n++] = "exec";
    if (told & FR_NOTICE_BY_POST) words[n++] = "post";
    fr_table_texts(table, words, n);
}

static enum fr_err list_row(void *data, const struct fr_notice_row *row)
{
    const struct listing *l = data;

    if (l->is_open_only && row->acked_s > 0) return FR_OK;
    fr_table_text(l->table, row->id);
    fr_table_text(l->table, fr_notice_level_text(row->level));
    fr_table_text(l->table, fr_notice_stage_text(row->stage));
    fr_cell_time(l->table, row->since_s);
    put_told(l->table, row->told);
    fr_cell_time(l->table, row->acked_s);
    fr_table_text(l->table, row->what);
    if (l->is_text) return FR_OK;
    fr_table_text(l->table, row->mend[0] != '\0' ? row->mend : NULL);
    fr_cell_time(l->table, row->until_s);
    fr_cell_time(l->table, row->begun_s);
    fr_cell_time(l->table, row->told_s);
    fr_table_text(l->table, row->acked_s > 0 ? row->acked_by : NULL);
    fr_table_text(l->table, row->acked_s > 0 ? row->acked_why : NULL);
    return FR_OK;
}

enum fr_exit fr_cmd_notify_list(struct fr_cli *cli)
{
    struct fr_session session = FR_SESSION_INIT;
    struct fr_diag diag = {0};
    struct listing l = {.is_text = fr_cli_output(cli) == FR_OUTPUT_TEXT,
                        .is_open_only = fr_cli_flag(cli, "open")};
    enum fr_err err = fr_session_open(cli, &diag, &session);

    if (!err) err = fr_table_new(l.is_text ? TEXT_COLUMNS : JSON_COLUMNS, &l.table);
    if (!err) err = fr_notice_each(session.snap, list_row, &l);
    if (!err) err = fr_table_print(l.table, fr_cli_output(cli), fr_cli_out(cli));
    fr_table_free(l.table);
    fr_session_close(&session);
    return fr_cli_fail(cli, err, &diag);
}

/* --- notify ack --- */

static void write_ids(const struct fr_cli *cli, struct fr_buf *args)
{
    struct fr_json json = fr_json(args);

    fr_json_object(&json);
    if (fr_cli_flag(cli, "all")) {
        fr_json_put_bool(&json, "all", true);
    } else {
        fr_json_key(&json, "ids");
        fr_json_array(&json);
        for (size_t i = 0; i < fr_cli_n_args(cli); i++) fr_json_str(&json, fr_cli_arg(cli, i));
        fr_json_end(&json);
    }
    fr_json_end(&json);
}

/* Of all of them the broker takes some hundred at a time. */
static enum fr_err ack(const struct fr_cli *cli, struct fr_diag *diag, uint64_t *n, bool *more)
{
    struct fr_buf args = FR_BUF_INIT(ARGS_MAX);
    struct fr_admin_reply *reply = NULL;

    write_ids(cli, &args);
    enum fr_err err =
        fr_session_change(cli, "notice.ack", &args, (struct fr_span){0}, diag, &reply);
    if (!err) {
        *n += fr_admin_reply_uint(reply, "acked", 0);
        *more = fr_admin_reply_bool(reply, "more");
    }
    fr_admin_reply_free(reply);
    fr_buf_deinit(&args);
    return err;
}

enum fr_exit fr_cmd_notify_ack(struct fr_cli *cli)
{
    struct fr_diag diag = {0};
    uint64_t n = 0;
    bool more = true;
    enum fr_err err = FR_OK;

    if (fr_cli_flag(cli, "all") == (fr_cli_n_args(cli) > 0))
        return fr_cli_usage(cli, "name notices, or give --all");
    if (fr_cli_opt(cli, "reason") == NULL)
        return fr_cli_usage(cli, "say what is done about it: --reason TEXT");
    while (!err && more) {
        err = ack(cli, &diag, &n, &more);
        if (fr_cli_flag(cli, "dry-run")) more = false;
    }
    if (err) return fr_cli_fail(cli, err, &diag);
    fr_session_note_dry_run(cli);
    if (fr_cli_output(cli) == FR_OUTPUT_JSON)
        fprintf(fr_cli_out(cli), "{\"acked\":%llu}\n", (unsigned long long)n);
    else
        fprintf(fr_cli_out(cli), "%llu acknowledged: quiet until the next stage\n",
                (unsigned long long)n);
    return FR_EXIT_OK;
}

/* --- notify test --- */

static const struct fr_column TEST_COLUMNS[] = {
    {.key = "way"}, {.key = "result"}, {.key = "why"}, {0}};

static size_t put_ways(struct fr_table *table, const struct fr_admin_reply *reply)
{
    const size_t n = fr_admin_reply_count(reply, "ways");
    size_t failed = 0;
    char path[64];

    for (size_t i = 0; i < n; i++) {
        (void)snprintf(path, sizeof path, "ways.%zu.way", i);
        fr_table_text(table, fr_admin_reply_text(reply, path));
        (void)snprintf(path, sizeof path, "ways.%zu.result", i);
        const char *result = fr_admin_reply_text(reply, path);
        fr_table_text(table, result);
        failed += !result || strcmp(result, "taken") != 0;
        (void)snprintf(path, sizeof path, "ways.%zu.why", i);
        fr_table_text(table, fr_admin_reply_text(reply, path));
    }
    return failed;
}

enum fr_exit fr_cmd_notify_test(struct fr_cli *cli)
{
    const struct fr_admin_request request = {.op = "notify.test"};
    struct fr_admin_reply *reply = NULL;
    struct fr_table *table = NULL;
    struct fr_diag diag = {0};
    char dir[FR_STATE_DIR_MAX];
    size_t failed = 0;
    enum fr_err err = fr_session_find(cli, &diag, dir);

    if (!err) err = fr_admin_ask(dir, &request, &diag, &reply);
    if (!err) err = fr_table_new(TEST_COLUMNS, &table);
    if (!err) failed = put_ways(table, reply);
    if (!err) err = fr_table_print(table, fr_cli_output(cli), fr_cli_out(cli));
    fr_table_free(table);
    fr_admin_reply_free(reply);
    if (err) return fr_cli_fail(cli, err, &diag);
    return failed > 0 ? FR_EXIT_WARNINGS : FR_EXIT_OK;
}
