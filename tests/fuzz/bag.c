/* A bag of certificates (PKCS#7), or its base64, from a server that nobody verified yet. */
#include "x509/bag.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fr_cert *certs[FR_BAG_CERTS_MAX];
    size_t n = 0;

    const struct fr_span bytes = fr_span(data, size);
    if (fr_bag_read(bytes, certs, &n) != FR_OK && fr_bag_read_text(bytes, certs, &n) != FR_OK)
        return 0;
    if (n < 1 || n > FR_BAG_CERTS_MAX) abort();
    for (size_t i = 0; i < n; i++) fr_cert_free(certs[i]);
    return 0;
}
