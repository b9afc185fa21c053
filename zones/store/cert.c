#include "store/cert.h"

#include "base/hex.h"
#include "store/cert_index.h"
#include "store/member.h"
#include "store/rows.h"
#include "store/tables.h"
#include "store/unknown.h"

#include <stdio.h>
#include <string.h>

#define KEY_COMPROMISE 1 /* CRLReason, RFC 5280 5.3.1 */
#define REVOCATIONS "revocations"

static enum fr_err read_row(struct fr_span key, struct fr_span value, struct fr_cert_row *out)
{
    struct fr_cert_row row = {0};

    if (key.n != FR_SERIAL_SIZE) return FR_E_MALFORMED;
    memcpy(row.serial, key.p, key.n);
    enum fr_err err = fr_cert_row_read(value, &row);
    if (err == FR_OK) *out = row;
    return err;
}

enum fr_err fr_cert_row_get(struct fr_snap *snap, const uint8_t serial[FR_SERIAL_SIZE],
                            struct fr_cert_row *out)
{
    struct fr_span value, key = fr_span(serial, FR_SERIAL_SIZE);

    enum fr_err err = fr_txn_get(snap->txn, FR_TABLE_CERTS, key, &value);
    return err ? err : read_row(key, value, out);
}

enum fr_err fr_cert_row_get_der(struct fr_snap *snap, const uint8_t serial[FR_SERIAL_SIZE],
                                uint8_t *der, size_t *size)
{
    struct fr_span value;

    enum fr_err err =
        fr_txn_get(snap->txn, FR_TABLE_CERTS_DER, fr_span(serial, FR_SERIAL_SIZE), &value);
    if (err) return err;
    if (value.n > *size) return FR_E_LIMIT;
    memcpy(der, value.p, value.n);
    *size = value.n;
    return FR_OK;
}

struct visit {
    struct fr_snap *snap;
    fr_cert_row_fn fn;
    void *data;
};

static enum fr_err visit_row(void *data, struct fr_span key, struct fr_span value)
{
    const struct visit *v = data;
    struct fr_cert_row row;

    enum fr_err err = read_row(key, value, &row);
    return err ? err : v->fn(v->data, &row);
}

enum fr_err fr_cert_row_each(struct fr_snap *snap, fr_cert_row_fn fn, void *data)
{
    struct visit v = {snap, fn, data};

    return fr_snap_visit(snap, FR_TABLE_CERTS, (struct fr_span){0}, visit_row, &v);
}

/* Most rows are of issued certificates, and are not read further than their state. */
static enum fr_err visit_unissued(void *data, struct fr_span key, struct fr_span value)
{
    return fr_cert_row_is_issued(value) ? FR_OK : visit_row(data, key, value);
}

enum fr_err fr_cert_row_each_unissued(struct fr_snap *snap, fr_cert_row_fn fn, void *data)
{
    struct visit v = {snap, fn, data};

    return fr_snap_visit(snap, FR_TABLE_CERTS, (struct fr_span){0}, visit_unissued, &v);
}

/* An index row's key ends with the serial. */
static enum fr_err visit_indexed(void *data, struct fr_span key, struct fr_span value)
{
    const struct visit *v = data;
    struct fr_cert_row row;

    (void)value;
    if (key.n < FR_SERIAL_SIZE) return FR_E_MALFORMED;
    enum fr_err err = fr_cert_row_get(v->snap, key.p + key.n - FR_SERIAL_SIZE, &row);
    if (err) return err == FR_E_NOT_FOUND ? FR_E_MALFORMED : err;
    return v->fn(v->data, &row);
}

enum fr_err fr_cert_row_each_of(struct fr_snap *snap, const char *member, fr_cert_row_fn fn,
                                void *data)
{
    struct visit v = {snap, fn, data};
    char prefix[FR_MEMBER_ID_MAX + 1] = {0};

    if (!fr_span_copy(fr_span_str(member), prefix, sizeof prefix)) return FR_OK;
    return fr_snap_visit(snap, FR_TABLE_CERTS_BY_MEMBER, fr_span(prefix, strlen(member) + 1),
                         visit_indexed, &v);
}

