/* A private or public key of an X.509 identity.
 *
 * Model    One opaque handle around one OpenSSL key. Keys made here are P-256. Keys that arrive
 *          from others (in a CSR) must pass fr_key_check_policy before anything is done with them.
 * Owns     The handle owns its key; free with fr_key_free. Private parts are cleansed by OpenSSL
 *          when freed.
 * Threads  A handle may be used by one thread at a time.
 * Errors   FR_E_MALFORMED: not a key in the expected form; FR_E_DENIED: a key we do not accept;
 *          FR_E_CONFIG: unsafe file mode; FR_E_NOT_FOUND, FR_E_EXISTS, FR_E_IO … for files;
 *          FR_E_NOMEM; FR_E_INTERNAL: OpenSSL failed at something it should do.
 * Limits   A key file is at most FR_KEY_FILE_MAX bytes.
 * Trust    fr_key_load reads our own files; public keys from CSRs are a stranger's.
 * See      RFC 5958 (PKCS#8), RFC 5480 (EC keys). */
#pragma once

#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

#define FR_KEY_FILE_MAX 16384
#define FR_SHA256_SIZE 32

struct fr_key;

/* Makes a new P-256 key pair. The caller owns *out. */
enum fr_err fr_key_generate(struct fr_key **out);

/* Reads an unencrypted PKCS#8 PEM file that is not readable by group or others. diag names the
 * file and the fault. */
enum fr_err fr_key_load(const char *path, struct fr_diag *diag, struct fr_key **out);

/* Writes the private key as PKCS#8 PEM to a new file of mode 0600, whatever the umask. An existing
 * file is never replaced (FR_E_EXISTS); after a failure no file is left. */
enum fr_err fr_key_save_new(const struct fr_key *key, const char *path, struct fr_diag *diag);

/* Accepts P-256, P-384 (named curves only, point on the curve), Ed25519, and RSA of 2048 to 4096
 * bits with e = 65537. FR_E_DENIED otherwise, diag says what was found. */
enum fr_err fr_key_check_policy(const struct fr_key *key, struct fr_diag *diag);

/* SHA-256 of the DER SubjectPublicKeyInfo: what TLSA 3 1 1 holds (RFC 6698 §2.1) and what the
 * store files keys under. */
enum fr_err fr_key_spki_sha256(const struct fr_key *key, uint8_t out[FR_SHA256_SIZE]);

/* Whether both hold the same public key. */
bool fr_key_is_same(const struct fr_key *a, const struct fr_key *b);

void fr_key_free(struct fr_key *key);
