/* Certificate signing requests (PKCS#10): the carrier of a public key and the proof that its
 * sender holds the private one.
 *
 * Model    From a request we take the public key and nothing else: names, extensions and
 *          attributes in it are ignored, because the registry decides them.
 * Owns     Results belong to the caller.
 * Threads  Any; no shared state.
 * Errors   FR_E_MALFORMED: not one CSR, junk after it; FR_E_LIMIT: longer than FR_CSR_MAX;
 *          FR_E_DENIED: key policy; FR_E_CRYPTO: signature; FR_E_NOMEM, FR_E_INTERNAL.
 * Trust    fr_csr_parse reads a stranger's bytes.
 * See      RFC 2986, RFC 7468 §7. */
#pragma once

#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/span.h"
#include "x509/key.h"

#define FR_CSR_MAX 16384

/* Appends a PEM request for key to out. The common name is a courtesy to whoever reads the file (1
 * to 64 bytes); the CA ignores it. */
enum fr_err fr_csr_build(const struct fr_key *key, const char *common_name, struct fr_buf *out);

/* Reads one request, DER or PEM; the whole input must be used up (white space around PEM aside).
 * Checks the key policy and the signature. *out_key is the public key. */
enum fr_err fr_csr_parse(struct fr_span in, struct fr_diag *diag, struct fr_key **out_key);
