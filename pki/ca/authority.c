#include "ca/authority.h"

#include "base/file.h"
#include "base/mem.h"
#include "ca/profile.h"
#include "store/authority.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* "fed.example Issuing CA 2026a"; where that is over X.520's 64 characters, without the
 * federation, which stands in O anyhow. */
static void print_common_name(const char *fed, const char *what, char out[FR_CERT_CN_MAX + 1])
{
    char whole[FR_FEDERATION_MAX + FR_CERT_CN_MAX + 2];

    (void)snprintf(whole, sizeof whole, "%s %s", fed, what);
    (void)snprintf(out, FR_CERT_CN_MAX + 1, "%.64s",
                   strlen(whole) <= FR_CERT_CN_MAX ? whole : what);
}

static enum fr_err make_one(struct fr_cert_spec *spec, const struct fr_authority_pair *pair,
                            struct fr_diag *diag, struct fr_key **out_key, struct fr_cert **out)
{
    struct fr_key *key = NULL;
    struct fr_cert *cert = NULL;
    enum fr_err err = fr_serial_make(spec->serial);

    if (!err) err = fr_key_generate(&key);
    if (!err)
        err = fr_cert_sign(spec, key, pair->root, pair->root != NULL ? pair->root_key : key, &cert);
    if (!err) err = fr_cert_lint(cert, spec, key, diag);
    if (err) {
        fr_key_free(key);
        fr_cert_free(cert);
        return err;
    }
    *out_key = key;
    *out = cert;
    return FR_OK;
}

enum fr_err fr_authority_pair_make(const char *federation, int64_t now_s, struct fr_diag *diag,
                                   struct fr_authority_pair *out)
{
    char what[2 * FR_CERT_CN_MAX];
    char name[FR_CERT_CN_MAX + 1];
    struct tm tm = {0};
    time_t now = (time_t)now_s;
    struct fr_cert_spec spec = {
        .kind = FR_X509_ROOT,
        .not_before_s = now_s - FR_BACKDATE_S,
        .not_after_s = now_s + FR_ROOT_LIFETIME_S - 1,
        .organisation = fr_profile_organisation(federation),
        .common_name = name,
    };
    enum fr_err err = FR_OK;

    if (gmtime_r(&now, &tm) == NULL) return FR_E_RANGE;
    (void)snprintf(what, sizeof what, "LoRaWAN Federation Root CA %d", tm.tm_year + 1900);
    print_common_name(federation, what, name);
    err = make_one(&spec, out, diag, &out->root_key, &out->root);
    if (err) return err;

    (void)snprintf(out->issuing_name, sizeof out->issuing_name, "%da", tm.tm_year + 1900);
    (void)snprintf(what, sizeof what, "Issuing CA %s", out->issuing_name);
    print_common_name(federation, what, name);
    char uri[FR_CERT_URI_TEXT];
    (void)snprintf(uri, sizeof uri, "spiffe://%s", federation);
    spec.kind = FR_X509_ISSUING;
    spec.not_after_s = now_s + FR_ISSUING_LIFETIME_S - 1;
    spec.server = spec.client =
        true; /* Go and webpki look for the use in every certificate of the chain */
    spec.permitted_dns = federation;
    spec.uri = uri;
    err = make_one(&spec, out, diag, &out->issuing_key, &out->issuing);
    if (!err) err = fr_cert_read_fields(out->root, &out->root_fields);
    if (!err) err = fr_cert_read_fields(out->issuing, &out->issuing_fields);
    return err;
}

static enum fr_err save_cert(const struct fr_cert *cert, const char *path, struct fr_diag *diag)
{
    struct fr_buf pem = FR_BUF_INIT(FR_CERT_FILE_MAX);
    enum fr_err err = fr_cert_write_pem(cert, &pem);

    if (!err) err = fr_file_create(path, 0600, fr_buf_span(&pem), diag);
    fr_buf_deinit(&pem);
    return err;
}

enum fr_err fr_authority_pair_save(const struct fr_authority_pair *pair, const char *dir,
                                   const char *root_key_path, struct fr_diag *diag)
{
    char path[4096];
    enum fr_err err = FR_OK;

    if (strlen(dir) + sizeof pair->issuing_name + 16 > sizeof path) return FR_E_LIMIT;
    (void)snprintf(path, sizeof path, "%s/root.pem", dir);
    err = save_cert(pair->root, path, diag);
    if (err) return err;
    (void)snprintf(path, sizeof path, "%s/ca", dir);
    err = fr_dir_make(path, 0700, diag);
    if (err) return err;
    (void)snprintf(path, sizeof path, "%s/ca/%s.key", dir, pair->issuing_name);
    err = fr_key_save_new(pair->issuing_key, path, diag);
    if (err) return err;
    (void)snprintf(path, sizeof path, "%s/ca/%s.pem", dir, pair->issuing_name);
    err = save_cert(pair->issuing, path, diag);
    if (err) return err;
    return fr_key_save_new(pair->root_key, root_key_path, diag); /* last: it may lie outside dir */
}

static enum fr_err enter_one(struct fr_change *change, const char *name,
                             enum fr_authority_kind kind, const struct fr_cert *cert,
                             const struct fr_cert_fields *fields, struct fr_diag *diag)
{
    struct fr_authority_row *row = fr_calloc(1, sizeof *row);
    struct fr_buf der = FR_BUF_INIT(FR_AUTHORITY_DER_MAX);
    enum fr_err err = row == NULL ? FR_E_NOMEM : fr_cert_write_der(cert, &der);

    if (err) goto out;
    (void)snprintf(row->name, sizeof row->name, "%s", name);
    row->kind = kind;
    row->state = FR_AUTHORITY_ACTIVE;
    row->not_before_s = fields->not_before_s;
    row->not_after_s = fields->not_after_s;
    memcpy(row->sha256, fields->sha256, sizeof row->sha256);
    row->der_size = (uint16_t)der.n;
    memcpy(row->der, der.p, der.n);
    err = fr_authority_add(change, row, diag);
out:
    fr_buf_deinit(&der);
    fr_free(row);
    return err;
}

enum fr_err fr_authority_pair_enter(const struct fr_authority_pair *pair, struct fr_change *change,
                                    struct fr_diag *diag)
{
    enum fr_err err =
        enter_one(change, "root", FR_AUTHORITY_ROOT, pair->root, &pair->root_fields, diag);

    if (err) return err;
    return enter_one(change, pair->issuing_name, FR_AUTHORITY_ISSUING, pair->issuing,
                     &pair->issuing_fields, diag);
}

void fr_authority_pair_deinit(struct fr_authority_pair *pair)
{
    fr_key_free(pair->root_key);
    fr_key_free(pair->issuing_key);
    fr_cert_free(pair->root);
    fr_cert_free(pair->issuing);
    *pair = (struct fr_authority_pair){0};
}
