/* fedroam ca root sign, ca root crl: what needs the root's key */
#include "pki_cli/cmds.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/table.h"
#include "ca/ca.h"
#include "ca/crl.h"
#include "ca/revoke.h"
#include "pki_cli/cells.h"
#include "pki_cli/ceremony.h"
#include "pki_cli/cmd_ca_root.h"
#include "store/authority.h"

#include <stdio.h>
#include <string.h>

enum { ORDERS_MAX = 16, CSR_FILE_MAX = 16384, CA_COMPROMISE = 2 };

/* One request to be signed. */
struct order {
    char name[FR_HOST_MAX + 1];
    struct fr_buf csr;
    struct fr_cert *cert; /* once signed */
};

struct orders {
    const char *dir; /* the state directory they are of; NULL: files */
    size_t n;
    struct order list[ORDERS_MAX];
};

static void orders_deinit(struct orders *orders)
{
    for (size_t i = 0; i < orders->n; i++) {
        fr_buf_deinit(&orders->list[i].csr);
        fr_cert_free(orders->list[i].cert);
    }
}

static enum fr_err add_order(struct orders *orders, struct fr_span name, const char *path,
                             struct fr_diag *diag)
{
    if (orders->n == ORDERS_MAX)
        return fr_diag_fail(diag, FR_E_LIMIT, "at most %d requests are signed at once", ORDERS_MAX);
    struct order *order = &orders->list[orders->n++];
    *order = (struct order){.csr = FR_BUF_INIT(CSR_FILE_MAX)};
    if (!fr_span_copy(name, order->name, sizeof order->name))
        return fr_diag_fail(diag, FR_E_INVALID, "%s: the name of the CA is too long", path);
    return fr_file_read(path, diag, &order->csr);
}

/* "2027a" of "/media/usb/2027a.csr". */
static enum fr_err order_from_file(struct orders *orders, const char *path, struct fr_diag *diag)
{
    const char *slash = strrchr(path, '/');
    struct fr_span name = fr_span_str(slash != NULL ? slash + 1 : path);

    if (!fr_span_ends(name, ".csr") || name.n == 4)
        return fr_diag_fail(diag, FR_E_INVALID, "%s: a request is called after its CA: NAME.csr",
                            path);
    name.n -= 4;
    return add_order(orders, name, path, diag);
}

struct collecting {
    struct orders *orders;
    struct fr_diag *diag;
};

static enum fr_err order_from_row(void *data, const struct fr_authority_row *row)
{
    struct collecting *c = data;
    char path[FR_CA_PATH_MAX];

    if (row->state != FR_AUTHORITY_PREPARED) return FR_OK;
    enum fr_err err = fr_ca_path(c->orders->dir, row->name, "csr", path);
    return err ? err : add_order(c->orders, fr_span_str(row->name), path, c->diag);
}

/* --- signing --- */

static enum fr_err sign_all(struct fr_ceremony *c, struct orders *orders, struct fr_diag *diag)
{
    int64_t lifetime_s = 0, every_s = 0;
    enum fr_err err =
        fr_ceremony_seconds(c->cli, "lifetime", FR_ISSUING_LIFETIME_S, diag, &lifetime_s);

    if (!err) err = fr_ceremony_seconds(c->cli, "every", 0, diag, &every_s);
    if (!err && (lifetime_s < 86400 || lifetime_s > FR_ROOT_LIFETIME_S))
        err = fr_diag_fail(diag, FR_E_USAGE, "an issuing CA lives a day at least");
    for (size_t i = 0; !err && i < orders->n; i++) {
        struct order *order = &orders->list[i];
        const struct fr_root_order wanted = {
            .federation = c->federation,
            .name = order->name,
            .csr = fr_buf_span(&order->csr),
            .dates = {c->now_ms / 1000 + (int64_t)i * every_s, lifetime_s},
            .has_point = !fr_cli_flag(c->cli, "no-crl-point"),
        };
        err = fr_root_sign(c->root, &wanted, diag, &order->cert);
        if (!err) err = fr_ceremony_note_cert(c, order->name, wanted.csr, order->cert);
    }
    return err;
}

static const struct fr_column SIGNED_COLUMNS[] = {
    {.key = "name"},      {.key = "file"},   {.key = "not_before"},
    {.key = "not_after"}, {.key = "sha256"}, {0},
};

static enum fr_err put_signed(struct fr_table *t, const struct order *order, const char *path)
{
    struct fr_cert_fields fields;
    enum fr_err err = fr_cert_read_fields(order->cert, &fields);

