#include "ca/revoke.h"

#include "base/hex.h"
#include "base/mem.h"
#include "store/grace.h"
#include "store/member.h"
#include "store/network.h"

#include <string.h>

static const struct {
    uint8_t cause;
    const char *text;
} CAUSES[] = {
    {0, "unspecified"}, {1, "key-compromise"},         {3, "affiliation-changed"},
    {4, "superseded"},  {5, "cessation-of-operation"}, {9, "privilege-withdrawn"},
};

enum { KEY_COMPROMISE = 1 };
enum { CAUSE_COUNT = sizeof CAUSES / sizeof CAUSES[0] };

enum fr_err fr_revoke_cause_parse(const char *text, struct fr_diag *diag, uint8_t *out)
{
    for (size_t i = 0; i < CAUSE_COUNT; i++) {
        if (strcmp(CAUSES[i].text, text) != 0) continue;
        *out = CAUSES[i].cause;
        return FR_OK;
    }
    (void)fr_diag_fail(diag, FR_E_INVALID, "%s is not a cause of revocation", text);
    fr_diag_hint(diag, "unspecified, key-compromise, affiliation-changed, superseded, "
                       "cessation-of-operation or privilege-withdrawn");
    return FR_E_INVALID;
}

const char *fr_revoke_cause_text(uint8_t cause)
{
    for (size_t i = 0; i < CAUSE_COUNT; i++) {
        if (CAUSES[i].cause == cause) return CAUSES[i].text;
    }
    return CAUSES[0].text;
}

enum fr_err fr_serial_parse(struct fr_span text, struct fr_diag *diag, uint8_t out[FR_SERIAL_SIZE])
{
    char digits[2 * FR_SERIAL_SIZE + 1] = "";
    uint8_t serial[FR_SERIAL_SIZE];
    size_t n = 0;

    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == ':' && i % 3 == 2) continue; /* as openssl x509 -text prints it */
        if (n == sizeof digits - 1) n = sizeof digits;
        if (n >= sizeof digits) break;
        digits[n++] = (char)text.p[i];
    }
    if (n != sizeof digits - 1 || fr_hex_parse(fr_span(digits, n), serial, sizeof serial) != FR_OK)
        return fr_diag_fail(diag, FR_E_MALFORMED, "a serial number has 32 hexadecimal digits");
    memcpy(out, serial, sizeof serial);
    return FR_OK;
}

enum fr_err fr_ca_revoke(struct fr_change *change, const uint8_t serial[FR_SERIAL_SIZE],
                         uint8_t cause, struct fr_diag *diag)
{
    char text[2 * FR_SERIAL_SIZE + 1];
    enum fr_err err = fr_cert_row_revoke(change, serial, cause, diag);

    if (err != FR_E_NOT_FOUND) return err;
    fr_hex_print(serial, FR_SERIAL_SIZE, text);
    return fr_diag_fail(diag, err, "there is no certificate %s", text);
}

/* Serials are collected before anything is revoked, because a walk does not outlive a write to the
 * table it walks. */
struct serials {
    int64_t now_s;
    bool of_netid;
    uint32_t netid;
    struct fr_buf found;
};

static enum fr_err collect(void *data, const struct fr_cert_row *row)
{
    struct serials *s = data;

    if (row->status == FR_CERT_REVOKED || row->not_after_s < s->now_s) return FR_OK;
    if (s->of_netid && row->netid != s->netid) return FR_OK;
    fr_buf_add(&s->found, row->serial, FR_SERIAL_SIZE);
    return fr_buf_err(&s->found);
}

static enum fr_err revoke_some(struct fr_change *change, const char *member, struct serials *s,
                               uint8_t cause, struct fr_diag *diag, size_t *n)
{
    size_t count = 0;
    enum fr_err err = fr_cert_row_each_of(fr_change_snap(change), member, collect, s);

    for (size_t at = 0; !err && at < s->found.n; at += FR_SERIAL_SIZE, count++)
        err = fr_cert_row_revoke(change, s->found.p + at, cause, diag);
    if (!err) *n = count;
    fr_buf_deinit(&s->found);
    return err;
}

enum { SERIALS_MAX = 100000 * FR_SERIAL_SIZE };

