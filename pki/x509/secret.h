/* Random secrets and digests.
 *
 * Threads  Any. Errors: FR_E_INTERNAL (no randomness, no SHA-256). */
#pragma once

#include "base/err.h"
#include "base/span.h"
#include "x509/key.h"

/* From the generator kept for private keys. */
enum fr_err fr_secret_make(void *out, size_t n);

enum fr_err fr_sha256(struct fr_span bytes, uint8_t out[FR_SHA256_SIZE]);
