#include "ca/adopt.h"

#include "base/mem.h"
#include "ca/issuing.h"
#include "ca/profile.h"
#include "ca/subject.h"
#include "store/authority.h"
#include "store/unknown.h"
#include "x509/cert.h"

#include <stdio.h>
#include <string.h>

struct adopting {
    struct fr_change *change;
    const char *federation;
    struct fr_cert *cert;
    struct fr_cert_fields fields;
    struct fr_authority_row authority; /* that signed it; name "" while it is not known */
    struct fr_subject subject;
    char member[FR_MEMBER_ID_MAX + 1]; /* "": a broker's */
    char host[FR_HOST_MAX + 1];        /* of a broker */
    struct fr_cert_row before;         /* the latest for the same; not_after_s 0: none */
};

/* --- who signed it --- */

static enum fr_err try_authority(void *data, const struct fr_authority_row *row)
{
    struct adopting *a = data;
    struct fr_cert *issuing = NULL;

    if (row->kind != FR_AUTHORITY_ISSUING || row->der_size == 0) return FR_OK;
    enum fr_err err = fr_cert_parse(fr_span(row->der, row->der_size), &issuing);
    if (!err && fr_cert_is_issued_by(a->cert, issuing)) a->authority = *row;
    fr_cert_free(issuing);
    return err;
}

static enum fr_err verify(struct adopting *a, struct fr_diag *diag)
{
    struct fr_authority_row root_row;
    struct fr_cert *root = NULL, *issuing = NULL;
    struct fr_snap *snap = fr_change_snap(a->change);
    enum fr_err err = fr_authority_each(snap, try_authority, a);

    if (err) return err;
    if (a->authority.name[0] == '\0')
        return fr_diag_fail(diag, FR_E_CRYPTO, "no issuing CA of this federation signed it");
    if (!fr_authority_is_trusted(&a->authority))
        return fr_diag_fail(diag, FR_E_REVOKED, "the CA %s that signed it is %s", a->authority.name,
                            fr_authority_state_text(a->authority.state));
    if (a->fields.not_after_s < fr_change_now(a->change))
        return fr_diag_fail(diag, FR_E_EXPIRED, "it has expired");
    err = fr_authority_get(snap, FR_ROOT_NAME, &root_row);
    if (!err) err = fr_cert_parse(fr_span(root_row.der, root_row.der_size), &root);
    if (!err) err = fr_cert_parse(fr_span(a->authority.der, a->authority.der_size), &issuing);
    if (!err)
        err = fr_cert_verify(a->cert, issuing, root, FR_CERT_FOR_CLIENT, fr_change_now(a->change),
                             diag);
    fr_cert_free(issuing);
    fr_cert_free(root);
    return err;
}

/* --- for whom --- */

/* The member of spiffe://<fed>/member/<id>/<what>. */
static bool read_member(struct adopting *a)
{
    char prefix[FR_CERT_URI_TEXT];
    struct fr_span id, rest;

    (void)snprintf(prefix, sizeof prefix, "spiffe://%s/member/", a->federation);
    if (a->fields.uri_count != 1) return false;
    const struct fr_span uri = fr_span_str(a->fields.uri[0]);
    if (!fr_span_starts(uri, prefix)) return false;
    rest = fr_span(uri.p + strlen(prefix), uri.n - strlen(prefix));
    return fr_span_cut(rest, '/', &id, &rest) && fr_span_copy(id, a->member, sizeof a->member);
}

/* A broker's certificate has broker.<fed>, ca.<fed> and <host>.<fed>: the host tells one broker from another. */
static enum fr_err read_broker(struct adopting *a, struct fr_diag *diag)
{
    struct fr_cert_name name;

    for (size_t i = 1; i < a->fields.dns_count; i++) {
        if (fr_cert_name_parse(fr_span_str(a->fields.dns[i]), a->federation, &name) != FR_OK ||
            name.kind != FR_CERT_HOST ||
            !fr_span_copy(fr_span_str(name.label), a->host, sizeof a->host))
            continue;
        a->subject.profile = FR_PROFILE_BROKER;
        a->subject.host = a->host;
        return FR_OK;
    }
    return fr_diag_fail(diag, FR_E_UNSUPPORTED, "it does not say which host it is for");
}

static enum fr_err read_subject(struct adopting *a, struct fr_diag *diag)
{
    struct fr_cert_name name;

    if (a->fields.dns_count == 0 ||
        fr_cert_name_parse(fr_span_str(a->fields.dns[0]), a->federation, &name) != FR_OK)
        return fr_diag_fail(diag, FR_E_UNSUPPORTED, "its name is none of this federation's");
    switch (name.kind) {
    case FR_CERT_MEMBER: a->subject.profile = FR_PROFILE_DOH; break;
    case FR_CERT_NETID: a->subject.profile = FR_PROFILE_NS; break;
    case FR_CERT_JOINEUI: a->subject.profile = FR_PROFILE_JS; break;
    case FR_CERT_BROKER: return read_broker(a, diag);
    case FR_CERT_CA:
    case FR_CERT_HOST:
        return fr_diag_fail(diag, FR_E_UNSUPPORTED, "its first name is none of a certificate's");
    }
    if (!read_member(a))
        return fr_diag_fail(diag, FR_E_UNSUPPORTED, "it does not say which member it is for");
    a->subject.member = a->member;
    a->subject.netid = name.netid;
    a->subject.joineui = name.joineui;
    return fr_subject_check(a->change, &a->subject, diag);
}

