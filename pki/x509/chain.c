#include "x509/cert.h"

#include "base/file.h"
#include "base/mem.h"
#include "x509/openssl.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

struct fr_chain {
    size_t count;
    struct fr_cert *certs[FR_CHAIN_MAX];
};

static enum fr_err chain_push(struct fr_chain *chain, X509 *x509)
{
    if (chain->count == FR_CHAIN_MAX) {
        X509_free(x509);
        return FR_E_LIMIT;
    }
    enum fr_err err = fr_cert_give(x509, &chain->certs[chain->count]);
    if (!err) chain->count++;
    return err;
}

/* Reads certificates until the PEM reader finds no further start line; any other reason to stop is
 * a broken file. */
static enum fr_err chain_read_pem(struct fr_span pem, struct fr_chain *chain)
{
    BIO *bio = fr_bio_over(pem);
    X509 *x509 = NULL;
    enum fr_err err = FR_OK;

    if (bio == NULL) return fr_x509_fault(FR_E_NOMEM);
    while (!err && (x509 = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL)
        err = chain_push(chain, x509);
    BIO_free(bio);
    if (!err && ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) err = FR_E_MALFORMED;
    if (!err && chain->count == 0) err = FR_E_MALFORMED;
    ERR_clear_error();
    return err;
}

enum fr_err fr_chain_load(const char *path, struct fr_diag *diag, struct fr_chain **out)
{
    struct fr_buf pem = FR_BUF_INIT(FR_CERT_FILE_MAX);
    struct fr_chain *chain = fr_calloc(1, sizeof *chain);
    enum fr_err err = chain == NULL ? FR_E_NOMEM : FR_OK;

    if (err) goto out;
    err = fr_file_read(path, diag, &pem);
    if (err) goto out;
    err = chain_read_pem(fr_buf_span(&pem), chain);
    if (err) {
        (void)fr_diag_fail(diag, err, "not a file of 1 to %d certificates in PEM form",
                           FR_CHAIN_MAX);
        fr_diag_where(diag, path, 0, 0);
        goto out;
    }
    for (size_t i = 0; i + 1 < chain->count && !err; i++) {
        if (!fr_cert_is_issued_by(chain->certs[i], chain->certs[i + 1])) {
            err = fr_diag_fail(diag, FR_E_MALFORMED,
                               "certificate %zu was not issued by certificate %zu", i + 1, i + 2);
            fr_diag_where(diag, path, 0, 0);
            fr_diag_hint(diag, "the order is: own certificate first, then the one that issued it");
        }
    }
    if (err) goto out;
    *out = chain;
    chain = NULL;
out:
    fr_chain_free(chain);
    fr_buf_deinit(&pem);
    return err;
}

size_t fr_chain_count(const struct fr_chain *chain)
{
    return chain->count;
}

const struct fr_cert *fr_chain_at(const struct fr_chain *chain, size_t i)
{
    return i < chain->count ? chain->certs[i] : NULL;
}

void fr_chain_free(struct fr_chain *chain)
{
    if (chain == NULL) return;
    for (size_t i = 0; i < chain->count; i++) fr_cert_free(chain->certs[i]);
    fr_free(chain);
}

enum fr_err fr_cert_load(const char *path, struct fr_diag *diag, struct fr_cert **out)
{
    struct fr_chain *chain = NULL;
    enum fr_err err = fr_chain_load(path, diag, &chain);

    if (err) return err;
    if (chain->count != 1) {
        err =
            fr_diag_fail(diag, FR_E_MALFORMED, "one certificate expected, %zu found", chain->count);
        fr_diag_where(diag, path, 0, 0);
    } else {
        *out = chain->certs[0];
        chain->count = 0; /* given to the caller */
    }
    fr_chain_free(chain);
    return err;
}
