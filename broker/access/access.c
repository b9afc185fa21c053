#include "access/access.h"

#include <string.h>

#include "base/addr.h"
#include "store/authority.h"
#include "store/member.h"
#include "store/network.h"
#include "store/unknown.h"

static const struct {
    const char *word, *sentence;
} VERDICTS[FR_ACCESS_COUNT] = {
    [FR_ACCESS_OK] = {"ok", ""},
    [FR_ACCESS_NO_CERTIFICATE] = {"certificate-missing", "A client certificate is needed."},
    [FR_ACCESS_UNKNOWN] = {"certificate-unknown",
                           "This federation has not issued this certificate."},
    [FR_ACCESS_AFTER_BACKUP] = {"certificate-after-backup",
                                "This certificate was issued after the restored backup: ask the "
                                "federation's operator to adopt it."},
    [FR_ACCESS_DIFFERENT] = {"certificate-different",
                             "This is not the certificate the federation issued under its serial."},
    [FR_ACCESS_UNISSUED] = {"certificate-unissued", "This certificate was never handed out."},
    [FR_ACCESS_REVOKED] = {"certificate-revoked", "This certificate is revoked."},
    [FR_ACCESS_NOT_YET] = {"certificate-not-yet",
                           "This certificate is not valid yet: check the clock."},
    [FR_ACCESS_EXPIRED] = {"certificate-expired",
                           "This certificate has expired: ask for a new one."},
    [FR_ACCESS_MEMBER_SUSPENDED] = {"member-suspended",
                                    "This member is suspended: ask the federation's operator."},
    [FR_ACCESS_MEMBER_REMOVED] = {"member-removed", "This member has left the federation."},
    [FR_ACCESS_NETWORK_SUSPENDED] = {"network-suspended",
                                     "The NetID of this certificate is suspended or taken away."},
    [FR_ACCESS_AUTHORITY] = {"authority-ended", "The CA that issued this certificate is retired or "
                                                "revoked: enrol again, with a token."},
    [FR_ACCESS_NO_RIGHT] = {"no-right", "This certificate lacks the right for this request."},
    [FR_ACCESS_FAULT] = {"fault", "The registry cannot be read now."},
};

const char *fr_access_word(enum fr_access verdict)
{
    return VERDICTS[verdict].word;
}

const char *fr_access_sentence(enum fr_access verdict)
{
    return VERDICTS[verdict].sentence;
}

unsigned fr_access_status(enum fr_access verdict)
{
    if (verdict == FR_ACCESS_OK || verdict == FR_ACCESS_NO_CERTIFICATE) return 0;
    return verdict == FR_ACCESS_FAULT ? 503 : 403;
}

static enum fr_access member_standing(struct fr_snap *snap, const struct fr_cert_row *row)
{
    struct fr_member_row member;

    if (row->member[0] == '\0') return FR_ACCESS_OK; /* the broker's own */
    enum fr_err err = fr_member_get(snap, row->member, &member);
    if (err == FR_E_NOT_FOUND) return FR_ACCESS_MEMBER_REMOVED;
    if (err != FR_OK) return FR_ACCESS_FAULT;
    switch (member.state) {
    case FR_MEMBER_ACTIVE: return FR_ACCESS_OK;
    case FR_MEMBER_SUSPENDED: return FR_ACCESS_MEMBER_SUSPENDED;
    case FR_MEMBER_REMOVED: return FR_ACCESS_MEMBER_REMOVED;
    }
    return FR_ACCESS_FAULT;
}

/* Only `ns` certificates speak for a NetID. It may have been given to another member since. */
static enum fr_access network_standing(struct fr_snap *snap, const struct fr_cert_row *row)
{
    struct fr_network_row network;

    if (row->profile != FR_PROFILE_NS) return FR_ACCESS_OK;
    enum fr_err err = fr_network_get(snap, row->netid, &network);
    if (err == FR_E_NOT_FOUND) return FR_ACCESS_NETWORK_SUSPENDED;
    if (err != FR_OK) return FR_ACCESS_FAULT;
    if (network.state != FR_NETWORK_ACTIVE || strcmp(network.member, row->member) != 0)
        return FR_ACCESS_NETWORK_SUSPENDED;
    return FR_ACCESS_OK;
}

/* The certificate's own row decides; the end of the CA it hangs below takes away. */
static enum fr_access authority_standing(struct fr_snap *snap, const struct fr_cert_row *row)
{
    struct fr_authority_row authority;

    enum fr_err err = fr_authority_get(snap, row->authority, &authority);
    if (err == FR_E_NOT_FOUND) return FR_ACCESS_OK;
    if (err != FR_OK) return FR_ACCESS_FAULT;
    return fr_authority_is_trusted(&authority) ? FR_ACCESS_OK : FR_ACCESS_AUTHORITY;
}

/* Nobody has issued it here, as far as this store remembers. */
static enum fr_access unknown_standing(struct fr_snap *snap, const struct fr_tls_peer *cert)
{
    bool is_after = false;

