/* A bag of certificates: PKCS#7 SignedData that signs nothing ("certs-only"), as EST carries them.
 *
 * Threads  Any. Errors: FR_E_MALFORMED (a DER that is none), FR_E_LIMIT, FR_E_NOMEM, FR_E_INTERNAL.
 * Trust    A bag that is read may be a stranger's: what is in it is verified by nobody yet.
 * See      RFC 7030 §4.1.3, RFC 5652 §5. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "x509/cert.h"

#define FR_BAG_MAX 262144
#define FR_BAG_CERTS_MAX 16

/* Appends the bag of n certificates (DER), in their order. */
enum fr_err fr_bag_write(const struct fr_span *ders, size_t n, struct fr_buf *out);

/* The certificates of a bag (DER, every byte used, FR_BAG_MAX at most) in their order; the caller
 * frees each. *n is at least 1 and at most FR_BAG_CERTS_MAX. */
enum fr_err fr_bag_read(struct fr_span der, struct fr_cert *out[FR_BAG_CERTS_MAX], size_t *n);

/* The same from its base64 with white space anywhere, as EST carries it (RFC 8951 §3.1). */
enum fr_err fr_bag_read_text(struct fr_span text, struct fr_cert *out[FR_BAG_CERTS_MAX], size_t *n);
