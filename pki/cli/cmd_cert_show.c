/* fedroam cert list, show */
#include "pki_cli/cmds.h"

#include "base/clock.h"
#include "base/hex.h"
#include "base/parse.h"
#include "ca/profile.h"
#include "ca/revoke.h"
#include "names/netid.h"
#include "pki_cli/cells.h"
#include "x509/cert.h"

#include <stdio.h>
#include <string.h>

/* What a person calls the state: an issued certificate that is over is expired. */
static const char *status_of(const struct fr_cert_row *row, int64_t now_s)
{
    if (row->status == FR_CERT_ISSUED && row->not_after_s < now_s) return "expired";
    return fr_cert_status_text(row->status);
}

static void subject_of(const struct fr_cert_row *row, struct fr_subject *out)
{
    *out = (struct fr_subject){.profile = row->profile,
                               .member = row->member,
                               .netid = row->netid,
                               .joineui = row->joineui,
                               .host = row->host};
}

static void put_id(struct fr_table *t, const struct fr_cert_row *row)
{
    struct fr_subject subject;
    char id[FR_SUBJECT_ID_TEXT];

    subject_of(row, &subject);
    fr_subject_print_id(&subject, id);
    fr_table_text(t, id);
}

static void put_rights(struct fr_table *t, uint32_t rights)
{
    const char *words[8];
    size_t n = 0;

    for (uint32_t bit = 1; bit <= FR_RIGHTS_ALL; bit <<= 1) {
        if ((rights & bit) != 0) words[n++] = fr_right_text((enum fr_right)bit);
    }
    fr_table_texts(t, words, n);
}

static void put_member(struct fr_table *t, const struct fr_cert_row *row)
{
    if (row->member[0] != '\0')
        fr_table_text(t, row->member);
    else
        fr_table_none(t);
}

static void put_host(struct fr_table *t, const struct fr_cert_row *row)
{
    if (row->host[0] != '\0')
        fr_table_text(t, row->host);
    else
        fr_table_none(t);
}

/* --- list --- */

static const struct fr_column LIST_COLUMNS[] = {
    {.key = "serial"}, {.key = "status"},    {.key = "profile"},
    {.key = "member"}, {.key = "id"},        {.key = "host"},
    {.key = "rights"}, {.key = "not_after"}, {0},
};

struct listing {
    struct fr_table *table;
    int64_t now_s;
    bool has_netid;
    uint32_t netid;
    const char *status; /* NULL: every one */
    const char *member;
};

static enum fr_err list_row(void *data, const struct fr_cert_row *row)
{
    struct listing *l = data;
    const char *status = status_of(row, l->now_s);

    if (l->member != NULL && strcmp(row->member, l->member) != 0) return FR_OK;
    if (l->has_netid && (row->profile != FR_PROFILE_NS || row->netid != l->netid)) return FR_OK;
    if (l->status != NULL && strcmp(l->status, status) != 0) return FR_OK;
    fr_cell_hex(l->table, row->serial, sizeof row->serial);
    fr_table_text(l->table, status);
    fr_table_text(l->table, fr_profile_text(row->profile));
    put_member(l->table, row);
    put_id(l->table, row);
    put_host(l->table, row);
    put_rights(l->table, row->rights);
    fr_cell_time(l->table, row->not_after_s);
    return FR_OK;
}

static enum fr_err read_filters(const struct fr_cli *cli, struct fr_diag *diag, struct listing *l,
                                uint64_t *within_ms)
{
    static const char *const STATUSES[] = {"intent", "issued", "revoked", "expired"};
    const char *netid = fr_cli_opt(cli, "netid");
    const char *expiring = fr_cli_opt(cli, "expiring");
    bool is_known = fr_cli_opt(cli, "status") == NULL;

    l->member = fr_cli_opt(cli, "member");
    l->status = fr_cli_opt(cli, "status");
    for (size_t i = 0; i < 4 && !is_known; i++) is_known = strcmp(l->status, STATUSES[i]) == 0;
    if (!is_known)
        return fr_diag_fail(diag, FR_E_USAGE,
                            "%s is not a status: intent, issued, revoked or expired", l->status);
    l->has_netid = netid != NULL;
    if (netid != NULL && fr_netid_parse(fr_span_str(netid), &l->netid) != FR_OK)
        return fr_diag_fail(diag, FR_E_USAGE, "%s is not a NetID", netid);
    if (expiring != NULL &&
        fr_parse_duration_ms(fr_span_str(expiring), 1000, UINT64_C(1) << 40, within_ms) != FR_OK)
        return fr_diag_fail(diag, FR_E_USAGE, "%s is not a time, as in 14d", expiring);
    if (expiring != NULL && l->status == NULL)
        l->status = "issued"; /* nobody renews what is revoked */
    return FR_OK;
}

/* By the narrowest way there is. */
static enum fr_err walk(struct fr_snap *snap, struct listing *l, uint64_t within_ms)
{
    const struct fr_cert_scope scope = {
        .member = l->member, .has_netid = l->has_netid, .netid = l->netid};
    const bool is_unissued = l->status != NULL && (strcmp(l->status, "revoked") == 0 ||
                                                   strcmp(l->status, "intent") == 0);

