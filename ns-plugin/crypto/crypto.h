#pragma once
/* The block cipher work LoRaWAN is made of: AES-128, AES-CMAC (RFC 4493), key wrap (RFC 3394).
 *
 * Model: struct fr_crypto holds the algorithms fetched from OpenSSL once, because a fetch costs
 * more than the work.
 * Owns: fr_crypto_new gives one, fr_crypto_free takes it. Threads: one instance per thread.
 * Errors: FR_E_INTERNAL when OpenSSL fails (out of memory, or a build without AES); FR_E_CRYPTO
 * when a check fails. */

#include "base/err.h"
#include "base/span.h"

struct fr_crypto;

#define FR_KEY_SIZE 16
#define FR_WRAPPED_MAX 40 /* a wrapped key of 32 bytes */

struct fr_key {
    uint8_t b[FR_KEY_SIZE];
};

enum fr_err fr_crypto_new(struct fr_crypto **out);
void fr_crypto_free(struct fr_crypto *c);

/* ECB over whole blocks: n is a multiple of 16, at most 255 blocks; in and out may be the same.
 * FR_E_INVALID otherwise. */
enum fr_err fr_aes_encrypt(struct fr_crypto *c, const struct fr_key *key, const uint8_t *in,
                           size_t n, uint8_t *out);
enum fr_err fr_aes_decrypt(struct fr_crypto *c, const struct fr_key *key, const uint8_t *in,
                           size_t n, uint8_t *out);

/* What may be told of a key without telling it: the first octets of a zero block encrypted with
 * it. Two sides that show the same value have the same key. (The key check value of ANSI
 * X9.24-1.) */
#define FR_KEY_CHECK_SIZE 3
enum fr_err fr_key_check_value(struct fr_crypto *c, const struct fr_key *key,
                               uint8_t out[FR_KEY_CHECK_SIZE]);

/* Over the two parts one after the other; either may be empty. */
enum fr_err fr_cmac(struct fr_crypto *c, const struct fr_key *key, struct fr_span first,
                    struct fr_span second, uint8_t out[16]);

/* The KEK has 16, 24 or 32 bytes, the key 16 to 32 bytes in steps of 8; FR_E_INVALID otherwise.
 * Unwrapping gives FR_E_CRYPTO when the integrity check fails. *out_n: key.n + 8, wrapped.n - 8. */
enum fr_err fr_key_wrap(struct fr_crypto *c, struct fr_span kek, struct fr_span key,
                        uint8_t out[FR_WRAPPED_MAX], size_t *out_n);
enum fr_err fr_key_unwrap(struct fr_crypto *c, struct fr_span kek, struct fr_span wrapped,
                          uint8_t out[32], size_t *out_n);
