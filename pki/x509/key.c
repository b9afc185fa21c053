#include "x509/key.h"

#include "base/file.h"
#include "base/mem.h"
#include "x509/openssl.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <string.h>

enum { RSA_BITS_MIN = 2048, RSA_BITS_MAX = 4096, RSA_EXPONENT = 65537 };

enum fr_err fr_x509_fault(enum fr_err otherwise)
{
    enum fr_err err = otherwise;

    for (unsigned long e; (e = ERR_get_error()) != 0;) {
        if (ERR_GET_REASON(e) == ERR_R_MALLOC_FAILURE) err = FR_E_NOMEM;
    }
    return err;
}

enum fr_err fr_key_give(EVP_PKEY *pkey, struct fr_key **out)
{
    struct fr_key *key = fr_calloc(1, sizeof *key);

    if (key == NULL) {
        EVP_PKEY_free(pkey);
        return FR_E_NOMEM;
    }
    key->pkey = pkey;
    *out = key;
    return FR_OK;
}

BIO *fr_bio_over(struct fr_span bytes)
{
    return BIO_new_mem_buf(bytes.n > 0 ? (const void *)bytes.p : "", (int)bytes.n);
}

enum fr_err fr_bio_drain(BIO *bio, struct fr_buf *out)
{
    char *data = NULL;
    long n = BIO_get_mem_data(bio, &data);

    if (n < 0) return FR_E_INTERNAL;
    fr_buf_add(out, data, (size_t)n);
    return fr_buf_err(out);
}

enum fr_err fr_key_generate(struct fr_key **out)
{
    EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");

    if (pkey == NULL) return fr_x509_fault(FR_E_INTERNAL);
    return fr_key_give(pkey, out);
}

/* An encrypted file must fail here rather than ask on the terminal, which is what OpenSSL does
 * without a callback. */
static int no_passphrase(char *buf, int size, int rwflag, void *data)
{
    (void)buf, (void)size, (void)rwflag, (void)data;
    return -1;
}

static enum fr_err key_read_pem(struct fr_span pem, struct fr_key **out)
{
    BIO *bio = fr_bio_over(pem);
    EVP_PKEY *pkey = NULL;

    if (bio == NULL) return fr_x509_fault(FR_E_NOMEM);
    pkey = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
    BIO_free(bio);
    if (pkey == NULL) return fr_x509_fault(FR_E_MALFORMED);
    return fr_key_give(pkey, out);
}

enum fr_err fr_key_load(const char *path, struct fr_diag *diag, struct fr_key **out)
{
    struct fr_buf pem = FR_BUF_INIT(FR_KEY_FILE_MAX);
    enum fr_err err = FR_OK;

    err = fr_file_read_private(path, diag, &pem);
    if (err) goto out;
    err = key_read_pem(fr_buf_span(&pem), out);
    if (err == FR_E_MALFORMED) {
        (void)fr_diag_fail(diag, err, "not an unencrypted private key in PEM form");
        fr_diag_where(diag, path, 0, 0);
        fr_diag_hint(diag, "a key of fedroam starts with -----BEGIN PRIVATE KEY-----");
    }
out:
    fr_buf_deinit_secret(&pem);
    return err;
}

static enum fr_err key_write_pem(const struct fr_key *key, struct fr_buf *out)
{
    BIO *bio = BIO_new(BIO_s_secmem());
    enum fr_err err = FR_OK;

    if (bio == NULL) return fr_x509_fault(FR_E_NOMEM);
    if (PEM_write_bio_PKCS8PrivateKey(bio, key->pkey, NULL, NULL, 0, NULL, NULL) != 1)
        err = fr_x509_fault(FR_E_INTERNAL);
    else
        err = fr_bio_drain(bio, out);
    BIO_free(bio);
    return err;
}

