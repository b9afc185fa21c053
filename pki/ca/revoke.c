#include "ca/revoke.h"

#include "base/hex.h"
#include "base/mem.h"
#include "store/network.h"

#include <string.h>

static const struct {
    uint8_t cause;
    const char *text;
} CAUSES[] = {
    {0, "unspecified"}, {1, "key-compromise"},         {3, "affiliation-changed"},
    {4, "superseded"},  {5, "cessation-of-operation"}, {9, "privilege-withdrawn"},
};

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
