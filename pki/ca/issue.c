#include "ca/issue.h"

#include "ca/subject.h"
#include "store/policy.h"
#include "x509/csr.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static enum fr_err choose_lifetime(struct fr_snap *snap, const struct fr_issue_request *request,
                                   struct fr_diag *diag, uint32_t *out)
{
    static const enum fr_policy_key KEY[] = {
        [FR_PROFILE_BROKER] = FR_POLICY_LIFETIME_BROKER,
        [FR_PROFILE_DOH] = FR_POLICY_LIFETIME_DOH,
        [FR_PROFILE_NS] = FR_POLICY_LIFETIME_NS,
        [FR_PROFILE_JS] = FR_POLICY_LIFETIME_JS,
    };
    uint32_t longest = 0;
    enum fr_err err = fr_policy_get(snap, KEY[request->subject.profile], &longest);

    if (err) return err;
    if (request->lifetime_s > longest) {
        (void)fr_diag_fail(diag, FR_E_RANGE, "a certificate of profile %s lives %u seconds at most",
                           fr_profile_text(request->subject.profile), longest);
        fr_diag_hint(diag, "fedroam policy set %s TIME",
                     fr_policy_about(KEY[request->subject.profile])->name);
        return FR_E_RANGE;
    }
    *out = request->lifetime_s != 0 ? request->lifetime_s : longest;
    return FR_OK;
}

static void fill_row(const struct fr_ca *ca, const struct fr_issue_request *request,
                     struct fr_issue *issue)
{
    const struct fr_subject *s = &request->subject;
    struct fr_cert_row *row = &issue->row;

    memcpy(row->serial, issue->spec.serial, FR_SERIAL_SIZE);
    row->status = FR_CERT_INTENT;
    row->profile = s->profile;
    if (s->host != NULL) (void)snprintf(row->host, sizeof row->host, "%s", s->host);
    if (s->profile != FR_PROFILE_BROKER)
        (void)snprintf(row->member, sizeof row->member, "%s", s->member);
    if (s->profile == FR_PROFILE_NS) row->netid = s->netid;
    if (s->profile == FR_PROFILE_JS) row->joineui = s->joineui;
    row->rights = request->rights != 0 ? request->rights : fr_profile_rights(s->profile);
    row->n_names = (uint8_t)issue->names.dns_count;
    for (size_t i = 0; i < issue->names.dns_count; i++)
        (void)snprintf(row->names[i], sizeof row->names[i], "%.*s", FR_DNS_NAME_MAX,
                       issue->names.dns[i]);
    row->not_before_s = issue->spec.not_before_s;
    row->not_after_s = issue->spec.not_after_s;
    (void)snprintf(row->authority, sizeof row->authority, "%s", fr_ca_name(ca));
}

/* Where to ask whether it is revoked, unless the federation serves no list. */
static enum fr_err choose_point(const struct fr_ca *ca, struct fr_snap *snap,
                                struct fr_profile_names *names)
{
    uint32_t point = 0;
    enum fr_err err = fr_policy_get(snap, FR_POLICY_CRL_POINT, &point);

    if (err || point == FR_CRL_POINT_NONE) return err;
    return fr_profile_point(fr_ca_federation(ca), fr_ca_name(ca), names);
}

/* Names, dates and serial of the certificate to be. */
static enum fr_err describe(const struct fr_ca *ca, struct fr_snap *snap, int64_t now_s,
                            const struct fr_issue_request *request, struct fr_diag *diag,
                            struct fr_issue *issue)
{
    struct fr_cert_fields issuer;
    uint32_t lifetime_s = 0;
    enum fr_err err = fr_profile_name(&request->subject, fr_ca_federation(ca), diag, &issue->names);

    if (!err) err = choose_point(ca, snap, &issue->names);
    if (!err) err = choose_lifetime(snap, request, diag, &lifetime_s);
    if (!err) err = fr_cert_read_fields(fr_ca_issuing(ca), &issuer);
    if (err) return err;
    err = fr_profile_fill(&issue->names, request->subject.profile, fr_ca_federation(ca), now_s,
                          lifetime_s, &issuer, &issue->spec);
    if (err == FR_E_EXPIRED)
        return fr_diag_fail(diag, err, "the issuing CA %s is not valid now", fr_ca_name(ca));
    if (err) return err;
    return fr_serial_make(issue->spec.serial);
}

struct pins {
    const uint8_t *spki;
    size_t n;
    bool has_it;
};

static enum fr_err count_pin(void *data, const uint8_t spki[FR_DIGEST_SIZE], int64_t not_after_s)
{
    struct pins *pins = data;

    (void)not_after_s;
    pins->n++;
    if (memcmp(spki, pins->spki, FR_DIGEST_SIZE) == 0) pins->has_it = true;
    return FR_OK;
}

/* A key that is not published is refused by every peer: better no certificate than that one. */
static enum fr_err check_pins(struct fr_change *change, const struct fr_issue *issue,
                              struct fr_diag *diag)
{
    const struct fr_cert_row *row = &issue->row;
    struct pins pins = {.spki = row->spki};