enum fr_err fr_key_save_new(const struct fr_key *key, const char *path, struct fr_diag *diag)
{
    struct fr_buf pem = FR_BUF_INIT(FR_KEY_FILE_MAX);
    enum fr_err err = key_write_pem(key, &pem);

    if (!err) err = fr_file_create(path, 0600, fr_buf_span(&pem), diag);
    fr_buf_deinit_secret(&pem);
    return err;
}

/* A key whose parameters are spelled out instead of named is how CVE-2020-0601 was done. */
static bool ec_is_acceptable(const EVP_PKEY *pkey)
{
    char group[32] = "";
    char encoding[32] = "";

    if (EVP_PKEY_get_group_name(pkey, group, sizeof group, NULL) != 1) return false;
    if (EVP_PKEY_get_utf8_string_param(pkey, OSSL_PKEY_PARAM_EC_ENCODING, encoding, sizeof encoding,
                                       NULL) != 1)
        return false;
    return strcmp(encoding, OSSL_PKEY_EC_ENCODING_GROUP) == 0 &&
           (strcmp(group, "prime256v1") == 0 || strcmp(group, "secp384r1") == 0);
}

static bool rsa_is_acceptable(const EVP_PKEY *pkey)
{
    BIGNUM *e = NULL;
    int bits = EVP_PKEY_get_bits(pkey);
    bool ok = bits >= RSA_BITS_MIN && bits <= RSA_BITS_MAX &&
              EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e) == 1 &&
              BN_is_word(e, RSA_EXPONENT) == 1;

    BN_free(e);
    return ok;
}

/* EVP_PKEY_public_check on a huge RSA key costs seconds, so sizes are looked at first. */
static bool key_is_acceptable(EVP_PKEY *pkey)
{
    EVP_PKEY_CTX *ctx = NULL;
    bool ok = false;

    if (EVP_PKEY_is_a(pkey, "EC") == 1)
        ok = ec_is_acceptable(pkey);
    else if (EVP_PKEY_is_a(pkey, "RSA") == 1)
        ok = rsa_is_acceptable(pkey);
    else
        ok = EVP_PKEY_is_a(pkey, "ED25519") == 1;
    if (!ok) return false;

    ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    ok = ctx != NULL && EVP_PKEY_public_check(ctx) == 1;
    EVP_PKEY_CTX_free(ctx);
    return ok;
}

enum fr_err fr_key_check_policy(const struct fr_key *key, struct fr_diag *diag)
{
    bool ok = key_is_acceptable(key->pkey);

    ERR_clear_error();
    if (ok) return FR_OK;
    const char *type = EVP_PKEY_get0_type_name(key->pkey);
    (void)fr_diag_fail(diag, FR_E_DENIED, "a public key of kind %s, %d bits, is not accepted",
                       type != NULL ? type : "unknown", EVP_PKEY_get_bits(key->pkey));
    fr_diag_hint(
        diag, "use P-256, P-384 (named curve), Ed25519 or RSA of 2048 to 4096 bits with e = 65537");
    return FR_E_DENIED;
}

enum fr_err fr_key_spki_sha256(const struct fr_key *key, uint8_t out[FR_SHA256_SIZE])
{
    uint8_t *der = NULL;
    int n = i2d_PUBKEY(key->pkey, &der);
    size_t len = 0;
    enum fr_err err = FR_OK;

    if (n <= 0) return fr_x509_fault(FR_E_INTERNAL);
    if (EVP_Q_digest(NULL, "SHA256", NULL, der, (size_t)n, out, &len) != 1)
        err = fr_x509_fault(FR_E_INTERNAL);
    OPENSSL_free(der);
    return err;
}

bool fr_key_is_same(const struct fr_key *a, const struct fr_key *b)
{
    bool same = EVP_PKEY_eq(a->pkey, b->pkey) == 1;

    ERR_clear_error();
    return same;
}

void fr_key_free(struct fr_key *key)
{
    if (key == NULL) return;
    EVP_PKEY_free(key->pkey);
    fr_free(key);
}
