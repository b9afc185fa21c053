/* fedroam approval list, show, approve, refuse */
#include "pki_cli/cmds.h"

#include "base/clock.h"
#include "base/hex.h"
#include "pki_cli/cells.h"
#include "store/approval.h"

#include <stdio.h>
#include <string.h>

enum { ARGS_MAX = 1024, DIGEST_TEXT = 2 * FR_DIGEST_SIZE + 1 };

static const char *state_of(const struct fr_approval_row *row, int64_t now_s)
{
    const bool is_over = row->state <= FR_APPROVAL_AGREED && !fr_approval_is_open(row, now_s);

    return is_over ? "over" : fr_approval_state_text(row->state);
}

static unsigned missing(const struct fr_approval_row *row)
{
    return row->state == FR_APPROVAL_WAITING ? row->needed - 1u - row->n : 0;
}

static void put_text(struct fr_table *t, const char *text)
{
    fr_table_text(t, text[0] != '\0' ? text : NULL);
}

/* --- list --- */

static const struct fr_column LIST_COLUMNS[] = {
    {.key = "id"},      {.key = "state"},     {.key = "missing", .is_right = true},
    {.key = "op"},      {.key = "who"},       {.key = "asked"},
    {.key = "expires"}, {.key = "arguments"}, {0},
};

struct listing {
    struct fr_table *table;
    int64_t now_s;
    bool all;
};

static enum fr_err list_row(void *data, const struct fr_approval_row *row)
{
    const struct listing *l = data;

    if (!l->all && !fr_approval_is_open(row, l->now_s)) return FR_OK;
    fr_cell_hex(l->table, row->id, sizeof row->id);
    fr_table_text(l->table, state_of(row, l->now_s));
    fr_table_uint(l->table, missing(row));
    fr_table_text(l->table, row->op);
    put_text(l->table, row->person);
    fr_cell_time(l->table, row->asked_s);
    fr_cell_time(l->table, row->expires_s);
    fr_table_text(l->table, row->args);
    return FR_OK;
}

enum fr_exit fr_cmd_approval_list(struct fr_cli *cli)
{
    struct fr_session session = FR_SESSION_INIT;
    struct fr_diag diag = {0};
    struct listing l = {.now_s = fr_clock_real_s(fr_clock_system()),
                        .all = fr_cli_flag(cli, "all")};
    enum fr_err err = fr_session_open(cli, &diag, &session);

    if (!err) err = fr_table_new(LIST_COLUMNS, &l.table);
    if (!err) err = fr_approval_each(session.snap, list_row, &l);
    if (!err) err = fr_table_print(l.table, fr_cli_output(cli), fr_cli_out(cli));
    fr_table_free(l.table);
    fr_session_close(&session);
    return fr_cli_fail(cli, err, &diag);
}

/* --- show --- */

static enum fr_err get(struct fr_cli *cli, struct fr_diag *diag, struct fr_approval_row *out)
{
    struct fr_session session = FR_SESSION_INIT;
    uint8_t id[FR_APPROVAL_ID_SIZE];
    const char *text = fr_cli_arg(cli, 0);

    if (fr_hex_parse(fr_span_str(text), id, sizeof id))
        return fr_diag_fail(diag, FR_E_USAGE,
                            "\"%s\" is not the number of a request: 8 hexadecimal digits", text);
    enum fr_err err = fr_session_open(cli, diag, &session);
    if (!err) err = fr_approval_get(session.snap, id, out);
    if (err == FR_E_NOT_FOUND && diag->what[0] == '\0')
        (void)fr_diag_fail(diag, err, "there is no request %s", text);
    fr_session_close(&session);
    return err;
}

static const struct fr_column SHOW_COLUMNS[] = {
    {.key = "id"},
    {.key = "state"},
    {.key = "op"},
    {.key = "arguments"},
    {.key = "digest"},
    {.key = "reason"},
    {.key = "who"},
    {.key = "as"},
    {.key = "asked"},
    {.key = "expires"},
    {.key = "needed"},
    {.key = "missing"},
    {.key = "approved"},
    {.key = "closed"},
    {.key = "closer"},
    {.key = "why"},
    {0},
};

static enum fr_err print_row(const struct fr_cli *cli, const struct fr_approval_row *row)
{
    struct fr_table *t = NULL;
    const char *by[FR_APPROVAL_PERSONS_MAX];
    enum fr_err err = fr_table_new(SHOW_COLUMNS, &t);

