/* Where a private key is kept, and what guards it: the one place that turns a name into a key.
 *
 * Model    A key is named by a URI. Today that is a file: "file:/path", or a path alone. Another
 *          kind (a PKCS#11 token) is one more case of fr_key_open; everything above it has a
 *          handle. A file is PKCS#8 in PEM form, plain or locked with a passphrase (PBES2: scrypt
 *          with N 16384, r 8, p 5, and AES-256-CBC).
 * Owns     Keys are the caller's (fr_key_free).
 * Threads  Any; a passphrase is asked for on the calling thread.
 * Errors   FR_E_UNSUPPORTED: a URI of another kind; FR_E_UNAVAILABLE: locked, and nobody gave the
 *          passphrase; FR_E_CRYPTO: not this passphrase; those of x509/key.h.
 * Limits   A passphrase has 1 to FR_PASSPHRASE_MAX bytes.
 * Trust    URIs and files are our own administrator's.
 * See      RFC 8089 (file), RFC 8018 (PBES2), RFC 7914 (scrypt). */
#pragma once

#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/span.h"
#include "x509/key.h"

#define FR_PASSPHRASE_MAX 1024

/* Who knows passphrases. `ask` appends the one for the key at path to out (a secret: the callee of
 * fr_key_open wipes it), or says that there is none: FR_E_UNAVAILABLE. It may ask a person. */
struct fr_passphrase {
    enum fr_err (*ask)(void *data, const char *path, struct fr_diag *diag, struct fr_buf *out);
    void *data;
    bool is_at_hand; /* there is one, without a person being asked */
};

/* Knows just this one; borrows. Empty: none. */
struct fr_passphrase fr_passphrase_of(const struct fr_span *secret);

/* passphrase may be NULL: nobody knows any. */
enum fr_err fr_key_open(const char *uri, const struct fr_passphrase *passphrase,
                        struct fr_diag *diag, struct fr_key **out);

/* Whether the file's key is locked. The errors of reading it. */
enum fr_err fr_key_file_is_locked(const char *path, struct fr_diag *diag, bool *out);

/* As fr_key_save_new; locked unless the passphrase is empty. */
enum fr_err fr_key_save_locked(const struct fr_key *key, const char *path,
                               struct fr_span passphrase, struct fr_diag *diag);
