/* fedroam ca crl show, publish, install */
#include "pki_cli/cmds.h"

#include "base/clock.h"
#include "ca/crl.h"
#include "pki_cli/cells.h"
#include "store/authority.h"

#include <stdio.h>

static const struct fr_column COLUMNS[] = {
    {.key = "name"},        {.key = "file"},        {.key = "number"}, {.key = "entries"},
    {.key = "this_update"}, {.key = "next_update"}, {.key = "state"},  {0},
};

/* The root's is made at ceremonies; the others by the broker, each hour. */
static const char *state_of(const struct fr_authority_row *row, const struct fr_crl_fields *list,
                            int64_t now_s)
{
    if (list->next_update_s <= now_s) return "over";
    if (row->kind == FR_AUTHORITY_ROOT || row->state == FR_AUTHORITY_REVOKED) return "fresh";
    return now_s - list->this_update_s > 2 * FR_CRL_REFRESH_S ? "late" : "fresh";
}

struct showing {
    const char *dir;
    int64_t now_s;
    struct fr_table *table;
    size_t n;
};

/* A list that is not there (yet, or never: of a CA that has signed nothing) is no row. */
static enum fr_err put_list(void *data, const struct fr_authority_row *row)
{
    struct showing *s = data;
    struct fr_crl_fields list;
    char path[FR_CRL_PATH_MAX];
    enum fr_err err = fr_crl_load(s->dir, row->name, NULL, &list);

    if (!err) err = fr_crl_path(s->dir, row->name, path);
    if (err == FR_E_NOT_FOUND) return FR_OK;
    if (err) return err;
    fr_table_text(s->table, row->name);
    fr_table_text(s->table, path);
    fr_table_uint(s->table, list.number);
    fr_table_uint(s->table, list.entries);
    fr_cell_time(s->table, list.this_update_s);
    fr_cell_time(s->table, list.next_update_s);
    fr_table_text(s->table, state_of(row, &list, s->now_s));
    s->n++;
    return FR_OK;
}

enum fr_exit fr_cmd_ca_crl_show(struct fr_cli *cli)
{
    struct fr_session session = FR_SESSION_INIT;
    struct fr_diag diag = {0};
    struct showing s = {.dir = session.dir, .now_s = fr_clock_real_s(fr_clock_system())};
    enum fr_err err = fr_session_open(cli, &diag, &session);

    if (!err) err = fr_table_new(COLUMNS, &s.table);
    if (!err) err = fr_authority_each(session.snap, put_list, &s);
    if (!err && s.n == 0) {
        err = fr_diag_fail(&diag, FR_E_NOT_FOUND, "there is no revocation list yet");
        fr_diag_hint(&diag, "fedroam ca crl publish");
    }
    if (!err) err = fr_table_print(s.table, fr_cli_output(cli), fr_cli_out(cli));
    fr_table_free(s.table);
    fr_session_close(&session);
    return fr_cli_fail(cli, err, &diag);
}

static void print_published(const struct fr_cli *cli, const struct fr_admin_reply *reply)
{
    char name[64], number[64], entries[64];

    for (size_t i = 0; i < fr_admin_reply_count(reply, "lists"); i++) {
        (void)snprintf(name, sizeof name, "lists.%zu.name", i);
        (void)snprintf(number, sizeof number, "lists.%zu.number", i);
        (void)snprintf(entries, sizeof entries, "lists.%zu.entries", i);
        fprintf(fr_cli_out(cli), "%s: list %llu with %llu entries\n",
                fr_admin_reply_text(reply, name),
                (unsigned long long)fr_admin_reply_uint(reply, number, 0),
                (unsigned long long)fr_admin_reply_uint(reply, entries, 0));
    }
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
            print_published(cli, reply);
    }
    fr_admin_reply_free(reply);
    fr_buf_deinit(&args);
    return result;
}