enum fr_err fr_ca_revoke_member(struct fr_change *change, const char *member, uint8_t cause,
                                struct fr_diag *diag, size_t *n)
{
    struct serials s = {.now_s = fr_change_now(change), .found = FR_BUF_INIT(SERIALS_MAX)};

    return revoke_some(change, member, &s, cause, diag, n);
}

enum fr_err fr_ca_revoke_netid(struct fr_change *change, uint32_t netid, uint8_t cause,
                               struct fr_diag *diag, size_t *n)
{
    struct serials s = {.now_s = fr_change_now(change),
                        .of_netid = true,
                        .netid = netid,
                        .found = FR_BUF_INIT(SERIALS_MAX)};
    struct fr_network_row network;
    enum fr_err err = fr_network_get(fr_change_snap(change), netid, &network);

    if (err == FR_E_NOT_FOUND) return fr_diag_fail(diag, err, "nobody holds NetID %06x", netid);
    if (err) return err;
    return revoke_some(change, network.member, &s, cause, diag, n);
}

/* --- selections --- */

static enum fr_err mark_member(struct fr_change *change, const char *member, struct fr_diag *diag)
{
    struct fr_member_row row;
    enum fr_err err = fr_member_get(fr_change_snap(change), member, &row);

    if (err == FR_E_NOT_FOUND) return fr_diag_fail(diag, err, "there is no member %s", member);
    if (err || row.state != FR_MEMBER_ACTIVE) return err;
    row.state = FR_MEMBER_SUSPENDED;
    return fr_member_set(change, &row, diag);
}

static enum fr_err mark_netid(struct fr_change *change, uint32_t netid, struct fr_diag *diag)
{
    struct fr_network_row row;
    enum fr_err err = fr_network_get(fr_change_snap(change), netid, &row);

    if (err == FR_E_NOT_FOUND) return fr_diag_fail(diag, err, "nobody holds NetID %06x", netid);
    return err ? err : fr_network_set_state(change, netid, FR_NETWORK_SUSPENDED, diag);
}

/* A key that was never certified here may be blocked all the same. */
static enum fr_err mark_key(struct fr_change *change, const uint8_t *spki, uint8_t cause,
                            struct fr_diag *diag)
{
    char owner[FR_MEMBER_ID_MAX + 1];
    bool is_blocked = false;
    enum fr_err err = fr_key_get(fr_change_snap(change), spki, owner, &is_blocked);

    if (err && err != FR_E_NOT_FOUND) return err;
    if (cause == KEY_COMPROMISE) return fr_key_block(change, spki);
    if (err) {
        (void)fr_diag_fail(diag, err, "no certificate was issued for this key");
        fr_diag_hint(diag, "--cause key-compromise blocks it all the same");
    }
    return err;
}

static enum fr_err mark_serial(struct fr_change *change, const uint8_t *serial, uint8_t cause,
                               struct fr_diag *diag)
{
    struct fr_cert_row row;
    char text[2 * FR_SERIAL_SIZE + 1];
    enum fr_err err = fr_cert_row_get(fr_change_snap(change), serial, &row);

    fr_hex_print(serial, FR_SERIAL_SIZE, text);
    if (err == FR_E_NOT_FOUND) return fr_diag_fail(diag, err, "there is no certificate %s", text);
    if (err || cause != KEY_COMPROMISE) return err;
    return fr_key_block(change, row.spki); /* also of one that is revoked or over */
}

enum fr_err fr_ca_revoke_mark(struct fr_change *change, const struct fr_revoke_selection *selection,
                              uint8_t cause, struct fr_diag *diag)
{
    if (selection->serial != NULL) return mark_serial(change, selection->serial, cause, diag);
    if (selection->spki != NULL) return mark_key(change, selection->spki, cause, diag);
    if (selection->has_netid) return mark_netid(change, selection->netid, diag);
    if (selection->before_s > fr_change_now(change))
        return fr_diag_fail(diag, FR_E_RANGE, "that time is not over yet");
    if (selection->before_s != 0 || selection->member == NULL) return FR_OK;
    return mark_member(change, selection->member, diag);
}

