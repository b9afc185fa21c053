/* fedroam member list, show. The list also asks the running broker for what it alone knows. */
#include "pki_cli/cmds.h"

#include "admin/inquiry.h"
#include "base/clock.h"
#include "names/netid.h"
#include "pki_cli/cells.h"
#include "store/cert.h"
#include "store/member.h"
#include "store/network.h"

#include <stdio.h>
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
    int64_t next_expiry_s; /* of those, the first to end; 0: there is none */
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

    if (row->status != FR_CERT_ISSUED || row->not_after_s < h->now_s) return FR_OK;
    h->certificates++;
    if (h->next_expiry_s == 0 || row->not_after_s < h->next_expiry_s)
        h->next_expiry_s = row->not_after_s;
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
    {.key = "next_expiry"},
    {.key = "last_lookup"},
    {.key = "last_publish"},
    {.key = "refused_24h", .is_right = true},
    {.key = "last_probe"},
    {.key = "probe"},
    {.key = "org"},
    {0},
};

struct listing {
    struct fr_snap *snap;
    struct fr_table *table;
    const struct fr_admin_reply *activity; /* of the broker; NULL: none runs */
};

/* Of the broker's row of this member; NULL: it has none, or not that. */
static const char *activity_text(const struct listing *l, size_t at, const char *key)
{
    char path[64];

    (void)snprintf(path, sizeof path, "members.%zu.%s", at, key);
    return l->activity ? fr_admin_reply_text(l->activity, path) : NULL;
}

static size_t activity_find(const struct listing *l, const char *id)
{
    const size_t n = l->activity ? fr_admin_reply_count(l->activity, "members") : 0;
    size_t at = 0;

    while (at < n) {
        const char *there = activity_text(l, at, "id");
        if (there && strcmp(there, id) == 0) break;
        at++;
    }
    return at;
}

static void put_activity(const struct listing *l, const char *id)
{
    const size_t at = activity_find(l, id);
    char path[64];

    fr_table_text(l->table, activity_text(l, at, "last_lookup"));
    fr_table_text(l->table, activity_text(l, at, "last_publish"));
    (void)snprintf(path, sizeof path, "members.%zu.refused_24h", at);
    if (l->activity)
        fr_table_uint(l->table, fr_admin_reply_uint(l->activity, path, 0));
    else
        fr_table_none(l->table);
    fr_table_text(l->table, activity_text(l, at, "probe.when"));
    fr_table_text(l->table, activity_text(l, at, "probe.result"));
}

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
    fr_cell_time(l->table, h.next_expiry_s);
    put_activity(l, row->id);
    fr_table_text(l->table, row->org);
    return FR_OK;
}

/* Without a broker the list has what is in the store. */
static enum fr_err ask_activity(const struct fr_cli *cli, struct fr_diag *diag,
                                struct fr_admin_reply **out)
{
    static const struct fr_admin_request request = {.op = "member.activity"};
    struct fr_diag why = {0};
    char dir[FR_STATE_DIR_MAX];
    enum fr_err err = fr_session_find(cli, diag, dir);

    if (err) return err;
    err = fr_admin_ask(dir, &request, &why, out);
    if (err)
        fr_cli_note(cli, "%s: look-ups, publishing, refusals and probes are not shown",
                    why.what[0] ? why.what : fr_err_text(err));
    return FR_OK;
}

enum fr_exit fr_cmd_member_list(struct fr_cli *cli)
{
    struct fr_session session = FR_SESSION_INIT;
    struct fr_diag diag = {0};
    struct listing l = {0};
    struct fr_admin_reply *activity = NULL;
    enum fr_err err = ask_activity(cli, &diag, &activity);

    if (!err) err = fr_session_open(cli, &diag, &session);
    l.snap = session.snap;
    l.activity = activity;
    if (!err) err = fr_table_new(LIST_COLUMNS, &l.table);
    if (!err) err = fr_member_each(session.snap, list_member, &l);
    if (!err) err = fr_table_print(l.table, fr_cli_output(cli), fr_cli_out(cli));
    fr_table_free(l.table);
    fr_admin_reply_free(activity);
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
