#include "x509/p12.h"

#include "x509/openssl.h"

#include <openssl/pkcs12.h>

static enum fr_err fill(const struct fr_chain *chain, STACK_OF(X509) * out)
{
    for (size_t i = 1; i < fr_chain_count(chain); i++) {
        X509 *cert = fr_chain_at(chain, i)->x509;
        if (X509_up_ref(cert) != 1) return fr_x509_fault(FR_E_INTERNAL);
        if (sk_X509_push(out, cert) <= 0) {
            X509_free(cert);
            return fr_x509_fault(FR_E_NOMEM);
        }
    }
    return FR_OK;
}

enum fr_err fr_p12_write(const struct fr_key *key, const struct fr_chain *chain, const char *name,
                         const char *passphrase, struct fr_buf *out)
{
    STACK_OF(X509) *others = sk_X509_new_null();
    PKCS12 *p12 = NULL;
    unsigned char *der = NULL;
    int size = -1;
    enum fr_err err = others == NULL ? fr_x509_fault(FR_E_NOMEM) : FR_OK;

    if (!err && passphrase[0] == '\0') err = FR_E_INVALID;
    if (!err) err = fill(chain, others);
    if (err) goto out;
    p12 = PKCS12_create(passphrase, name, key->pkey, fr_chain_at(chain, 0)->x509, others, 0, 0, 0,
                        0, 0);
    if (p12 != NULL) size = i2d_PKCS12(p12, &der);
    if (size <= 0) {
        err = fr_x509_fault(FR_E_INTERNAL);
        goto out;
    }
    fr_buf_add(out, der, (size_t)size);
    err = fr_buf_err(out);
out:
    if (der != NULL) OPENSSL_clear_free(der, (size_t)(size > 0 ? size : 0));
    PKCS12_free(p12);
    sk_X509_pop_free(others, X509_free);
    return err;
}