    if (err) return err;
    fr_table_text(t, order->name);
    fr_table_text(t, path);
    fr_cell_time(t, fields.not_before_s);
    fr_cell_time(t, fields.not_after_s);
    fr_cell_hex(t, fields.sha256, 32);
    return FR_OK;
}

/* folder/<name>.pem for each; none of them may be there. */
static enum fr_err write_all(const struct orders *orders, const char *folder, bool dry_run,
                             struct fr_diag *diag, struct fr_table *t)
{
    char path[FR_CEREMONY_PATH_MAX];
    enum fr_err err = FR_OK;

    for (size_t i = 0; !err && i < orders->n; i++) {
        const struct order *order = &orders->list[i];
        struct fr_buf pem = FR_BUF_INIT(FR_CERT_FILE_MAX);
        int n = snprintf(path, sizeof path, "%s/%s.pem", folder, order->name);
        err = n < (int)sizeof path ? fr_cert_write_pem(order->cert, &pem) : FR_E_LIMIT;
        if (!err && !dry_run) err = fr_file_create(path, 0644, fr_buf_span(&pem), diag);
        if (!err) err = put_signed(t, order, path);
        fr_buf_deinit(&pem);
    }
    return err;
}

/* Into the state directory, by the operation that every certificate takes. */
static enum fr_err install_all(const struct fr_cli *cli, const struct orders *orders,
                               struct fr_diag *diag, struct fr_table *t)
{
    char path[FR_CA_PATH_MAX];
    enum fr_err err = FR_OK;

    for (size_t i = 0; !err && i < orders->n; i++) {
        const struct order *order = &orders->list[i];
        err = fr_ca_install_cert(cli, order->cert, diag);
        if (!err) err = fr_ca_path(orders->dir, order->name, "pem", path);
        if (!err) err = put_signed(t, order, path);
    }
    return err;
}

static enum fr_err sign_and_hand_over(const struct fr_cli *cli, struct orders *orders,
                                      const char *federation, struct fr_diag *diag)
{
    struct fr_ceremony c = FR_CEREMONY_INIT;
    struct fr_table *t = NULL;
    const bool dry_run = fr_cli_flag(cli, "dry-run");
    enum fr_err err = fr_ceremony_begin(cli, orders->dir, federation, diag, &c);

    if (!err) err = sign_all(&c, orders, diag);
    if (!err) err = fr_table_new(SIGNED_COLUMNS, &t);
    if (!err && !dry_run) err = fr_ceremony_write(&c, diag); /* before anything is handed over */
    if (!err)
        err = orders->dir != NULL ? install_all(cli, orders, diag, t)
                                  : write_all(orders, fr_cli_opt(cli, "out"), dry_run, diag, t);
    if (!err) err = fr_table_print(t, fr_cli_output(cli), fr_cli_out(cli));
    fr_table_free(t);
    fr_ceremony_end(&c);
    return err;
}

static enum fr_err sign_files(const struct fr_cli *cli, struct fr_diag *diag)
{
    struct orders orders = {0};
    enum fr_err err = FR_OK;

    if (fr_cli_opt(cli, "out") == NULL)
        return fr_diag_fail(diag, FR_E_USAGE, "where do the certificates go? --out DIR");
    for (size_t i = 0; !err && i < fr_cli_opt_count(cli, "csr"); i++)
        err = order_from_file(&orders, fr_cli_opt_at(cli, "csr", i), diag);
    if (!err) err = sign_and_hand_over(cli, &orders, NULL, diag);
    orders_deinit(&orders);
    return err;
}

enum fr_err fr_ca_sign_prepared(const struct fr_cli *cli, struct fr_diag *diag)
{
    struct fr_session session = FR_SESSION_INIT;
    char dir[FR_STATE_DIR_MAX], federation[FR_FEDERATION_MAX + 1] = "";
    struct orders orders = {.dir = dir};
    struct collecting c = {&orders, diag};
    enum fr_err err = fr_session_open(cli, diag, &session);

    if (!err) {
        memcpy(dir, session.dir, sizeof dir);
        (void)snprintf(federation, sizeof federation, "%s", fr_store_federation(session.store));
        err = fr_authority_each(session.snap, order_from_row, &c);
    }
    fr_session_close(&session);
    if (!err && orders.n == 0) {
        err = fr_diag_fail(diag, FR_E_NOT_FOUND, "no issuing CA waits for its certificate");
        fr_diag_hint(diag, "fedroam ca intermediate prepare");
    }
    if (!err) err = sign_and_hand_over(cli, &orders, federation, diag);
    orders_deinit(&orders);
    return err;
}

