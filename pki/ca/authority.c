#include "ca/authority.h"

#include "base/file.h"
#include "base/mem.h"
#include "ca/crl.h"
#include "ca/issuing.h"
#include "store/authority.h"
#include "x509/key_uri.h"

#include <stdio.h>
#include <string.h>

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
    const struct fr_issuing_dates dates = {now_s, FR_ISSUING_LIFETIME_S};
    struct fr_authority_texts texts;
    struct fr_cert_spec spec;
    enum fr_err err = fr_root_fill(federation, now_s, &texts, &spec);

    if (!err) err = make_one(&spec, out, diag, &out->root_key, &out->root);
    if (!err) err = fr_cert_read_fields(out->root, &out->root_fields);
    if (!err) err = fr_issuing_name(now_s, 0, out->issuing_name);
    if (!err)
        err = fr_issuing_fill(federation, out->issuing_name, dates, &out->root_fields, true, &texts,
                              &spec);
    if (!err) err = make_one(&spec, out, diag, &out->issuing_key, &out->issuing);
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

/* The root's first list names nobody; issuing CAs say that it is there. */
static enum fr_err save_list(const struct fr_authority_pair *pair, const char *dir, int64_t now_s,
                             struct fr_diag *diag)
{
    const struct fr_crl_spec spec = {(uint64_t)now_s * 1000, now_s, now_s + FR_ROOT_CRL_LIFETIME_S};
    struct fr_buf der = FR_BUF_INIT(FR_CRL_MAX);
    struct fr_crl_draft *draft = NULL;
    struct fr_crl_fields made;
    enum fr_err err = fr_crl_draft_new(&draft);

    if (!err) err = fr_crl_sign(draft, &spec, pair->root, pair->root_key, diag, &der, &made);
    if (!err) err = fr_crl_put(dir, FR_ROOT_NAME, fr_buf_span(&der), diag);
    fr_buf_deinit(&der);
    return err;
}

enum fr_err fr_authority_pair_save(const struct fr_authority_pair *pair,
                                   const struct fr_authority_places *places, struct fr_diag *diag)
{
    const char *dir = places->dir;
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
    err = fr_key_save_locked(pair->issuing_key, path, places->issuing_passphrase, diag);
    if (err) return err;
    (void)snprintf(path, sizeof path, "%s/ca/%s.pem", dir, pair->issuing_name);
    err = save_cert(pair->issuing, path, diag);
    if (!err) err = save_list(pair, dir, places->now_s, diag);
    if (err) return err;
    return fr_key_save_locked(pair->root_key, places->root_key, places->root_passphrase,
                              diag); /* last: it may lie outside dir */
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
        enter_one(change, FR_ROOT_NAME, FR_AUTHORITY_ROOT, pair->root, &pair->root_fields, diag);

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
