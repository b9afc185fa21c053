/* fedroam ca list, ca show */
#include "pki_cli/cmds.h"

#include "base/clock.h"
#include "base/mem.h"
#include "ca/crl.h"
#include "pki_cli/cells.h"
#include "store/authority.h"
#include "store/cert.h"
#include "x509/key_uri.h"

#include <stdio.h>
#include <string.h>

struct listing {
    const struct fr_session *session;
    struct fr_table *table;
    const char *only; /* name; NULL: all */
    bool is_found;
    int64_t now_s;
};

static const struct fr_column COLUMNS[] = {
    {.key = "name"},
    {.key = "kind"},
    {.key = "state"},
    {.key = "since"},
    {.key = "not_before"},
    {.key = "not_after"},
    {.key = "live", .is_right = true},
    {.key = "last"},
    {.key = "key"},
    {.key = "sha256"},
    {0},
};

static const struct fr_column SHOW_COLUMNS[] = {
    {.key = "name"},        {.key = "kind"},         {.key = "state"},      {.key = "since"},
    {.key = "not_before"},  {.key = "not_after"},    {.key = "live"},       {.key = "last"},
    {.key = "key"},         {.key = "sha256"},       {.key = "serial"},     {.key = "members"},
    {.key = "list_number"}, {.key = "list_entries"}, {.key = "list_until"}, {0},
};

/* Where its key is: "plain" or "locked" in the state directory, or "elsewhere". */
static const char *key_state(const char *dir, const struct fr_authority_row *row)
{
    char path[FR_CA_PATH_MAX];
    bool is_locked = false;
    enum fr_err err = FR_OK;

    if (row->kind == FR_AUTHORITY_ROOT)
        err =
            snprintf(path, sizeof path, "%s/root.key", dir) < (int)sizeof path ? FR_OK : FR_E_LIMIT;
    else
        err = fr_ca_path(dir, row->name, "key", path);
    if (!err) err = fr_key_file_is_locked(path, NULL, &is_locked);
    if (err) return "elsewhere";
    return is_locked ? "locked" : "plain";
}

static enum fr_err put_row(struct listing *l, const struct fr_authority_row *row)
{
    struct fr_table *t = l->table;
    struct fr_authority_load load = {0};
    enum fr_err err = fr_authority_load(l->session->snap, row->name, l->now_s, &load);

    if (err) return err;
    fr_table_text(t, row->name);
    fr_table_text(t, row->kind == FR_AUTHORITY_ROOT ? "root" : "issuing");
    fr_table_text(t, fr_authority_state_text(row->state));
    fr_cell_time(t, row->since_s);
    fr_cell_time(t, row->not_before_s);
    fr_cell_time(t, row->not_after_s);
    if (row->kind == FR_AUTHORITY_ROOT)
        fr_table_none(t);
    else
        fr_table_uint(t, load.live);
    fr_cell_time(t, load.last_s);
    fr_table_text(t, key_state(l->session->dir, row));
    if (row->der_size > 0)
        fr_cell_hex(t, row->sha256, 32);
    else
        fr_table_none(t);
    return FR_OK;
}

static enum fr_err list_one(void *data, const struct fr_authority_row *row)
{
    return put_row(data, row);
}

enum fr_exit fr_cmd_ca_list(struct fr_cli *cli)
{
    struct fr_session session = FR_SESSION_INIT;
    struct fr_diag diag = {0};
    struct listing l = {.session = &session, .now_s = fr_clock_real_s(fr_clock_system())};
    enum fr_err err = fr_session_open(cli, &diag, &session);

    if (!err) err = fr_table_new(COLUMNS, &l.table);
    if (!err) err = fr_authority_each(session.snap, list_one, &l);
    if (!err) err = fr_table_print(l.table, fr_cli_output(cli), fr_cli_out(cli));
    fr_table_free(l.table);
    fr_session_close(&session);
    return fr_cli_fail(cli, err, &diag);
}

/* --- one --- */

