#include "x509/key_uri.h"

#include "base/file.h"
#include "x509/openssl.h"
#include "x509/secret.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>

#include <string.h>

enum { SCRYPT_N = 16384, SCRYPT_R = 8, SCRYPT_P = 5, SALT_SIZE = 16 };

/* --- names --- */

/* The scheme of "scheme:rest" (RFC 3986 §3.1); without one it is a path. */
static size_t scheme_length(const char *uri)
{
    size_t n = strspn(uri, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");

    return uri[n] == ':' ? n : 0;
}

static enum fr_err path_of(const char *uri, struct fr_diag *diag, const char **out)
{
    size_t n = scheme_length(uri);

    if (n == 0) {
        *out = uri;
        return FR_OK;
    }
    if (n != 4 || strncmp(uri, "file", 4) != 0) {
        (void)fr_diag_fail(diag, FR_E_UNSUPPORTED, "keys at %.*s: are not spoken here", (int)n,
                           uri);
        fr_diag_hint(diag, "a key is in a file: file:PATH");
        return FR_E_UNSUPPORTED;
    }
    uri += 5;
    if (strncmp(uri, "///", 3) == 0) uri += 2; /* an empty authority: this machine */
    if (strncmp(uri, "//", 2) == 0)
        return fr_diag_fail(diag, FR_E_INVALID, "a file of another machine cannot be read");
    *out = uri;
    return FR_OK;
}

/* --- reading --- */

static bool is_locked(struct fr_span pem)
{
    static const char *const SIGNS[] = {"-----BEGIN ENCRYPTED PRIVATE KEY-----",
                                        "Proc-Type: 4,ENCRYPTED"};

    for (size_t i = 0; pem.n > 0 && i < 2; i++) {
        if (memmem(pem.p, pem.n, SIGNS[i], strlen(SIGNS[i])) != NULL) return true;
    }
    return false;
}

/* Copies what it was given; -1 where there is nothing, so that OpenSSL asks nobody by itself. */
static int give_passphrase(char *buf, int size, int rwflag, void *data)
{
    const struct fr_buf *passphrase = data;

    (void)rwflag;
    if (passphrase->n == 0 || passphrase->n > (size_t)size) return -1;
    memcpy(buf, passphrase->p, passphrase->n);
    return (int)passphrase->n;
}

static enum fr_err decode(struct fr_span pem, struct fr_buf *passphrase, struct fr_key **out)
{
    BIO *bio = fr_bio_over(pem);
    EVP_PKEY *pkey = NULL;

    if (bio == NULL) return fr_x509_fault(FR_E_NOMEM);
    pkey = PEM_read_bio_PrivateKey(bio, NULL, give_passphrase, passphrase);
    BIO_free(bio);
    if (pkey == NULL) return fr_x509_fault(FR_E_MALFORMED);
    return fr_key_give(pkey, out);
}

static enum fr_err ask(const struct fr_passphrase *passphrase, const char *path,
                       struct fr_diag *diag, struct fr_buf *out)
{
    enum fr_err err =
        passphrase == NULL ? FR_E_UNAVAILABLE : passphrase->ask(passphrase->data, path, diag, out);

    if (!err) err = fr_buf_err(out);
    if (!err && out->n == 0) err = FR_E_UNAVAILABLE;
    if (err != FR_E_UNAVAILABLE) return err;
    (void)fr_diag_fail(diag, err, "the key %s is locked, and its passphrase is not known", path);
    fr_diag_hint(diag, "give it with --passphrase-fd, or as the credential ca-passphrase");
    return err;
}

static enum fr_err unlock(struct fr_span pem, const struct fr_passphrase *passphrase,
                          const char *path, struct fr_diag *diag, struct fr_key **out)
{
    struct fr_buf text = FR_BUF_INIT(FR_PASSPHRASE_MAX);
    enum fr_err err = ask(passphrase, path, diag, &text);

    if (!err) {
        err = decode(pem, &text, out);
        if (err == FR_E_MALFORMED)
            err =
                fr_diag_fail(diag, FR_E_CRYPTO, "%s: that is not the passphrase of this key", path);
    }
    fr_buf_deinit_secret(&text);
    return err;
}

static enum fr_err give_span(void *data, const char *path, struct fr_diag *diag, struct fr_buf *out)
{
    const struct fr_span *secret = data;

    (void)path, (void)diag;
    fr_buf_add_span(out, *secret);
    return secret->n > 0 ? FR_OK : FR_E_UNAVAILABLE;
}

struct fr_passphrase fr_passphrase_of(const struct fr_span *secret)
{
    return (struct fr_passphrase){give_span, (void *)(uintptr_t)secret, secret->n > 0};
}

enum fr_err fr_key_open(const char *uri, const struct fr_passphrase *passphrase,
                        struct fr_diag *diag, struct fr_key **out)
{
    struct fr_buf pem = FR_BUF_INIT(FR_KEY_FILE_MAX), none = FR_BUF_INIT(0);
    const char *path = NULL;
    enum fr_err err = path_of(uri, diag, &path);

    if (!err) err = fr_file_read_private(path, diag, &pem);
    if (err) goto out;
    if (is_locked(fr_buf_span(&pem))) {
        err = unlock(fr_buf_span(&pem), passphrase, path, diag, out);
        goto out;
    }
    err = decode(fr_buf_span(&pem), &none, out);
    if (err == FR_E_MALFORMED) {
        (void)fr_diag_fail(diag, err, "not a private key in PEM form");
        fr_diag_where(diag, path, 0, 0);
        fr_diag_hint(diag, "a key of fedroam starts with -----BEGIN PRIVATE KEY-----, or with "
                           "-----BEGIN ENCRYPTED PRIVATE KEY-----");
    }
out:
    fr_buf_deinit_secret(&pem);
    return err;
}

enum fr_err fr_key_file_is_locked(const char *path, struct fr_diag *diag, bool *out)
{
    struct fr_buf pem = FR_BUF_INIT(FR_KEY_FILE_MAX);
    enum fr_err err = fr_file_read(path, diag, &pem);

    if (!err) *out = is_locked(fr_buf_span(&pem));
    fr_buf_deinit_secret(&pem);
    return err;
}

/* --- writing --- */

/* NULL: no memory, no randomness. */
static X509_SIG *lock(const struct fr_key *key, struct fr_span passphrase)
{
    uint8_t salt[SALT_SIZE];
    PKCS8_PRIV_KEY_INFO *plain = EVP_PKEY2PKCS8(key->pkey);
    X509_ALGOR *way = NULL;
    X509_SIG *locked = NULL;

    if (plain != NULL && fr_secret_make(salt, sizeof salt) == FR_OK)
        way = PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), salt, sizeof salt, NULL, SCRYPT_N, SCRYPT_R,
                                    SCRYPT_P);
    if (way != NULL)
        locked = PKCS8_set0_pbe((const char *)passphrase.p, (int)passphrase.n, plain, way);
    if (locked == NULL) X509_ALGOR_free(way);
    PKCS8_PRIV_KEY_INFO_free(plain);
    return locked;
}