    if (row->profile != FR_PROFILE_NS) return FR_OK;
    enum fr_err err =
        fr_pin_each(fr_change_snap(change), row->netid, fr_change_now(change), count_pin, &pins);
    if (err || pins.has_it || pins.n < FR_PINS_MAX) return err;
    (void)fr_diag_fail(diag, FR_E_CONFLICT,
                       "%06" PRIx32 " has %d live keys, as many as can be published for it",
                       row->netid, FR_PINS_MAX);
    fr_diag_hint(diag, "renew with the same key, or revoke certificates that are no longer used "
                       "(cert list)");
    return FR_E_CONFLICT;
}

enum fr_err fr_ca_intend(struct fr_ca *ca, struct fr_change *change,
                         const struct fr_issue_request *request, struct fr_diag *diag,
                         struct fr_issue *issue)
{
    enum fr_err err = fr_ca_expect_issuing(ca, diag);

    if (!err) err = fr_csr_parse(request->csr, diag, &issue->key);
    if (!err) err = fr_subject_check(change, &request->subject, diag);
    if (!err)
        err = describe(ca, fr_change_snap(change), fr_change_now(change), request, diag, issue);
    if (err) return err;
    fill_row(ca, request, issue);
    err = fr_key_spki_sha256(issue->key, issue->row.spki);
    if (!err) err = check_pins(change, issue, diag);
    return err ? err : fr_cert_row_intend(change, &issue->row, diag);
}

enum fr_err fr_ca_sign(struct fr_ca *ca, int64_t now_s, struct fr_diag *diag,
                       struct fr_issue *issue)
{
    const struct fr_cert *root = fr_ca_root(ca);
    const struct fr_cert *issuing = fr_ca_issuing(ca);
    struct fr_cert *cert = NULL;
    enum fr_err err = fr_cert_sign(&issue->spec, issue->key, issuing, fr_ca_key(ca), &cert);

    if (!err) err = fr_cert_lint(cert, &issue->spec, issue->key, diag);
    if (!err) err = fr_cert_verify(cert, issuing, root, FR_CERT_FOR_CLIENT, now_s, diag);
    if (!err && issue->spec.server)
        err = fr_cert_verify(cert, issuing, root, FR_CERT_FOR_SERVER, now_s, diag);
    if (err) {
        fr_cert_free(cert);
        return err;
    }
    issue->cert = cert;
    return FR_OK;
}

enum fr_err fr_ca_finish(struct fr_change *change, struct fr_diag *diag, struct fr_issue *issue)
{
    struct fr_cert_row *row = &issue->row;
    struct fr_cert_fields fields;
    struct fr_buf der = FR_BUF_INIT(FR_CERT_MAX);
    enum fr_err err = fr_cert_read_fields(issue->cert, &fields);

    if (!err) err = fr_cert_write_der(issue->cert, &der);
    if (!err)
        err = fr_cert_row_issue(change, row->serial, fr_buf_span(&der), fields.sha256,
                                fields.not_before_s, fields.not_after_s, diag);
    if (!err) {
        row->status = FR_CERT_ISSUED;
        memcpy(row->sha256, fields.sha256, FR_DIGEST_SIZE);
    }
    fr_buf_deinit(&der);
    return err;
}

static enum fr_err commit_intent(struct fr_ca *ca, struct fr_store *store,
                                 const struct fr_change_by *by,
                                 const struct fr_issue_request *request, struct fr_diag *diag,
                                 struct fr_issue *issue)
{
    struct fr_change *change = NULL;
    uint64_t sequence = 0;
    enum fr_err err = fr_store_change(store, by, diag, &change);

    if (err) return err;
    err = fr_ca_intend(ca, change, request, diag, issue);
    if (!err) return fr_change_commit(change, diag, &sequence);
    fr_change_cancel(change);
    return err;
}

static enum fr_err commit_issued(struct fr_store *store, const struct fr_change_by *by,
                                 struct fr_diag *diag, struct fr_issue *issue)
{
    struct fr_change *change = NULL;
    uint64_t sequence = 0;
    enum fr_err err = fr_store_change(store, by, diag, &change);

    if (err) return err;
    err = fr_ca_finish(change, diag, issue);
    if (!err) return fr_change_commit(change, diag, &sequence);
    fr_change_cancel(change);
    return err;
}

enum fr_err fr_ca_issue(struct fr_ca *ca, struct fr_store *store, const struct fr_change_by *by,
                        const struct fr_issue_request *request, struct fr_diag *diag,
                        struct fr_issue *issue)
{
    enum fr_err err = commit_intent(ca, store, by, request, diag, issue);

    return err ? err : fr_ca_complete(ca, store, by, diag, issue);
}

enum fr_err fr_ca_complete(struct fr_ca *ca, struct fr_store *store, const struct fr_change_by *by,
                           struct fr_diag *diag, struct fr_issue *issue)
{
    enum fr_err err = fr_ca_sign(ca, by->now_s, diag, issue);

    return err ? err : commit_issued(store, by, diag, issue);
}

enum fr_err fr_issue_write_chain(const struct fr_issue *issue, const struct fr_ca *ca,
                                 struct fr_buf *out)
{
    enum fr_err err = fr_cert_write_pem(issue->cert, out);

    if (!err) err = fr_cert_write_pem(fr_ca_issuing(ca), out);
    return err;
}

void fr_issue_deinit(struct fr_issue *issue)
{
    fr_key_free(issue->key);
    fr_cert_free(issue->cert);
    *issue = (struct fr_issue)FR_ISSUE_INIT;
}