static enum fr_err look_before(void *data, const struct fr_cert_row *row)
{
    struct adopting *a = data;

    if (row->profile != a->subject.profile || row->status == FR_CERT_INTENT ||
        (row->profile == FR_PROFILE_NS && row->netid != a->subject.netid) ||
        (row->profile == FR_PROFILE_JS && row->joineui != a->subject.joineui) ||
        (row->profile == FR_PROFILE_BROKER && strcmp(row->host, a->host) != 0))
        return FR_OK;
    if (row->not_after_s > a->before.not_after_s) a->before = *row;
    return FR_OK;
}

/* --- the row --- */

static enum fr_err fill_row(struct adopting *a, const struct fr_adopt_request *request,
                            struct fr_cert_row *row)
{
    const struct fr_cert_fields *f = &a->fields;
    enum fr_err err = fr_cert_row_each_of(fr_change_snap(a->change), a->member, look_before, a);

    if (err) return err;
    *row = (struct fr_cert_row){.profile = a->subject.profile,
                                .rights = fr_profile_rights(a->subject.profile),
                                .not_before_s = f->not_before_s,
                                .not_after_s = f->not_after_s};
    memcpy(row->serial, f->serial, FR_SERIAL_SIZE);
    memcpy(row->spki, f->spki_sha256, sizeof row->spki);
    (void)snprintf(row->member, sizeof row->member, "%s", a->member);
    (void)snprintf(row->authority, sizeof row->authority, "%s", a->authority.name);
    if (row->profile == FR_PROFILE_NS) row->netid = a->subject.netid;
    if (row->profile == FR_PROFILE_JS) row->joineui = a->subject.joineui;
    (void)snprintf(row->host, sizeof row->host, "%s", a->host);
    if (a->before.not_after_s > 0) {
        row->rights = a->before.rights;
        (void)snprintf(row->host, sizeof row->host, "%s", a->before.host);
    }
    if (request->has_rights) row->rights = request->rights;
    for (size_t i = 0; i < f->dns_count && i < FR_ROW_NAMES_MAX; i++, row->n_names++)
        (void)snprintf(row->names[i], sizeof row->names[i], "%.*s", FR_DNS_NAME_MAX, f->dns[i]);
    return FR_OK;
}

/* FR_E_NOT_FOUND: there is none of that serial. */
static enum fr_err look_there(const struct adopting *a, struct fr_diag *diag,
                              struct fr_cert_row *row)
{
    enum fr_err err = fr_cert_row_get(fr_change_snap(a->change), a->fields.serial, row);

    if (err) return err;
    if (row->status == FR_CERT_REVOKED) return fr_diag_fail(diag, FR_E_REVOKED, "it is revoked");
    if (row->status == FR_CERT_ISSUED &&
        memcmp(row->sha256, a->fields.sha256, sizeof row->sha256) == 0)
        return FR_OK;
    return fr_diag_fail(diag, FR_E_CONFLICT, "another certificate has its serial");
}

static enum fr_err enter(struct adopting *a, const struct fr_adopt_request *request,
                         struct fr_diag *diag, struct fr_cert_row *row)
{
    enum fr_err err = fill_row(a, request, row);

    if (!err) err = fr_cert_row_intend(a->change, row, diag);
    if (!err)
        err = fr_cert_row_issue(a->change, row->serial, request->der, a->fields.sha256,
                                row->not_before_s, row->not_after_s, diag);
    if (err) return err;
    err = fr_unknown_forget(a->change, row->serial);
    return err == FR_E_NOT_FOUND ? FR_OK : err;
}

enum fr_err fr_ca_adopt(struct fr_change *change, const struct fr_adopt_request *request,
                        struct fr_diag *diag, struct fr_cert_row *row)
{
    struct adopting *a = fr_calloc(1, sizeof *a);

    if (a == NULL) return FR_E_NOMEM;
    a->change = change;
    a->federation = fr_store_federation(fr_snap_store(fr_change_snap(change)));
    enum fr_err err = fr_cert_parse(request->der, &a->cert);
    if (!err) err = fr_cert_read_fields(a->cert, &a->fields);
    if (!err && a->fields.serial_len != FR_SERIAL_SIZE) err = FR_E_MALFORMED;
    if (err) {
        (void)fr_diag_fail(diag, err, "that is no certificate of ours");
        goto out;
    }
    err = look_there(a, diag, row);
    if (err != FR_E_NOT_FOUND) goto out;
    err = verify(a, diag);
    if (!err) err = read_subject(a, diag);
    if (!err) err = enter(a, request, diag, row);
    if (!err) err = fr_cert_row_get(fr_change_snap(change), row->serial, row);
out:
    fr_cert_free(a->cert);
    fr_free(a);
    return err;
}