    if (within_ms > 0)
        return fr_cert_row_each_ending(snap, l->now_s, l->now_s + (int64_t)(within_ms / 1000),
                                       list_row, l);
    if (is_unissued && l->member == NULL && !l->has_netid)
        return fr_cert_row_each_unissued(snap, list_row, l);
    return fr_cert_row_each_after(snap, &scope, NULL, list_row, l);
}

enum fr_exit fr_cmd_cert_list(struct fr_cli *cli)
{
    struct fr_session session = FR_SESSION_INIT;
    struct fr_diag diag = {0};
    struct listing l = {.now_s = fr_clock_real_s(fr_clock_system())};
    uint64_t within_ms = 0;

    if (fr_cli_flag(cli, "unknown")) return fr_cert_list_unknown(cli);
    enum fr_err err = read_filters(cli, &diag, &l, &within_ms);
    if (!err) err = fr_session_open(cli, &diag, &session);
    if (!err) err = fr_table_new(LIST_COLUMNS, &l.table);
    if (!err) err = walk(session.snap, &l, within_ms);
    if (!err) err = fr_table_print(l.table, fr_cli_output(cli), fr_cli_out(cli));
    fr_table_free(l.table);
    fr_session_close(&session);
    return fr_cli_fail(cli, err, &diag);
}

/* --- show --- */

static const struct fr_column SHOW_COLUMNS[] = {
    {.key = "serial"},
    {.key = "status"},
    {.key = "profile"},
    {.key = "member"},
    {.key = "id"},
    {.key = "host"},
    {.key = "rights"},
    {.key = "names"},
    {.key = "not_before"},
    {.key = "not_after"},
    {.key = "sha256"},
    {.key = "spki"},
    {.key = "issuer"},
    {.key = "created"},
    {.key = "revoked"},
    {.key = "cause"},
    {0},
};

static void put_row(struct fr_table *t, const struct fr_cert_row *row, int64_t now_s)
{
    const char *names[FR_ROW_NAMES_MAX];

    for (size_t i = 0; i < row->n_names; i++) names[i] = row->names[i];
    fr_cell_hex(t, row->serial, sizeof row->serial);
    fr_table_text(t, status_of(row, now_s));
    fr_table_text(t, fr_profile_text(row->profile));
    put_member(t, row);
    put_id(t, row);
    put_host(t, row);
    put_rights(t, row->rights);
    fr_table_texts(t, names, row->n_names);
    fr_cell_time(t, row->not_before_s);
    fr_cell_time(t, row->not_after_s);
    if (row->status == FR_CERT_INTENT)
        fr_table_none(t);
    else
        fr_cell_hex(t, row->sha256, sizeof row->sha256);
    fr_cell_hex(t, row->spki, sizeof row->spki);
    fr_table_text(t, row->authority);
    fr_cell_time(t, row->created_s);
    fr_cell_time(t, row->revoked_s);
    if (row->status == FR_CERT_REVOKED)
        fr_table_text(t, fr_revoke_cause_text(row->revoked_cause));
    else
        fr_table_none(t);
}

static enum fr_err print_pem(const struct fr_cli *cli, struct fr_snap *snap, const uint8_t *serial,
                             struct fr_diag *diag)
{
    uint8_t der[FR_CERT_MAX];
    size_t size = sizeof der;
    struct fr_buf pem = FR_BUF_INIT(2 * FR_CERT_MAX);
    struct fr_cert *cert = NULL;
    enum fr_err err = fr_cert_row_get_der(snap, serial, der, &size);

    if (err == FR_E_NOT_FOUND) return fr_diag_fail(diag, err, "it was never signed");
    if (!err) err = fr_cert_parse(fr_span(der, size), &cert);
    if (!err) err = fr_cert_write_pem(cert, &pem);
    if (!err && fwrite(pem.p, 1, pem.n, fr_cli_out(cli)) != pem.n) err = FR_E_IO;
    fr_cert_free(cert);
    fr_buf_deinit(&pem);
    return err;
}

static enum fr_err print_row(const struct fr_cli *cli, const struct fr_cert_row *row)
{
    struct fr_table *t = NULL;
    enum fr_err err = fr_table_new(SHOW_COLUMNS, &t);

    if (err) return err;
    put_row(t, row, fr_clock_real_s(fr_clock_system()));
    err = fr_table_print_record(t, fr_cli_output(cli), fr_cli_out(cli));
    fr_table_free(t);
    return err;
}

enum fr_exit fr_cmd_cert_show(struct fr_cli *cli)
{
    struct fr_session session = FR_SESSION_INIT;
    struct fr_diag diag = {0};
    struct fr_cert_row row;
    uint8_t serial[FR_SERIAL_SIZE];
    enum fr_err err = fr_serial_parse(fr_span_str(fr_cli_arg(cli, 0)), &diag, serial);

    if (!err) err = fr_session_open(cli, &diag, &session);
    if (err) goto out;
    err = fr_cert_row_get(session.snap, serial, &row);
    if (err == FR_E_NOT_FOUND)
        (void)fr_diag_fail(&diag, err, "there is no certificate %s", fr_cli_arg(cli, 0));
    if (err) goto out;
    err = fr_cli_flag(cli, "pem") ? print_pem(cli, session.snap, serial, &diag)
                                  : print_row(cli, &row);
out:
    fr_session_close(&session);
    return fr_cli_fail(cli, err, &diag);
}