    if (fr_unknown_is_after_backup(snap, cert->not_before_s, &is_after) != FR_OK)
        return FR_ACCESS_FAULT;
    return is_after ? FR_ACCESS_AFTER_BACKUP : FR_ACCESS_UNKNOWN;
}

/* All that the snapshot says about the certificate. */
static enum fr_access read_standing(const struct fr_tls_peer *cert, struct fr_snap *snap,
                                    struct fr_cert_row *row)
{
    enum fr_access standing = FR_ACCESS_OK;

    if (!cert->has_serial) return FR_ACCESS_UNKNOWN;
    enum fr_err err = fr_cert_row_get(snap, cert->serial, row);
    if (err == FR_E_NOT_FOUND) return unknown_standing(snap, cert);
    if (err != FR_OK) return FR_ACCESS_FAULT;
    if (row->status == FR_CERT_INTENT) return FR_ACCESS_UNISSUED;
    if (memcmp(row->sha256, cert->cert_sha256, sizeof row->sha256) != 0 ||
        row->not_before_s != cert->not_before_s || row->not_after_s != cert->not_after_s)
        return FR_ACCESS_DIFFERENT;
    if (row->status != FR_CERT_ISSUED) return FR_ACCESS_REVOKED;
    standing = authority_standing(snap, row);
    if (standing == FR_ACCESS_OK) standing = member_standing(snap, row);
    return standing != FR_ACCESS_OK ? standing : network_standing(snap, row);
}

enum fr_access fr_access_check(struct fr_access_seat *seat, const struct fr_tls_peer *cert,
                               struct fr_snap *snap, int64_t now_s, uint32_t rights)
{
    uint64_t txn = fr_snap_txn(snap);

    if (cert == NULL) return FR_ACCESS_NO_CERTIFICATE;
    if (!seat->is_known || seat->txn != txn) {
        seat->standing = read_standing(cert, snap, &seat->row);
        seat->txn = txn;
        seat->is_known = seat->standing != FR_ACCESS_FAULT;
    }
    if (seat->standing != FR_ACCESS_OK) return seat->standing;
    if (now_s < seat->row.not_before_s) return FR_ACCESS_NOT_YET;
    if (now_s > seat->row.not_after_s) return FR_ACCESS_EXPIRED;
    return (seat->row.rights & rights) == rights ? FR_ACCESS_OK : FR_ACCESS_NO_RIGHT;
}

/* "<label>.<federation>", any case. */
static bool is_service_name(struct fr_span name, const char *label, const char *federation)
{
    struct fr_span head, rest;

    return fr_span_cut(name, '.', &head, &rest) && fr_span_equal_nocase(head, fr_span_str(label)) &&
           fr_span_equal_nocase(rest, fr_span_str(federation));
}

enum fr_service fr_service_of(const char *federation, const char *sni)
{
    struct fr_span name = fr_span_str(sni);

    if (name.n == 0 || is_service_name(name, "broker", federation)) return FR_SERVICE_BROKER;
    return is_service_name(name, "ca", federation) ? FR_SERVICE_CA : FR_SERVICE_NONE;
}

/* The host of "host", "host:port", "[v6]" or "[v6]:port"; empty when it is none of them. */
static struct fr_span host_of(struct fr_span authority, bool *is_v6)
{
    struct fr_span host = authority, port = {NULL, 0};
    bool has_port = false;

    *is_v6 = authority.n > 0 && authority.p[0] == '[';
    if (*is_v6) {
        host = fr_span(authority.p + 1, authority.n - 1);
        if (!fr_span_cut(host, ']', &host, &port)) return (struct fr_span){NULL, 0};
        has_port = port.n > 0;
        if (has_port && port.p[0] != ':') return (struct fr_span){NULL, 0};
        if (has_port) port = fr_span(port.p + 1, port.n - 1);
    } else {
        has_port = fr_span_cut(authority, ':', &host, &port);
    }
    for (size_t i = 0; has_port && i < port.n; i++)
        if (port.p[i] < '0' || port.p[i] > '9') return (struct fr_span){NULL, 0};
    return host;
}

bool fr_service_answers(enum fr_service service, const char *federation, struct fr_span authority)
{
    bool is_v6 = false;
    struct fr_ip ip;

    if (authority.n == 0) return true;
    struct fr_span host = host_of(authority, &is_v6);
    if (host.n == 0) return false;
    if (fr_ip_parse(host, &ip) == FR_OK) return is_v6 == (ip.family == 6);
    if (is_v6) return false;
    if (host.p[host.n - 1] == '.')
        host.n--; /* a full stop at the end is the same name, RFC 1034 3.1 */
    switch (service) {
    case FR_SERVICE_BROKER: return is_service_name(host, "broker", federation);
    case FR_SERVICE_CA: return is_service_name(host, "ca", federation);
    case FR_SERVICE_NONE: break;
    }
    return false;
}
