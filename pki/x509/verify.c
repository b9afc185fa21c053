#include "x509/cert.h"
#include "x509/openssl.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

static enum fr_err run_verify(X509_STORE_CTX *ctx, enum fr_cert_purpose purpose, int64_t now_s,
                              struct fr_diag *diag)
{
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
    int wanted = purpose == FR_CERT_FOR_SERVER ? X509_PURPOSE_SSL_SERVER : X509_PURPOSE_SSL_CLIENT;

    X509_VERIFY_PARAM_set_time(param, (time_t)now_s);
    X509_VERIFY_PARAM_set_auth_level(param, 2); /* of FR_X509_SECURITY_BITS */
    if (X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_X509_STRICT) != 1 ||
        X509_VERIFY_PARAM_set_purpose(param, wanted) != 1)
        return fr_x509_fault(FR_E_INTERNAL);
    if (X509_verify_cert(ctx) == 1) return FR_OK;

    int why = X509_STORE_CTX_get_error(ctx);
    return fr_diag_fail(diag, why == X509_V_ERR_OUT_OF_MEM ? FR_E_NOMEM : FR_E_CRYPTO,
                        "the certificate does not verify: %s", X509_verify_cert_error_string(why));
}

enum fr_err fr_cert_verify(const struct fr_cert *leaf, const struct fr_cert *issuing,
                           const struct fr_cert *root, enum fr_cert_purpose purpose, int64_t now_s,
                           struct fr_diag *diag)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    STACK_OF(X509) *untrusted = sk_X509_new_null();
    enum fr_err err = FR_OK;

    if (store == NULL || ctx == NULL || untrusted == NULL ||
        X509_STORE_add_cert(store, root->x509) != 1 ||
        (issuing != NULL && sk_X509_push(untrusted, issuing->x509) <= 0) ||
        X509_STORE_CTX_init(ctx, store, leaf->x509, untrusted) != 1)
        err = fr_x509_fault(FR_E_INTERNAL);
    else
        err = run_verify(ctx, purpose, now_s, diag);
    sk_X509_free(untrusted); /* the stack alone: the certificates are the caller's */
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    ERR_clear_error();
    return err;
}