/* So many rows are looked at in one go. */
enum { LOOK_MAX = 20000 };

struct find {
    const struct fr_revoke_selection *selection;
    struct fr_revoke_slice *slice;
    int64_t now_s;
    size_t looked;
};

static bool is_selected(const struct find *find, const struct fr_cert_row *row)
{
    const struct fr_revoke_selection *s = find->selection;

    if (row->status == FR_CERT_REVOKED) return false;
    if (s->serial != NULL) return true;
    if (row->not_after_s + FR_GRACE_REACH_S < find->now_s) return false;
    if (s->spki != NULL) return memcmp(row->spki, s->spki, FR_DIGEST_SIZE) == 0;
    if (s->has_netid) return true;
    return s->before_s == 0 || (row->created_s < s->before_s && row->profile != FR_PROFILE_BROKER);
}

static enum fr_err find_row(void *data, const struct fr_cert_row *row)
{
    struct find *find = data;
    struct fr_revoke_slice *slice = find->slice;

    if (slice->n == FR_REVOKE_SLICE || find->looked == LOOK_MAX) return FR_E_CANCELLED;
    find->looked++;
    slice->has_after = true;
    memcpy(slice->after, row->serial, FR_SERIAL_SIZE);
    if (is_selected(find, row)) slice->rows[slice->n++] = *row;
    return FR_OK;
}

/* Where the certificates of a key are. *is_known false: there are none. */
static enum fr_err scope_of_key(struct fr_snap *snap, const uint8_t *spki,
                                char member[FR_MEMBER_ID_MAX + 1], bool *is_known)
{
    bool is_blocked = false;
    enum fr_err err = fr_key_get(snap, spki, member, &is_blocked);

    *is_known = err == FR_OK;
    return err == FR_E_NOT_FOUND ? FR_OK : err;
}

enum fr_err fr_ca_revoke_find(struct fr_snap *snap, const struct fr_revoke_selection *selection,
                              int64_t now_s, struct fr_revoke_slice *slice)
{
    struct find find = {.selection = selection, .slice = slice, .now_s = now_s};
    struct fr_cert_scope scope = {
        .member = selection->member, .has_netid = selection->has_netid, .netid = selection->netid};
    struct fr_cert_row row;
    char member[FR_MEMBER_ID_MAX + 1];
    bool is_known = true;
    enum fr_err err = FR_OK;

    slice->n = 0;
    if (selection->serial != NULL) {
        err = fr_cert_row_get(snap, selection->serial, &row);
        if (!err) err = find_row(&find, &row);
        slice->is_last = true;
        return err;
    }
    if (selection->spki != NULL) {
        err = scope_of_key(snap, selection->spki, member, &is_known);
        scope.member = member;
    }
    if (!err && is_known)
        err = fr_cert_row_each_after(snap, &scope, slice->has_after ? slice->after : NULL, find_row,
                                     &find);
    slice->is_last = err != FR_E_CANCELLED;
    return err == FR_E_CANCELLED ? FR_OK : err;
}

enum fr_err fr_ca_revoke_slice(struct fr_change *change, const struct fr_revoke_slice *slice,
                               uint8_t cause, struct fr_diag *diag)
{
    enum fr_err err = FR_OK;

    for (size_t i = 0; !err && i < slice->n; i++)
        err = fr_cert_row_revoke(change, slice->rows[i].serial, cause, diag);
    return err;
}

enum fr_err fr_ca_set_rights(struct fr_change *change, const uint8_t serial[FR_SERIAL_SIZE],
                             uint32_t rights, struct fr_diag *diag)
{
    struct fr_cert_row row;
    char text[2 * FR_SERIAL_SIZE + 1];
    enum fr_err err = fr_cert_row_get(fr_change_snap(change), serial, &row);

    fr_hex_print(serial, FR_SERIAL_SIZE, text);
    if (err == FR_E_NOT_FOUND) return fr_diag_fail(diag, err, "there is no certificate %s", text);
    if (err) return err;
    if (row.status != FR_CERT_ISSUED)
        return fr_diag_fail(diag, FR_E_REVOKED, "certificate %s is revoked", text);
    return fr_cert_row_set_rights(change, serial, rights, diag);
}
