#include "x509/secret.h"

#include "x509/openssl.h"

#include <openssl/rand.h>

enum fr_err fr_secret_make(void *out, size_t n)
{
    return RAND_priv_bytes(out, (int)n) == 1 ? FR_OK : fr_x509_fault(FR_E_INTERNAL);
}

enum fr_err fr_sha256(struct fr_span bytes, uint8_t out[FR_SHA256_SIZE])
{
    return EVP_Digest(bytes.p, bytes.n, out, NULL, EVP_sha256(), NULL) == 1
               ? FR_OK
               : fr_x509_fault(FR_E_INTERNAL);
}
