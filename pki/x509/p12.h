/* Key and chain in one PKCS#12 file, for programs that want nothing else.
 *
 * Threads  Any. Errors: FR_E_INVALID (no passphrase), FR_E_NOMEM, FR_E_INTERNAL.
 * See      RFC 7292; AES-256 and PBKDF2, which OpenSSL 1.1, GnuTLS and Java 8u301 read. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "x509/cert.h"
#include "x509/key.h"

/* Appends the DER. The chain is leaf first; name is what programs show. */
enum fr_err fr_p12_write(const struct fr_key *key, const struct fr_chain *chain, const char *name,
                         const char *passphrase, struct fr_buf *out);