/* The table of a scope, and what its keys begin with before the serial. */
static uint32_t scope_table(const struct fr_cert_scope *scope, struct fr_wr *prefix)
{
    if (scope->has_netid) {
        fr_wr_u24(prefix, scope->netid);
        return FR_TABLE_CERTS_BY_NETID;
    }
    if (scope->member == NULL) return FR_TABLE_CERTS;
    fr_wr_bytes(prefix, scope->member, strlen(scope->member) + 1);
    return FR_TABLE_CERTS_BY_MEMBER;
}

enum fr_err fr_cert_row_each_after(struct fr_snap *snap, const struct fr_cert_scope *scope,
                                   const uint8_t *after, fr_cert_row_fn fn, void *data)
{
    struct visit v = {snap, fn, data};
    struct fr_cursor *cursor = NULL;
    struct fr_span key, value;
    uint8_t bytes[FR_MEMBER_ID_MAX + 1 + FR_SERIAL_SIZE];
    struct fr_wr w = fr_wr(bytes, sizeof bytes);

    uint32_t table = scope_table(scope, &w);
    const size_t prefix = fr_wr_done(&w).n;
    static const uint8_t lowest[FR_SERIAL_SIZE];
    fr_wr_bytes(&w, after != NULL ? after : lowest, FR_SERIAL_SIZE);
    enum fr_err err = fr_wr_err(&w);
    if (err) return FR_OK; /* no member has so long an id */
    struct fr_span start = fr_wr_done(&w);
    err = fr_cursor_open(snap->txn, table, &cursor);
    if (err) return err;
    err = fr_cursor_seek(cursor, start, &key, &value);
    if (err == FR_OK && after != NULL && fr_span_equal(key, start))
        err = fr_cursor_next(cursor, &key, &value);
    while (err == FR_OK) {
        if (key.n != prefix + FR_SERIAL_SIZE || memcmp(key.p, bytes, prefix) != 0) break;
        err = table == FR_TABLE_CERTS ? visit_row(&v, key, value) : visit_indexed(&v, key, value);
        if (err) goto out;
        err = fr_cursor_next(cursor, &key, &value);
    }
    if (err == FR_E_NOT_FOUND) err = FR_OK;
out:
    fr_cursor_close(cursor);
    return err;
}

enum fr_err fr_cert_row_each_ending(struct fr_snap *snap, int64_t from_s, int64_t to_s,
                                    fr_cert_row_fn fn, void *data)
{
    struct visit v = {snap, fn, data};
    struct fr_cursor *cursor = NULL;
    struct fr_span key, value;
    uint8_t bytes[8];
    struct fr_wr w = fr_wr(bytes, sizeof bytes);

    fr_wr_u64(&w, from_s < 0 ? 0 : (uint64_t)from_s);
    enum fr_err err = fr_cursor_open(snap->txn, FR_TABLE_CERTS_BY_EXPIRY, &cursor);
    if (err) return err;
    err = fr_cursor_seek(cursor, fr_wr_done(&w), &key, &value);
    while (err == FR_OK) {
        struct fr_rd r = fr_rd(key);
        uint64_t end = fr_rd_u64(&r);
        if (to_s < 0 || end > (uint64_t)to_s) break;
        err = visit_indexed(&v, key, value);
        if (err) goto out;
        err = fr_cursor_next(cursor, &key, &value);
    }
    if (err == FR_E_NOT_FOUND) err = FR_OK;
out:
    fr_cursor_close(cursor);
    return err;
}

static enum fr_err put_row(struct fr_change *change, const struct fr_cert_row *row)
{
    uint8_t bytes[FR_ROW_MAX];
    struct fr_wr w = fr_wr(bytes, sizeof bytes);

