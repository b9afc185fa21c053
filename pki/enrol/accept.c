#include "enrol/accept.h"

#include "base/mem.h"

#include <string.h>

static bool is_root(const struct fr_cert *cert, const uint8_t sha256[FR_SHA256_SIZE])
{
    struct fr_cert_fields *f = fr_malloc(sizeof *f);
    const bool is_it = f != NULL && fr_cert_read_fields(cert, f) == FR_OK && f->is_ca &&
                       memcmp(f->sha256, sha256, FR_SHA256_SIZE) == 0 &&
                       fr_cert_is_issued_by(cert, cert);

    fr_free(f);
    return is_it;
}

enum fr_err fr_accept_root(const struct fr_est_bag *bag, const uint8_t sha256[FR_SHA256_SIZE],
                           struct fr_diag *diag, struct fr_buf *pem)
{
    for (size_t i = 0; i < bag->n; i++)
        if (is_root(bag->certs[i], sha256)) return fr_cert_write_pem(bag->certs[i], pem);
    enum fr_err err = fr_diag_fail(diag, FR_E_AUTH,
                                   "the server there does not have the root certificate that the "
                                   "token names: nothing was sent to it");
    fr_diag_hint(diag, "do not go on: somebody stands in between, or the token is of another CA");
    return err;
}

static const struct fr_cert *issuer_of(const struct fr_cert *leaf, const struct fr_est_bag *bag)
{
    for (size_t i = 0; i < bag->n; i++)
        if (fr_cert_is_issued_by(leaf, bag->certs[i])) return bag->certs[i];
    return NULL;
}

static enum fr_err check_key(const struct fr_accept *want, const struct fr_cert *leaf,
                             struct fr_diag *diag)
{
    struct fr_key *key = NULL;
    enum fr_err err = fr_cert_dup_key(leaf, &key);

    if (!err && !fr_key_is_same(key, want->key))
        err = fr_diag_fail(diag, FR_E_CONFLICT, "the certificate is for another key");
    fr_key_free(key);
    return err;
}

static enum fr_err check_subject(const struct fr_accept *want, const struct fr_cert *leaf,
                                 struct fr_diag *diag)
{
    struct fr_cert_fields *f = fr_malloc(sizeof *f);
    struct fr_pair_subject subject;
    enum fr_err err = f ? fr_cert_read_fields(leaf, f) : FR_E_NOMEM;

    if (!err && fr_pair_subject_read(f, want->fed, &subject) != FR_OK)
        err = fr_diag_fail(diag, FR_E_CONFLICT, "the certificate is for nobody in %s", want->fed);
    if (!err && (subject.profile != want->profile ||
                 (want->name != NULL && strcmp(subject.name, want->name) != 0)))
        err = fr_diag_fail(diag, FR_E_CONFLICT,
                           "the certificate is for %s, which was not asked for", subject.name);
    fr_free(f);
    return err;
}

enum fr_err fr_accept_leaf(const struct fr_accept *want, const struct fr_cert *leaf,
                           const struct fr_est_bag *authorities, struct fr_diag *diag,
                           struct fr_buf *pem)
{
    const struct fr_cert *issuing = issuer_of(leaf, authorities);
    struct fr_cert *root = NULL;
    enum fr_err err = fr_cert_load(want->root, diag, &root);

    if (!err && issuing == NULL)
        err =
            fr_diag_fail(diag, FR_E_CRYPTO, "no authority of %s issued the certificate", want->fed);
    if (!err) err = fr_cert_verify(leaf, issuing, root, FR_CERT_FOR_CLIENT, want->now_s, diag);
    if (!err && want->profile != FR_WALLET_DOH)
        err = fr_cert_verify(leaf, issuing, root, FR_CERT_FOR_SERVER, want->now_s, diag);
    if (!err) err = check_key(want, leaf, diag);
    if (!err) err = check_subject(want, leaf, diag);
    if (!err) err = fr_cert_write_pem(leaf, pem);
    if (!err) err = fr_cert_write_pem(issuing, pem);
    fr_cert_free(root);
    return err;
}
