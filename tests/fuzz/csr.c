/* A certificate request from a stranger: parsed, its key judged, its signature checked. */
#include "x509/csr.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fr_key *key = NULL;
    struct fr_diag diag = {0};
    uint8_t spki[FR_SHA256_SIZE];

    if (fr_csr_parse(fr_span(data, size), &diag, &key) == FR_OK) {
        if (fr_key_check_policy(key, NULL) != FR_OK)
            abort(); /* what is let through must be acceptable */
        if (fr_key_spki_sha256(key, spki) != FR_OK) abort();
        fr_key_free(key);
    } else if (key != NULL || diag.what[0] == '\0') {
        abort(); /* a refusal says why and gives nothing */
    }
    return 0;
}