    if (err) return err;
    for (uint8_t i = 0; i < row->n; i++) by[i] = row->by[i].person;
    fr_cell_hex(t, row->id, sizeof row->id);
    fr_table_text(t, state_of(row, fr_clock_real_s(fr_clock_system())));
    fr_table_text(t, row->op);
    fr_table_text(t, row->args);
    fr_cell_hex(t, row->digest, sizeof row->digest);
    put_text(t, row->reason);
    put_text(t, row->person);
    fr_table_text(t, row->asker);
    fr_cell_time(t, row->asked_s);
    fr_cell_time(t, row->expires_s);
    fr_table_uint(t, row->needed);
    fr_table_uint(t, missing(row));
    fr_table_texts(t, by, row->n);
    fr_cell_time(t, row->closed_s);
    put_text(t, row->closer);
    put_text(t, row->why);
    err = fr_table_print_record(t, fr_cli_output(cli), fr_cli_out(cli));
    fr_table_free(t);
    return err;
}

enum fr_exit fr_cmd_approval_show(struct fr_cli *cli)
{
    struct fr_approval_row row;
    struct fr_diag diag = {0};
    enum fr_err err = get(cli, &diag, &row);

    if (!err) err = print_row(cli, &row);
    return fr_cli_fail(cli, err, &diag);
}

/* --- approve, refuse --- */

static enum fr_exit change(struct fr_cli *cli, const char *op, const char *digest,
                           void (*say)(struct fr_cli *cli, const struct fr_admin_reply *reply))
{
    struct fr_buf args = FR_BUF_INIT(ARGS_MAX);
    struct fr_json json = fr_json(&args);
    struct fr_admin_reply *reply = NULL;
    struct fr_diag diag = {0};
    enum fr_exit result = FR_EXIT_OK;

    fr_json_object(&json);
    fr_json_put_str(&json, "id", fr_cli_arg(cli, 0));
    if (digest != NULL) fr_json_put_str(&json, "digest", digest);
    fr_json_end(&json);
    enum fr_err err = fr_session_change(cli, op, &args, (struct fr_span){0}, &diag, &reply);
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
    fr_buf_deinit(&args);
    return result;
}

static void say_approved(struct fr_cli *cli, const struct fr_admin_reply *reply)
{
    const char *state = fr_admin_reply_text(reply, "state"), *op = fr_admin_reply_text(reply, "op");
    FILE *out = fr_cli_out(cli);

    if (strcmp(state, "done") == 0)
        fprintf(out, "approved: %s is done\n", op);
    else if (strcmp(state, "agreed") == 0)
        fprintf(out, "approved: %s now gives the same command (%s) again\n",
                fr_admin_reply_text(reply, "asker"), op);
    else
        fprintf(out, "approved: %s waits for %u more\n", op,
                (unsigned)fr_admin_reply_uint(reply, "missing", 0));
}

enum fr_exit fr_cmd_approval_approve(struct fr_cli *cli)
{
    struct fr_approval_row row;
    struct fr_diag diag = {0};
    char digest[DIGEST_TEXT];
    enum fr_exit code = FR_EXIT_OK;
    enum fr_err err = get(cli, &diag, &row);

    if (err) return fr_cli_fail(cli, err, &diag);
    /* What is told here is what is approved: its digest goes along. */
    fr_hex_print(row.digest, sizeof row.digest, digest);
    fr_cli_note(cli, "%s (as %s) asks for %s %s", row.person, row.asker, row.op, row.args);
    if (row.reason[0] != '\0') fr_cli_note(cli, "reason: %s", row.reason);
    fr_cli_note(cli, "digest: %s", digest);
    if (!fr_cli_flag(cli, "dry-run"))
        code = fr_cli_confirm(cli, "Approve that %s does this?", row.person);
    if (code != FR_EXIT_OK) return code;
    return change(cli, "approval.approve", digest, say_approved);
}

static void say_refused(struct fr_cli *cli, const struct fr_admin_reply *reply)
{
    (void)reply;
    fprintf(fr_cli_out(cli), "refused\n");
}

enum fr_exit fr_cmd_approval_refuse(struct fr_cli *cli)
{
    return change(cli, "approval.refuse", NULL, say_refused);
}