    fr_cert_row_write(&w, row);
    enum fr_err err = fr_wr_err(&w);
    if (err) return err;
    return fr_change_put(change, FR_TABLE_CERTS, FR_FACT_CERT, fr_span(row->serial, FR_SERIAL_SIZE),
                         fr_wr_done(&w));
}

static enum fr_err get_for_change(struct fr_change *change, const uint8_t serial[FR_SERIAL_SIZE],
                                  struct fr_diag *diag, struct fr_cert_row *out)
{
    char text[2 * FR_SERIAL_SIZE + 1];
    enum fr_err err = fr_cert_row_get(fr_change_snap(change), serial, out);

    if (err == FR_E_NOT_FOUND) {
        fr_hex_print(serial, FR_SERIAL_SIZE, text);
        (void)fr_diag_fail(diag, err, "no certificate with serial %s", text);
    }
    return err;
}

/* A profile names its holder: the fields that do not belong to it are empty. */
static enum fr_err check_shape(struct fr_change *change, const struct fr_cert_row *row,
                               struct fr_diag *diag)
{
    bool is_broker = row->profile == FR_PROFILE_BROKER;
    struct fr_member_row member;

    if (is_broker != (row->member[0] == '\0') || (is_broker && row->host[0] == '\0') ||
        (row->profile == FR_PROFILE_NS) != (row->netid != 0) ||
        (row->profile == FR_PROFILE_JS) != (row->joineui != 0) || row->n_names > FR_ROW_NAMES_MAX)
        return fr_diag_fail(diag, FR_E_INVALID,
                            "a certificate of profile %s cannot name this holder",
                            fr_profile_text(row->profile));
    if (is_broker) return FR_OK;
    enum fr_err err = fr_member_get(fr_change_snap(change), row->member, &member);
    if (err == FR_E_NOT_FOUND) return fr_diag_fail(diag, err, "no member %s", row->member);
    if (err) return err;
    if (member.state != FR_MEMBER_ACTIVE)
        return fr_diag_fail(diag, FR_E_REVOKED, "member %s is %s", row->member,
                            fr_member_state_text(member.state));
    return FR_OK;
}

enum fr_err fr_cert_row_intend(struct fr_change *change, const struct fr_cert_row *row,
                               struct fr_diag *diag)
{
    struct fr_cert_row there, fresh = *row;

    enum fr_err err = check_shape(change, row, diag);
    if (err) return err;
    err = fr_cert_row_get(fr_change_snap(change), row->serial, &there);
    if (err == FR_OK) return fr_diag_fail(diag, FR_E_EXISTS, "that serial number is taken");
    if (err != FR_E_NOT_FOUND) return err;
    err = fr_key_claim(change, row->spki, row->member, diag);
    if (err) return err;
    fresh.status = FR_CERT_INTENT;
    fresh.created_s = fr_change_now(change);
    fresh.revoked_s = 0;
    fresh.revoked_cause = 0;
    memset(fresh.sha256, 0, sizeof fresh.sha256);
    err = put_row(change, &fresh);
    if (err == FR_OK) err = fr_cert_index_member(change, &fresh);
    return err ? err : fr_cert_index_netid(change, &fresh);
}

enum fr_err fr_cert_row_issue(struct fr_change *change, const uint8_t serial[FR_SERIAL_SIZE],
                              struct fr_span der, const uint8_t sha256[FR_DIGEST_SIZE],
                              int64_t not_before_s, int64_t not_after_s, struct fr_diag *diag)
{
    struct fr_cert_row row;

    enum fr_err err = get_for_change(change, serial, diag, &row);
    if (err) return err;
    if (row.status != FR_CERT_INTENT)
        return fr_diag_fail(diag, FR_E_CONFLICT, "that certificate is %s already",
                            fr_cert_status_text(row.status));
    row.status = FR_CERT_ISSUED;
    row.not_before_s = not_before_s;
    row.not_after_s = not_after_s;
    memcpy(row.sha256, sha256, sizeof row.sha256);
    err =
        fr_txn_put(fr_change_txn(change), FR_TABLE_CERTS_DER, fr_span(serial, FR_SERIAL_SIZE), der);
    if (err == FR_OK) err = put_row(change, &row);
    if (err == FR_OK) err = fr_cert_index_expiry(change, &row);
    if (err == FR_OK && row.profile == FR_PROFILE_NS) err = fr_pin_put(change, &row);
    return err;
}

