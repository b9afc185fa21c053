/* fedroam member list, show */
#include "pki_cli/cmds.h"

#include "base/clock.h"
#include "names/netid.h"
#include "pki_cli/cells.h"
#include "store/cert.h"
#include "store/member.h"
#include "store/network.h"

#include <string.h>

enum { NETIDS_MAX = 64, TEXT_MAX = 32 };

/* What a member holds, as texts for a table. */
struct holdings {
    int64_t now_s;
    size_t netid_count;
    char netids[NETIDS_MAX][TEXT_MAX];
    const char *list[NETIDS_MAX];
    uint64_t devices;
    uint64_t certificates; /* issued and not over */
};

static enum fr_err note_network(void *data, const struct fr_network_row *row)
{
    struct holdings *h = data;

    h->devices += row->devices;
    if (h->netid_count == NETIDS_MAX) return FR_OK;
    fr_netid_print(row->netid, h->netids[h->netid_count]);
    h->list[h->netid_count] = h->netids[h->netid_count];
    h->netid_count++;
    return FR_OK;
}

static enum fr_err note_certificate(void *data, const struct fr_cert_row *row)
{
    struct holdings *h = data;

    if (row->status == FR_CERT_ISSUED && row->not_after_s >= h->now_s) h->certificates++;
    return FR_OK;
}

static enum fr_err read_holdings(struct fr_snap *snap, const char *id, struct holdings *h)
{
    enum fr_err err = FR_OK;

    *h = (struct holdings){.now_s = fr_clock_real_s(fr_clock_system())};
    err = fr_network_each_of(snap, id, note_network, h);
    return err ? err : fr_cert_row_each_of(snap, id, note_certificate, h);
}

static const struct fr_column LIST_COLUMNS[] = {
    {.key = "id"},
    {.key = "state"},
    {.key = "netids"},
    {.key = "devices", .is_right = true},
    {.key = "certificates", .is_right = true},
    {.key = "org"},
    {0},
};

struct listing {
    struct fr_snap *snap;
    struct fr_table *table;
};

static enum fr_err list_member(void *data, const struct fr_member_row *row)
{
    struct listing *l = data;
    struct holdings h;
    enum fr_err err = read_holdings(l->snap, row->id, &h);

    if (err) return err;
    fr_table_text(l->table, row->id);
    fr_table_text(l->table, fr_member_state_text(row->state));
    fr_table_texts(l->table, h.list, h.netid_count);
    fr_table_uint(l->table, h.devices);
    fr_table_uint(l->table, h.certificates);
    fr_table_text(l->table, row->org);
    return FR_OK;
}

enum fr_exit fr_cmd_member_list(struct fr_cli *cli)
{
    struct fr_session session = FR_SESSION_INIT;
    struct fr_diag diag = {0};
    struct listing l = {0};
    enum fr_err err = fr_session_open(cli, &diag, &session);

    l.snap = session.snap;
    if (!err) err = fr_table_new(LIST_COLUMNS, &l.table);
    if (!err) err = fr_member_each(session.snap, list_member, &l);
    if (!err) err = fr_table_print(l.table, fr_cli_output(cli), fr_cli_out(cli));
    fr_table_free(l.table);
    fr_session_close(&session);
    return fr_cli_fail(cli, err, &diag);
}

/* --- show --- */

static const struct fr_column SHOW_COLUMNS[] = {
    {.key = "id"},
    {.key = "state"},
    {.key = "org"},
    {.key = "noc"},
    {.key = "security"},
    {.key = "netids"},
    {.key = "devices"},
    {.key = "certificates"},
    {.key = "created"},
    {.key = "changed"},
    {0},
};

static void show_member(struct fr_table *t, const struct fr_member_row *row,
                        const struct holdings *h)
{
    fr_table_text(t, row->id);
    fr_table_text(t, fr_member_state_text(row->state));
    fr_table_text(t, row->org);
    fr_table_text(t, row->noc);
    fr_table_text(t, row->security);
    fr_table_texts(t, h->list, h->netid_count);
    fr_table_uint(t, h->devices);
    fr_table_uint(t, h->certificates);
    fr_cell_time(t, row->created_s);
    fr_cell_time(t, row->changed_s);
}

enum fr_exit fr_cmd_member_show(struct fr_cli *cli)
{
    struct fr_session session = FR_SESSION_INIT;
    struct fr_diag diag = {0};
    struct fr_member_row row;
    struct holdings h;
    struct fr_table *t = NULL;
    const char *id = fr_cli_arg(cli, 0);
    enum fr_err err = fr_session_open(cli, &diag, &session);

    if (err) goto out;
    err = fr_member_get(session.snap, id, &row);
    if (err == FR_E_NOT_FOUND) (void)fr_diag_fail(&diag, err, "there is no member %s", id);
    if (err) goto out;
    err = read_holdings(session.snap, id, &h);
    if (!err) err = fr_table_new(SHOW_COLUMNS, &t);
    if (err) goto out;
    show_member(t, &row, &h);
    err = fr_table_print_record(t, fr_cli_output(cli), fr_cli_out(cli));
out:
    fr_table_free(t);
    fr_session_close(&session);
    return fr_cli_fail(cli, err, &diag);
}