enum fr_exit fr_cmd_ca_root_sign(struct fr_cli *cli)
{
    struct fr_diag diag = {0};
    enum fr_err err =
        fr_cli_opt(cli, "csr") != NULL ? sign_files(cli, &diag) : fr_ca_sign_prepared(cli, &diag);

    if (!err) fr_session_note_dry_run(cli);
    return fr_cli_fail(cli, err, &diag);
}

/* --- the root's list --- */

struct listing {
    char dir[FR_STATE_DIR_MAX]; /* "": there is no state directory */
    char federation[FR_FEDERATION_MAX + 1];
    struct fr_buf previous;
    size_t n;
    struct fr_crl_entry more[ORDERS_MAX];
};

static enum fr_err take_serial(const struct fr_cert *cert, struct fr_crl_entry *out)
{
    struct fr_cert_fields fields;
    enum fr_err err = fr_cert_read_fields(cert, &fields);

    if (err) return err;
    if (fields.serial_len != sizeof out->serial) return FR_E_UNSUPPORTED;
    memcpy(out->serial, fields.serial, sizeof out->serial);
    return FR_OK;
}

/* A name that the store knows, a file with the certificate, or the serial number. */
static enum fr_err find_serial(const struct fr_session *session, const char *what,
                               struct fr_diag *diag, struct fr_crl_entry *out)
{
    struct fr_authority_row row;
    struct fr_cert *cert = NULL;
    enum fr_err err =
        session->snap != NULL ? fr_authority_get(session->snap, what, &row) : FR_E_NOT_FOUND;

    if (!err && (row.kind != FR_AUTHORITY_ISSUING || row.der_size == 0))
        return fr_diag_fail(diag, FR_E_CONFLICT, "%s has no certificate that could be taken out",
                            what);
    if (!err)
        err = fr_cert_parse(fr_span(row.der, row.der_size), &cert);
    else if (err == FR_E_NOT_FOUND && fr_file_exists(what))
        err = fr_cert_load(what, diag, &cert);
    else if (err == FR_E_NOT_FOUND &&
             fr_serial_parse(fr_span_str(what), NULL, out->serial) == FR_OK)
        return FR_OK;
    else if (err == FR_E_NOT_FOUND)
        err = fr_diag_fail(diag, err, "%s is no issuing CA, no certificate and no serial number",
                           what);
    if (!err) err = take_serial(cert, out);
    fr_cert_free(cert);
    return err;
}

static enum fr_err read_cause(const struct fr_cli *cli, struct fr_diag *diag, uint8_t *out)
{
    const char *text = fr_cli_opt(cli, "cause");

    *out = CA_COMPROMISE;
    if (text == NULL || strcmp(text, "ca-compromise") == 0) return FR_OK;
    return fr_revoke_cause_parse(text, diag, out);
}

static enum fr_err read_more(const struct fr_cli *cli, const struct fr_session *session,
                             struct fr_diag *diag, struct listing *l)
{
    uint8_t cause = 0;
    const int64_t now_s = fr_clock_real_s(fr_clock_system());
    enum fr_err err = read_cause(cli, diag, &cause);

    if (!err && fr_cli_opt_count(cli, "revoke") > ORDERS_MAX)
        err = fr_diag_fail(diag, FR_E_LIMIT, "at most %d are taken out at once", ORDERS_MAX);
    for (size_t i = 0; !err && i < fr_cli_opt_count(cli, "revoke"); i++) {
        struct fr_crl_entry *entry = &l->more[l->n++];
        *entry = (struct fr_crl_entry){.revoked_s = now_s, .cause = cause};
        err = find_serial(session, fr_cli_opt_at(cli, "revoke", i), diag, entry);
    }
    return err;
}

/* With --out nothing but files is touched; the list before is then named with --previous. */
static enum fr_err prepare_list(const struct fr_cli *cli, struct fr_diag *diag, struct listing *l)
{
    struct fr_session session = FR_SESSION_INIT;
    char path[FR_CRL_PATH_MAX] = "";
    const char *previous = fr_cli_opt(cli, "previous");
    enum fr_err err = FR_OK;

    if (fr_cli_opt(cli, "out") == NULL) {
        err = fr_session_open(cli, diag, &session);
        if (!err) memcpy(l->dir, session.dir, sizeof l->dir);
        if (!err)
            (void)snprintf(l->federation, sizeof l->federation, "%s",
                           fr_store_federation(session.store));
        if (!err && previous == NULL) err = fr_crl_path(l->dir, FR_ROOT_NAME, path);
        if (!err && previous == NULL && fr_file_exists(path)) previous = path;
    }
    if (!err && previous != NULL) err = fr_file_read(previous, diag, &l->previous);
    if (!err) err = read_more(cli, &session, diag, l);
    fr_session_close(&session);
    return err;
}