enum fr_err fr_cert_revocations(struct fr_snap *snap, uint64_t *out)
{
    enum fr_err err = fr_meta_get_u64(snap->txn, REVOCATIONS, out);

    if (err == FR_E_NOT_FOUND) *out = 0;
    return err == FR_E_NOT_FOUND ? FR_OK : err;
}

/* Not noted: it follows from the certificates' facts. */
static enum fr_err count_revocation(struct fr_change *change)
{
    uint64_t n = 0;
    enum fr_err err = fr_cert_revocations(fr_change_snap(change), &n);

    return err ? err : fr_meta_put_u64(fr_change_txn(change), REVOCATIONS, n + 1);
}

enum fr_err fr_cert_row_revoke(struct fr_change *change, const uint8_t serial[FR_SERIAL_SIZE],
                               uint8_t cause, struct fr_diag *diag)
{
    struct fr_cert_row row;

    enum fr_err err = get_for_change(change, serial, diag, &row);
    if (err) return err;
    if (row.status != FR_CERT_REVOKED) {
        row.status = FR_CERT_REVOKED;
        row.revoked_s = fr_change_now(change);
        row.revoked_cause = cause;
        err = put_row(change, &row);
        if (err == FR_OK && row.profile == FR_PROFILE_NS) err = fr_pin_delete(change, &row);
        if (err == FR_OK) err = count_revocation(change);
    }
    if (err == FR_OK && cause == KEY_COMPROMISE) err = fr_key_block(change, row.spki);
    return err;
}

enum fr_err fr_cert_row_set_rights(struct fr_change *change, const uint8_t serial[FR_SERIAL_SIZE],
                                   uint32_t rights, struct fr_diag *diag)
{
    struct fr_cert_row row;

    if ((rights & ~FR_RIGHTS_ALL) != 0) return fr_diag_fail(diag, FR_E_INVALID, "unknown right");
    enum fr_err err = get_for_change(change, serial, diag, &row);
    if (err) return err;
    if (row.status == FR_CERT_REVOKED)
        return fr_diag_fail(diag, FR_E_REVOKED, "that certificate is revoked");
    row.rights = rights;
    return put_row(change, &row);
}

/* It belongs to nobody that is known, so it stands with the broker's own, without names or a key. */
enum fr_err fr_cert_row_bar(struct fr_change *change, const struct fr_cert_bar *bar,
                            struct fr_diag *diag)
{
    struct fr_cert_row there, row = {
                                  .status = FR_CERT_REVOKED,
                                  .profile = FR_PROFILE_BROKER,
                                  .not_before_s = bar->revoked_s,
                                  .not_after_s = bar->not_after_s,
                                  .created_s = fr_change_now(change),
                                  .revoked_s = bar->revoked_s,
                                  .revoked_cause = bar->cause,
                              };

    enum fr_err err = fr_cert_row_get(fr_change_snap(change), bar->serial, &there);
    if (err == FR_OK) return fr_diag_fail(diag, FR_E_EXISTS, "that certificate is known");
    if (err != FR_E_NOT_FOUND) return err;
    memcpy(row.serial, bar->serial, sizeof row.serial);
    (void)snprintf(row.authority, sizeof row.authority, "%s", bar->authority);
    err = put_row(change, &row);
    if (err == FR_OK) err = fr_cert_index_member(change, &row);
    if (err == FR_OK) err = fr_cert_index_expiry(change, &row);
    return err ? err : count_revocation(change);
}