static enum fr_err write_locked(const struct fr_key *key, struct fr_span passphrase,
                                struct fr_buf *out)
{
    X509_SIG *locked = lock(key, passphrase);
    BIO *bio = locked != NULL ? BIO_new(BIO_s_mem()) : NULL;
    enum fr_err err = FR_OK;

    if (bio == NULL || PEM_write_bio_PKCS8(bio, locked) != 1)
        err = fr_x509_fault(FR_E_INTERNAL);
    else
        err = fr_bio_drain(bio, out);
    BIO_free(bio);
    X509_SIG_free(locked);
    return err;
}

enum fr_err fr_key_save_locked(const struct fr_key *key, const char *path,
                               struct fr_span passphrase, struct fr_diag *diag)
{
    struct fr_buf pem = FR_BUF_INIT(FR_KEY_FILE_MAX);
    enum fr_err err = FR_OK;

    if (passphrase.n == 0) return fr_key_save_new(key, path, diag);
    if (passphrase.n > FR_PASSPHRASE_MAX)
        return fr_diag_fail(diag, FR_E_LIMIT, "a passphrase has at most %d bytes",
                            FR_PASSPHRASE_MAX);
    err = write_locked(key, passphrase, &pem);
    if (!err) err = fr_file_create(path, 0600, fr_buf_span(&pem), diag);
    fr_buf_deinit(&pem);
    return err;
}
