/* fedroam token create, list, revoke, approve */
#include "pki_cli/cmds.h"

#include "base/clock.h"
#include "base/parse.h"
#include "ca/token.h"
#include "names/netid.h"
#include "pki_cli/cells.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { ARGS_MAX = 4096 };

/* --- create --- */

/* "ns,doh" as a list of texts. */
static void put_words(const struct fr_cli *cli, struct fr_json *json, const char *option,
                      const char *key)
{
    struct fr_span rest = fr_span_str(fr_cli_opt(cli, option)), word;

    if (fr_cli_opt(cli, option) == NULL) return;
    fr_json_key(json, key);
    fr_json_array(json);
    do {
        (void)fr_span_cut(rest, ',', &word, &rest);
        fr_json_span(json, fr_span_trim(word));
    } while (rest.n > 0);
    fr_json_end(json);
}

static enum fr_err put_life(const struct fr_cli *cli, struct fr_json *json, struct fr_diag *diag)
{
    const char *ttl = fr_cli_opt(cli, "ttl");
    uint64_t ms = 0;

    if (ttl == NULL) return FR_OK;
    if (fr_parse_duration_ms(fr_span_str(ttl), 1000, UINT64_C(1) << 40, &ms) != FR_OK)
        return fr_diag_fail(diag, FR_E_USAGE, "%s is not a time, as in 72h", ttl);
    fr_json_put_uint(json, "ttl_s", ms / 1000);
    return FR_OK;
}

static void print_created(const struct fr_cli *cli, const struct fr_admin_reply *reply)
{
    const char *token = fr_admin_reply_text(reply, "token");

    if (token == NULL) return; /* a trial run */
    fprintf(fr_cli_out(cli), "%s\n", token);
    fr_cli_note(cli, "token %s for member %s, good until %s: this is the only time it is shown",
                fr_admin_reply_text(reply, "id"), fr_admin_reply_text(reply, "member"),
                fr_admin_reply_text(reply, "expires"));
}

enum fr_exit fr_cmd_token_create(struct fr_cli *cli)
{
    struct fr_buf args = FR_BUF_INIT(ARGS_MAX);
    struct fr_json json = fr_json(&args);
    struct fr_diag diag = {0};
    struct fr_admin_reply *reply = NULL;
    enum fr_exit result = FR_EXIT_OK;

    fr_json_object(&json);
    fr_session_put_opt(cli, &json, "member", "member");
    put_words(cli, &json, "profile", "profiles");
    put_words(cli, &json, "rights", "rights");
    fr_session_put_opt(cli, &json, "netid", "netid");
    fr_session_put_opt(cli, &json, "joineui", "joineui");
    fr_session_put_opt(cli, &json, "host", "host");
    if (fr_cli_flag(cli, "approval")) fr_json_put_bool(&json, "approval", true);
    enum fr_err err = put_life(cli, &json, &diag);
    fr_json_end(&json);
    if (!err)
        err = fr_session_change(cli, "token.create", &args, (struct fr_span){0}, &diag, &reply);
    if (err) {
        result = fr_cli_fail(cli, err, &diag);
    } else {
        fr_session_note_dry_run(cli);
        if (fr_cli_output(cli) == FR_OUTPUT_JSON)
            result = fr_session_print_json(cli, reply);
        else
            print_created(cli, reply);
    }
    fr_admin_reply_free(reply);
    fr_buf_deinit(&args);
    return result;
}

/* --- list --- */

static const struct fr_column COLUMNS[] = {
    {.key = "id"},       {.key = "state"},   {.key = "member"},
    {.key = "profiles"}, {.key = "netid"},   {.key = "host"},
    {.key = "used"},     {.key = "expires"}, {0},
};

struct listing {
    struct fr_table *table;
    int64_t now_s;
    const char *member;
    bool all;
};

static size_t count_slots(const struct fr_token_row *row, enum fr_slot_state state)
{
    size_t n = 0;

    for (uint8_t i = 0; i < row->n_slots; i++) n += row->slots[i].state == state;
    return n;
}

