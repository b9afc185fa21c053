/* fedroam cert adopt, and cert list --unknown */
#include "pki_cli/cmds.h"

#include "base/table.h"
#include "pki_cli/cells.h"
#include "store/unknown.h"
#include "x509/cert.h"

#include <stdio.h>

enum { ARGS_MAX = 4096 };

/* --- list --- */

static const struct fr_column COLUMNS[] = {
    {.key = "serial"}, {.key = "subject"}, {.key = "not_before"},   {.key = "not_after"},
    {.key = "seen"},   {.key = "sha256"},  {.key = "after_backup"}, {0},
};

struct listing {
    struct fr_snap *snap;
    struct fr_table *table;
};

static enum fr_err list_row(void *data, const struct fr_unknown_row *row)
{
    struct listing *l = data;
    bool is_after = false;
    enum fr_err err = fr_unknown_is_after_backup(l->snap, row->not_before_s, &is_after);

    if (err) return err;
    fr_cell_hex(l->table, row->serial, sizeof row->serial);
    fr_table_text(l->table, row->subject);
    fr_cell_time(l->table, row->not_before_s);
    fr_cell_time(l->table, row->not_after_s);
    fr_cell_time(l->table, row->seen_s);
    fr_cell_hex(l->table, row->sha256, sizeof row->sha256);
    fr_table_bool(l->table, is_after);
    return FR_OK;
}

enum fr_exit fr_cert_list_unknown(struct fr_cli *cli)
{
    struct fr_session session = FR_SESSION_INIT;
    struct fr_diag diag = {0};
    struct listing l = {0};
    enum fr_err err = fr_session_open(cli, &diag, &session);

    l.snap = session.snap;
    if (!err) err = fr_table_new(COLUMNS, &l.table);
    if (!err) err = fr_unknown_each(session.snap, list_row, &l);
    if (!err) err = fr_table_print(l.table, fr_cli_output(cli), fr_cli_out(cli));
    fr_table_free(l.table);
    fr_session_close(&session);
    return fr_cli_fail(cli, err, &diag);
}

/* --- adopt --- */

/* The first certificate of a PEM file: a chain begins with its leaf. */
static enum fr_err read_leaf(const char *path, struct fr_diag *diag, struct fr_buf *der)
{
    struct fr_chain *chain = NULL;
    enum fr_err err = fr_chain_load(path, diag, &chain);

    if (!err) err = fr_cert_write_der(fr_chain_at(chain, 0), der);
    fr_chain_free(chain);
    return err;
}

static void write_args(const struct fr_cli *cli, struct fr_buf *args)
{
    struct fr_json json = fr_json(args);

    fr_json_object(&json);
    fr_session_put_opt(cli, &json, "serial", "serial");
    fr_session_put_opts(cli, &json, "right", "rights");
    fr_json_end(&json);
}

static void print_adopted(const struct fr_cli *cli, const struct fr_admin_reply *reply)
{
    const size_t n = fr_admin_reply_count(reply, "rights");

    fprintf(fr_cli_out(cli), "%s %s %s %s of %s, until %s, rights:",
            fr_admin_reply_bool(reply, "changed") ? "adopted" : "known already:",
            fr_admin_reply_text(reply, "serial"), fr_admin_reply_text(reply, "profile"),
            fr_admin_reply_text(reply, "id"), fr_admin_reply_text(reply, "member"),
            fr_admin_reply_text(reply, "not_after"));
    for (size_t i = 0; i < n; i++) {
        char path[32];
        (void)snprintf(path, sizeof path, "rights.%zu", i);
        fprintf(fr_cli_out(cli), " %s", fr_admin_reply_text(reply, path));
    }
    fprintf(fr_cli_out(cli), "%s\n", n == 0 ? " none" : "");
}

enum fr_exit fr_cmd_cert_adopt(struct fr_cli *cli)
{
    struct fr_buf args = FR_BUF_INIT(ARGS_MAX), der = FR_BUF_INIT(FR_CERT_MAX);
    struct fr_diag diag = {0};
    struct fr_admin_reply *reply = NULL;
    enum fr_exit result = FR_EXIT_OK;

    if ((fr_cli_n_args(cli) == 1) == (fr_cli_opt(cli, "serial") != NULL))
        return fr_cli_usage(cli, "give one of FILE and --serial");
    write_args(cli, &args);
    enum fr_err err = fr_cli_n_args(cli) == 1 ? read_leaf(fr_cli_arg(cli, 0), &diag, &der) : FR_OK;
    if (!err) err = fr_session_change(cli, "cert.adopt", &args, fr_buf_span(&der), &diag, &reply);
    if (err) {
        result = fr_cli_fail(cli, err, &diag);
    } else {
        fr_session_note_dry_run(cli);
        if (fr_cli_output(cli) == FR_OUTPUT_JSON)
            result = fr_session_print_json(cli, reply);
        else
            print_adopted(cli, reply);
    }
    fr_admin_reply_free(reply);
    fr_buf_deinit(&der);
    fr_buf_deinit(&args);
    return result;
}