enum { MEMBERS_MAX = 200 };

struct below {
    const char *name;
    size_t n;
    char members[MEMBERS_MAX][FR_MEMBER_ID_MAX + 1];
};

/* Whose live certificates hang below; the broker's own is called so. */
static enum fr_err collect_member(void *data, const struct fr_cert_row *row)
{
    struct below *b = data;
    const char *member = row->member[0] != '\0' ? row->member : "(broker)";

    if (row->status == FR_CERT_REVOKED || strcmp(row->authority, b->name) != 0) return FR_OK;
    for (size_t i = 0; i < b->n; i++) {
        if (strcmp(b->members[i], member) == 0) return FR_OK;
    }
    if (b->n < MEMBERS_MAX) (void)snprintf(b->members[b->n++], sizeof b->members[0], "%s", member);
    return FR_OK;
}

static enum fr_err put_members(struct listing *l, const char *name)
{
    struct below *b = fr_calloc(1, sizeof *b);
    const char *texts[MEMBERS_MAX];
    enum fr_err err = b == NULL ? FR_E_NOMEM : FR_OK;

    if (err) return err;
    b->name = name;
    err = fr_cert_row_each_ending(l->session->snap, l->now_s, INT64_MAX, collect_member, b);
    for (size_t i = 0; i < b->n; i++) texts[i] = b->members[i];
    fr_table_texts(l->table, texts, b->n);
    fr_free(b);
    return err;
}

static enum fr_err put_serial(struct listing *l, const struct fr_authority_row *row)
{
    struct fr_cert *cert = NULL;
    struct fr_cert_fields fields;
    enum fr_err err = FR_OK;

    if (row->der_size == 0) {
        fr_table_none(l->table);
        return FR_OK;
    }
    err = fr_cert_parse(fr_span(row->der, row->der_size), &cert);
    if (!err) err = fr_cert_read_fields(cert, &fields);
    if (!err) fr_cell_hex(l->table, fields.serial, fields.serial_len);
    fr_cert_free(cert);
    return err;
}

static void put_list(struct listing *l, const char *name)
{
    struct fr_crl_fields list = {0};

    if (fr_crl_load(l->session->dir, name, NULL, &list) == FR_OK) {
        fr_table_uint(l->table, list.number);
        fr_table_uint(l->table, list.entries);
    } else {
        fr_table_none(l->table);
        fr_table_none(l->table);
    }
    fr_cell_time(l->table, list.next_update_s);
}

static enum fr_err show_one(void *data, const struct fr_authority_row *row)
{
    struct listing *l = data;

    if (strcmp(row->name, l->only) != 0) return FR_OK;
    l->is_found = true;
    enum fr_err err = put_row(l, row);
    if (!err) err = put_serial(l, row);
    if (!err) err = put_members(l, row->name);
    put_list(l, row->name);
    return err;
}

enum fr_exit fr_cmd_ca_show(struct fr_cli *cli)
{
    struct fr_session session = FR_SESSION_INIT;
    struct fr_diag diag = {0};
    struct listing l = {.session = &session,
                        .only = fr_cli_arg(cli, 0),
                        .now_s = fr_clock_real_s(fr_clock_system())};
    enum fr_err err = FR_OK;

    if (l.only == NULL) return fr_cmd_ca_list(cli);
    err = fr_session_open(cli, &diag, &session);
    if (!err) err = fr_table_new(SHOW_COLUMNS, &l.table);
    if (!err) err = fr_authority_each(session.snap, show_one, &l);
    if (!err && !l.is_found) {
        err = fr_diag_fail(&diag, FR_E_NOT_FOUND, "there is no CA %s", l.only);
        fr_diag_hint(&diag, "fedroam ca list");
    }
    if (!err) err = fr_table_print_record(l.table, fr_cli_output(cli), fr_cli_out(cli));
    fr_table_free(l.table);
    fr_session_close(&session);
    return fr_cli_fail(cli, err, &diag);
}
