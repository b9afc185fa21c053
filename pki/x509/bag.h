/* A bag of certificates: PKCS#7 SignedData that signs nothing ("certs-only"), as EST carries them.
 *
 * Threads  Any. Errors: FR_E_MALFORMED (a DER that is none), FR_E_NOMEM, FR_E_INTERNAL.
 * See      RFC 7030 §4.1.3, RFC 5652 §5. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

/* Appends the bag of n certificates (DER), in their order. */
enum fr_err fr_bag_write(const struct fr_span *ders, size_t n, struct fr_buf *out);
