#include "x509/csr.h"

#include "x509/openssl.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <ctype.h>
#include <string.h>

static enum fr_err csr_write_pem(X509_REQ *req, struct fr_buf *out)
{
    BIO *bio = BIO_new(BIO_s_mem());
    enum fr_err err = FR_OK;

    if (bio == NULL) return fr_x509_fault(FR_E_NOMEM);
    if (PEM_write_bio_X509_REQ(bio, req) != 1)
        err = fr_x509_fault(FR_E_INTERNAL);
    else
        err = fr_bio_drain(bio, out);
    BIO_free(bio);
    return err;
}

enum fr_err fr_csr_build(const struct fr_key *key, const char *common_name, struct fr_buf *out)
{
    X509_REQ *req = X509_REQ_new();
    X509_NAME *subject = X509_NAME_new();
    /* Ed25519 hashes by itself and refuses a digest. */
    const EVP_MD *digest = EVP_PKEY_is_a(key->pkey, "ED25519") == 1 ? NULL : EVP_sha256();
    enum fr_err err = FR_OK;

    if (req == NULL || subject == NULL ||
        X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_ASC,
                                   (const unsigned char *)common_name, -1, -1, 0) != 1 ||
        X509_REQ_set_version(req, X509_REQ_VERSION_1) != 1 ||
        X509_REQ_set_subject_name(req, subject) != 1 || X509_REQ_set_pubkey(req, key->pkey) != 1 ||
        X509_REQ_sign(req, key->pkey, digest) <= 0)
        err = fr_x509_fault(FR_E_INTERNAL);
    else
        err = csr_write_pem(req, out);
    X509_NAME_free(subject);
    X509_REQ_free(req);
    return err;
}

static struct fr_span trim(struct fr_span in)
{
    while (in.n > 0 && isspace(in.p[0])) in.p++, in.n--;
    while (in.n > 0 && isspace(in.p[in.n - 1])) in.n--;
    return in;
}

/* The PEM reader skips whatever stands before the armour; we do not, and nothing may stand behind
 * it either. */
static X509_REQ *csr_read_pem(struct fr_span in)
{
    BIO *bio = fr_bio_over(in);
    X509_REQ *req = NULL;
    bool is_all_used = false;

    if (bio == NULL) return NULL;
    req = PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL);
    is_all_used = BIO_pending(bio) == 0;
    BIO_free(bio);
    if (req != NULL && is_all_used) return req;
    X509_REQ_free(req);
    return NULL;
}

X509_REQ *fr_csr_decode(struct fr_span in)
{
    static const char ARMOUR[] = "-----BEGIN ";
    struct fr_span text = trim(in);
    const unsigned char *at = in.p;
    X509_REQ *req = NULL;

    if (text.n >= sizeof ARMOUR - 1 && memcmp(text.p, ARMOUR, sizeof ARMOUR - 1) == 0)
        return csr_read_pem(text);
    if (in.n == 0) return NULL;
    req = d2i_X509_REQ(NULL, &at, (long)in.n);
    if (req != NULL && at == in.p + in.n) return req; /* d2i is content to leave junk behind */
    X509_REQ_free(req);
    return NULL;
}

enum fr_err fr_csr_parse(struct fr_span in, struct fr_diag *diag, struct fr_key **out_key)
{
    X509_REQ *req = NULL;
    EVP_PKEY *pkey = NULL;
    struct fr_key *key = NULL;
    enum fr_err err = FR_OK;

    if (in.n > FR_CSR_MAX) {
        return fr_diag_fail(diag, FR_E_LIMIT, "the certificate request is longer than %d bytes",
                            FR_CSR_MAX);
    }
    req = fr_csr_decode(in);
    if (req == NULL) {
        err = fr_x509_fault(FR_E_MALFORMED);
        (void)fr_diag_fail(diag, err, "not a PKCS#10 certificate request, or more than one");
        fr_diag_hint(diag, "make one with: fedroam cert request");
        goto out;
    }
    pkey = X509_REQ_get_pubkey(req);
    if (pkey == NULL) {
        err = fr_diag_fail(diag, fr_x509_fault(FR_E_DENIED),
                           "the certificate request holds a public key of an unknown kind");
        goto out;
    }
    err = fr_key_give(pkey, &key);
    if (err) goto out;
    err = fr_key_check_policy(key, diag);
    if (err) goto out;
    if (X509_REQ_verify(req, key->pkey) != 1) {
        err = fr_diag_fail(diag, fr_x509_fault(FR_E_CRYPTO),
                           "the certificate request is not signed by its own key");
        goto out;
    }
    *out_key = key;
    key = NULL;
out:
    ERR_clear_error();
    fr_key_free(key);
    X509_REQ_free(req);
    return err;
}
