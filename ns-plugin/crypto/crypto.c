#include "crypto/crypto.h"

#include "base/mem.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <string.h>

enum { BLOCK = 16, MAX_BLOCKS = 255 };

struct fr_crypto {
    EVP_CIPHER *ecb;
    EVP_CIPHER *wrap[3]; /* KEKs of 16, 24, 32 bytes */
    EVP_CIPHER_CTX *cipher;
    EVP_MAC *cmac;
    EVP_MAC_CTX *mac;
};

static bool set_mac_cipher(EVP_MAC_CTX *mac)
{
    char cipher[] = "AES-128-CBC";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_CIPHER, cipher, 0),
        OSSL_PARAM_construct_end(),
    };

    return mac != NULL && EVP_MAC_CTX_set_params(mac, params) == 1;
}

enum fr_err fr_crypto_new(struct fr_crypto **out)
{
    static const char *const wrap_names[3] = {"AES-128-WRAP", "AES-192-WRAP", "AES-256-WRAP"};
    struct fr_crypto *c = fr_calloc(1, sizeof *c);
    bool is_whole;

    if (c == NULL) return FR_E_NOMEM;
    c->ecb = EVP_CIPHER_fetch(NULL, "AES-128-ECB", NULL);
    c->cipher = EVP_CIPHER_CTX_new();
    c->cmac = EVP_MAC_fetch(NULL, "CMAC", NULL);
    c->mac = c->cmac != NULL ? EVP_MAC_CTX_new(c->cmac) : NULL;
    is_whole = c->ecb != NULL && c->cipher != NULL && set_mac_cipher(c->mac);
    for (size_t i = 0; i < 3; i++) {
        c->wrap[i] = EVP_CIPHER_fetch(NULL, wrap_names[i], NULL);
        is_whole = is_whole && c->wrap[i] != NULL;
    }
    if (!is_whole) {
        fr_crypto_free(c);
        return FR_E_INTERNAL;
    }
    EVP_CIPHER_CTX_set_flags(c->cipher, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    *out = c;
    return FR_OK;
}

void fr_crypto_free(struct fr_crypto *c)
{
    if (c == NULL) return;
    EVP_CIPHER_free(c->ecb);
    for (size_t i = 0; i < 3; i++) EVP_CIPHER_free(c->wrap[i]);
    EVP_CIPHER_CTX_free(c->cipher); /* cleanses its key schedule */
    EVP_MAC_CTX_free(c->mac);
    EVP_MAC_free(c->cmac);
    fr_free(c);
}

static enum fr_err ecb(struct fr_crypto *c, const struct fr_key *key, bool is_encrypt,
                       const uint8_t *in, size_t n, uint8_t *out)
{
    int done = 0;

    if (n % BLOCK != 0 || n > BLOCK * MAX_BLOCKS) return FR_E_INVALID;
    if (EVP_CipherInit_ex2(c->cipher, c->ecb, key->b, NULL, is_encrypt, NULL) != 1 ||
        EVP_CIPHER_CTX_set_padding(c->cipher, 0) != 1 ||
        EVP_CipherUpdate(c->cipher, out, &done, in, (int)n) != 1 || (size_t)done != n) {
        return FR_E_INTERNAL;
    }
    return FR_OK;
}

enum fr_err fr_aes_encrypt(struct fr_crypto *c, const struct fr_key *key, const uint8_t *in,
                           size_t n, uint8_t *out)
{
    return ecb(c, key, true, in, n, out);
}

enum fr_err fr_aes_decrypt(struct fr_crypto *c, const struct fr_key *key, const uint8_t *in,
                           size_t n, uint8_t *out)
{
    return ecb(c, key, false, in, n, out);
}

enum fr_err fr_key_check_value(struct fr_crypto *c, const struct fr_key *key,
                               uint8_t out[FR_KEY_CHECK_SIZE])
{
    const uint8_t zero[16] = {0};
    uint8_t block[16];
    enum fr_err err = fr_aes_encrypt(c, key, zero, sizeof zero, block);

    if (err == FR_OK) memcpy(out, block, FR_KEY_CHECK_SIZE);
    return err;
}

enum fr_err fr_cmac(struct fr_crypto *c, const struct fr_key *key, struct fr_span first,
                    struct fr_span second, uint8_t out[16])
{
    uint8_t mac[BLOCK];
    size_t n = 0;

    if (EVP_MAC_init(c->mac, key->b, sizeof key->b, NULL) != 1) return FR_E_INTERNAL;
    if (first.n > 0 && EVP_MAC_update(c->mac, first.p, first.n) != 1) return FR_E_INTERNAL;
    if (second.n > 0 && EVP_MAC_update(c->mac, second.p, second.n) != 1) return FR_E_INTERNAL;
    if (EVP_MAC_final(c->mac, mac, &n, sizeof mac) != 1 || n != sizeof mac) return FR_E_INTERNAL;
    for (size_t i = 0; i < sizeof mac; i++) out[i] = mac[i];
    return FR_OK;
}

static const EVP_CIPHER *wrap_for(const struct fr_crypto *c, size_t kek_n)
{
    switch (kek_n) {
    case 16: return c->wrap[0];
    case 24: return c->wrap[1];
    case 32: return c->wrap[2];
    default: return NULL;
    }
}

/* OpenSSL answers a failed integrity check and an internal failure alike; after a good start
 * only the first is left. */
static enum fr_err wrap(struct fr_crypto *c, struct fr_span kek, bool is_wrap, struct fr_span in,
                        uint8_t *out, size_t *out_n)
{
    const EVP_CIPHER *cipher = wrap_for(c, kek.n);
    uint8_t result[FR_WRAPPED_MAX + 8];
    int n = 0;

    if (cipher == NULL) return FR_E_INVALID;
    if (EVP_CipherInit_ex2(c->cipher, cipher, kek.p, NULL, is_wrap, NULL) != 1)
        return FR_E_INTERNAL;
    (void)ERR_set_mark(); /* a failed check must not lie in the error queue when TLS looks at it */
    bool is_good = EVP_CipherUpdate(c->cipher, result, &n, in.p, (int)in.n) == 1 && n > 0;
    (void)ERR_pop_to_mark();
    if (!is_good) {
        fr_secret_zero(result, sizeof result);
        return is_wrap ? FR_E_INTERNAL : FR_E_CRYPTO;
    }
    for (size_t i = 0; i < (size_t)n; i++) out[i] = result[i];
    fr_secret_zero(result, sizeof result);
    *out_n = (size_t)n;
    return FR_OK;
}

enum fr_err fr_key_wrap(struct fr_crypto *c, struct fr_span kek, struct fr_span key,
                        uint8_t out[FR_WRAPPED_MAX], size_t *out_n)
{
    if (key.n < 16 || key.n > 32 || key.n % 8 != 0) return FR_E_INVALID;
    return wrap(c, kek, true, key, out, out_n);
}

enum fr_err fr_key_unwrap(struct fr_crypto *c, struct fr_span kek, struct fr_span wrapped,
                          uint8_t out[32], size_t *out_n)
{
    if (wrapped.n < 24 || wrapped.n > FR_WRAPPED_MAX || wrapped.n % 8 != 0) return FR_E_INVALID;
    return wrap(c, kek, false, wrapped, out, out_n);
}