static const char *state_of(const struct fr_token_row *row, int64_t now_s)
{
    if (row->is_revoked) return "revoked";
    if (count_slots(row, FR_SLOT_USED) == row->n_slots) return "used";
    if (row->expires_s < now_s) return "over";
    return count_slots(row, FR_SLOT_WAITING) > 0 ? "waiting" : "open";
}

static void put_text(struct fr_table *t, const char *text)
{
    if (text[0] != '\0')
        fr_table_text(t, text);
    else
        fr_table_none(t);
}

static enum fr_err list_row(void *data, const struct fr_token_row *row)
{
    const struct listing *l = data;
    const char *state = state_of(row, l->now_s);
    const char *profiles[FR_TOKEN_SLOTS_MAX];
    char netid[FR_NETID_TEXT] = "";

    if (l->member != NULL && strcmp(row->member, l->member) != 0) return FR_OK;
    if (!l->all && strcmp(state, "open") != 0 && strcmp(state, "waiting") != 0) return FR_OK;
    for (uint8_t i = 0; i < row->n_slots; i++) profiles[i] = fr_profile_text(row->slots[i].profile);
    if (row->netid != 0) fr_netid_print(row->netid, netid);
    fr_cell_hex(l->table, row->id, sizeof row->id);
    fr_table_text(l->table, state);
    fr_table_text(l->table, row->member);
    fr_table_texts(l->table, profiles, row->n_slots);
    put_text(l->table, netid);
    put_text(l->table, row->host);
    fr_table_uint(l->table, count_slots(row, FR_SLOT_USED));
    fr_cell_time(l->table, row->expires_s);
    return FR_OK;
}

enum fr_exit fr_cmd_token_list(struct fr_cli *cli)
{
    struct fr_session session = FR_SESSION_INIT;
    struct fr_diag diag = {0};
    struct listing l = {.now_s = fr_clock_real_s(fr_clock_system()),
                        .member = fr_cli_opt(cli, "member"),
                        .all = fr_cli_flag(cli, "all")};
    enum fr_err err = fr_session_open(cli, &diag, &session);

    if (!err) err = fr_table_new(COLUMNS, &l.table);
    if (!err) err = fr_token_each(session.snap, list_row, &l);
    if (!err) err = fr_table_print(l.table, fr_cli_output(cli), fr_cli_out(cli));
    fr_table_free(l.table);
    fr_session_close(&session);
    return fr_cli_fail(cli, err, &diag);
}

/* --- revoke, approve --- */

static enum fr_exit change_one(struct fr_cli *cli, const char *op, const char *done,
                               const char *not_done)
{
    struct fr_buf args = FR_BUF_INIT(ARGS_MAX);
    struct fr_json json = fr_json(&args);
    struct fr_diag diag = {0};
    struct fr_admin_reply *reply = NULL;
    enum fr_exit result = FR_EXIT_OK;

    fr_json_object(&json);
    fr_json_put_str(&json, "id", fr_cli_arg(cli, 0));
    fr_json_end(&json);
    enum fr_err err = fr_session_change(cli, op, &args, (struct fr_span){0}, &diag, &reply);
    if (err) {
        result = fr_cli_fail(cli, err, &diag);
    } else {
        fr_session_note_dry_run(cli);
        if (fr_cli_output(cli) == FR_OUTPUT_JSON)
            result = fr_session_print_json(cli, reply);
        else
            fprintf(fr_cli_out(cli), "%s\n",
                    fr_admin_reply_bool(reply, "changed") ? done : not_done);
    }
    fr_admin_reply_free(reply);
    fr_buf_deinit(&args);
    return result;
}

enum fr_exit fr_cmd_token_revoke(struct fr_cli *cli)
{
    return change_one(cli, "token.revoke", "revoked", "unchanged: it was revoked before");
}

enum fr_exit fr_cmd_token_approve(struct fr_cli *cli)
{
    return change_one(cli, "token.approve", "approved", "unchanged: no request waits");
}
