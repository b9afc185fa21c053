/* fedroam member probe */
#include "pki_cli/cmds.h"

#include "admin/inquiry.h"
#include "base/json_out.h"
#include "base/table.h"
#include "session/session.h"

#include <stdio.h>
#include <string.h>

enum { ARGS_MAX = 256, STEP_PATH_MAX = 96 };

static const struct fr_column COLUMNS[] = {
    {.key = "member"},
    {.key = "netid"},
    {.key = "endpoint"},
    {.key = "result"},
    {.key = "ms", .is_right = true},
    {.key = "step"},
    {.key = "seen"},
    {0},
};

struct showing {
    const struct fr_cli *cli;
    const struct fr_admin_reply *reply;
    struct fr_table *table;
    size_t n_wrong;
};

static bool join_path(char out[STEP_PATH_MAX], const char *path, const char *key)
{
    const int n = snprintf(out, STEP_PATH_MAX, "%s.%s", path, key);
    return n > 0 && n < STEP_PATH_MAX;
}

static const char *text_at(const struct showing *s, const char *path, const char *key)
{
    char whole[STEP_PATH_MAX];
    return join_path(whole, path, key) ? fr_admin_reply_text(s->reply, whole) : NULL;
}

static size_t count_at(const struct showing *s, const char *path, const char *key)
{
    char whole[STEP_PATH_MAX];
    return join_path(whole, path, key) ? fr_admin_reply_count(s->reply, whole) : 0;
}

/* The step that is wrong, and on stderr what to do. */
static void put_steps(struct showing *s, const char *path)
{
    char step[STEP_PATH_MAX], key[32];
    const size_t n = count_at(s, path, "steps");

    for (size_t i = 0; i < n; i++) {
        (void)snprintf(key, sizeof key, "steps.%zu", i);
        if (!join_path(step, path, key)) break;
        const char *state = text_at(s, step, "state");
        if (!state || strcmp(state, "wrong") != 0) continue;
        s->n_wrong++;
        fr_table_text(s->table, text_at(s, step, "step"));
        fr_table_text(s->table, text_at(s, step, "seen"));
        fr_cli_note(s->cli, "%s: %s", text_at(s, path, "endpoint"), text_at(s, step, "todo"));
        return;
    }
    fr_table_none(s->table);
    fr_table_none(s->table);
}

static void put_member(struct showing *s, size_t at)
{
    char path[STEP_PATH_MAX], end[STEP_PATH_MAX], ms[STEP_PATH_MAX];

    (void)snprintf(path, sizeof path, "probes.%zu", at);
    const char *member = text_at(s, path, "member"), *error = text_at(s, path, "error");
    const size_t n = count_at(s, path, "endpoints");
    if (n == 0) { /* none, or it failed */
        fr_table_text(s->table, member);
        fr_table_none(s->table);
        fr_table_none(s->table);
        fr_table_text(s->table, text_at(s, path, "result"));
        fr_table_none(s->table);
        fr_table_none(s->table);
        fr_table_text(s->table, error ? error : "it has no endpoint");
        if (error) s->n_wrong++;
    }
    for (size_t i = 0; i < n; i++) {
        (void)snprintf(end, sizeof end, "probes.%zu.endpoints.%zu", at, i);
        (void)snprintf(ms, sizeof ms, "probes.%zu.endpoints.%zu.ms", at, i);
        fr_table_text(s->table, member);
        fr_table_text(s->table, text_at(s, end, "netid"));
        fr_table_text(s->table, text_at(s, end, "endpoint"));
        fr_table_text(s->table, text_at(s, end, "result"));
        fr_table_uint(s->table, fr_admin_reply_uint(s->reply, ms, 0));
        put_steps(s, end);
    }
}

static enum fr_err ask(const struct fr_cli *cli, const char *id, struct fr_diag *diag,
                       struct fr_admin_reply **out)
{
    struct fr_buf args = FR_BUF_INIT(ARGS_MAX);
    struct fr_json json = fr_json(&args);
    char dir[FR_STATE_DIR_MAX];

    fr_json_object(&json);
    if (id) {
        fr_json_key(&json, "members");
        fr_json_array(&json);
        fr_json_str(&json, id);
        fr_json_end(&json);
    }
    fr_json_end(&json);
    enum fr_err err = fr_buf_err(&args);
    if (err == FR_E_LIMIT) err = fr_diag_fail(diag, FR_E_NOT_FOUND, "there is no such member");
    if (!err) err = fr_session_find(cli, diag, dir);
    const struct fr_admin_request request = {.op = "member.probe", .args = fr_buf_str(&args)};
    if (!err) err = fr_admin_ask(dir, &request, diag, out);
    fr_buf_deinit(&args);
    return err;
}

enum fr_exit fr_cmd_member_probe(struct fr_cli *cli)
{
    const char *id = fr_cli_n_args(cli) > 0 ? fr_cli_arg(cli, 0) : NULL;
    struct fr_admin_reply *reply = NULL;
    struct fr_diag diag = {0};
    struct showing s = {.cli = cli};

    if (!id == !fr_cli_flag(cli, "all")) return fr_cli_usage(cli, "give a member, or --all");
    enum fr_err err = ask(cli, id, &diag, &reply);
    s.reply = reply;
    if (!err && id && fr_admin_reply_text(reply, "probes.0.error"))
        err =
            fr_diag_fail(&diag, FR_E_NOT_FOUND, "%s", fr_admin_reply_text(reply, "probes.0.error"));
    if (!err) err = fr_table_new(COLUMNS, &s.table);
    const size_t n = err ? 0 : fr_admin_reply_count(reply, "probes");
    for (size_t i = 0; i < n; i++) put_member(&s, i);
    if (!err && fr_cli_output(cli) == FR_OUTPUT_JSON) {
        const enum fr_exit code = fr_session_print_json(cli, reply);
        if (code != FR_EXIT_OK) err = FR_E_IO;
    } else if (!err) {
        err = fr_table_print(s.table, fr_cli_output(cli), fr_cli_out(cli));
    }
    fr_table_free(s.table);
    fr_admin_reply_free(reply);
    if (err) return fr_cli_fail(cli, err, &diag);
    return s.n_wrong > 0 ? FR_EXIT_WARNINGS : FR_EXIT_OK;
}