static const struct fr_column LIST_COLUMNS[] = {
    {.key = "number"}, {.key = "entries"}, {.key = "next_update"},
    {.key = "ended"},  {.key = "revoked"}, {0},
};

/* ended, revoked: what the state directory made of it. */
static enum fr_err print_list(const struct fr_cli *cli, const struct fr_crl_fields *fields,
                              const struct fr_admin_reply *reply)
{
    struct fr_table *t = NULL;
    const char *names[ORDERS_MAX];
    char key[32];
    size_t n = reply != NULL ? fr_admin_reply_count(reply, "names") : 0;
    enum fr_err err = fr_table_new(LIST_COLUMNS, &t);

    if (err) return err;
    if (n > ORDERS_MAX) n = ORDERS_MAX;
    for (size_t i = 0; i < n; i++) {
        (void)snprintf(key, sizeof key, "names.%u", (unsigned)i);
        names[i] = fr_admin_reply_text(reply, key);
    }
    fr_table_uint(t, fields->number);
    fr_table_uint(t, fields->entries);
    fr_cell_time(t, fields->next_update_s);
    fr_table_texts(t, names, n);
    fr_table_uint(t, reply != NULL ? fr_admin_reply_uint(reply, "revoked", 0) : 0);
    err = fr_table_print_record(t, fr_cli_output(cli), fr_cli_out(cli));
    fr_table_free(t);
    return err;
}

static enum fr_err hand_over_list(const struct fr_cli *cli, struct fr_span der,
                                  const struct fr_crl_fields *fields, struct fr_diag *diag)
{
    struct fr_admin_reply *reply = NULL;
    const char *out = fr_cli_opt(cli, "out");
    enum fr_err err = FR_OK;

    if (out == NULL)
        err = fr_ca_install_list(cli, der, diag, &reply);
    else if (!fr_cli_flag(cli, "dry-run"))
        err = fr_file_create(out, 0644, der, diag);
    if (!err) err = print_list(cli, fields, reply);
    fr_admin_reply_free(reply);
    return err;
}

static enum fr_err sign_list(const struct fr_cli *cli, const struct listing *l,
                             struct fr_diag *diag)
{
    struct fr_ceremony c = FR_CEREMONY_INIT;
    struct fr_buf der = FR_BUF_INIT(FR_CRL_MAX);
    struct fr_crl_fields fields;
    struct fr_root_list wanted = {
        .previous = fr_buf_span(&l->previous), .more = l->more, .n_more = l->n};
    const bool has_state = l->dir[0] != '\0';
    enum fr_err err = fr_ceremony_begin(cli, has_state ? l->dir : NULL,
                                        has_state ? l->federation : NULL, diag, &c);

    wanted.now_ms = c.now_ms;
    if (!err)
        err =
            fr_ceremony_seconds(cli, "lifetime", FR_ROOT_CRL_LIFETIME_S, diag, &wanted.lifetime_s);
    if (!err && wanted.lifetime_s < 3600)
        err = fr_diag_fail(diag, FR_E_USAGE, "a list lives an hour at least");
    if (!err) err = fr_root_sign_list(c.root, &wanted, diag, &der, &fields);
    if (!err) err = fr_ceremony_note_list(&c, l->more, l->n, &fields, fr_buf_span(&der));
    if (!err && !fr_cli_flag(cli, "dry-run")) err = fr_ceremony_write(&c, diag);
    if (!err) err = hand_over_list(cli, fr_buf_span(&der), &fields, diag);
    fr_buf_deinit(&der);
    fr_ceremony_end(&c);
    return err;
}

enum fr_exit fr_cmd_ca_root_crl(struct fr_cli *cli)
{
    struct fr_diag diag = {0};
    struct listing l = {.previous = FR_BUF_INIT(FR_CRL_MAX)};
    enum fr_err err = prepare_list(cli, &diag, &l);

    if (!err && fr_cli_opt(cli, "out") == NULL && l.n > 0) {
        enum fr_exit answer =
            fr_cli_confirm_name(cli, fr_cli_opt(cli, "revoke"),
                                "what the issuing CA signed is refused from now on, for good");
        if (answer != FR_EXIT_OK) {
            fr_buf_deinit(&l.previous);
            return answer;
        }
    }
    if (!err) err = sign_list(cli, &l, &diag);
    if (!err) fr_session_note_dry_run(cli);
    fr_buf_deinit(&l.previous);
    return fr_cli_fail(cli, err, &diag);
}
