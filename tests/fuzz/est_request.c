/* An EST request: the first byte chooses path, Authorization field, or body; a body that decodes goes on into the readers of its
 * request. */
#include "est/est_request.h"
#include "x509/claims.h"
#include "x509/csr.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_body(struct fr_span text)
{
    struct fr_buf der = FR_BUF_INIT(FR_CSR_MAX);
    struct fr_key *key = NULL;
    char challenge[FR_CHALLENGE_MAX + 1];
    bool has = false;

    if (fr_est_body_read(text, &der) == FR_OK) {
        if (der.n > FR_CSR_MAX) abort();
        if (fr_csr_parse(fr_buf_span(&der), NULL, &key) == FR_OK) fr_key_free(key);
        (void)!fr_csr_read_challenge(fr_buf_span(&der), challenge, &has);
    }
    fr_buf_deinit(&der);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fr_est_path path;
    uint8_t id[FR_TOKEN_ID_SIZE], secret[FR_DIGEST_SIZE];

    if (size == 0) return 0;
    struct fr_span text = {data + 1, size - 1};
    switch (data[0] % 3) {
    case 0:
        if (fr_est_path_parse(text, &path) == FR_OK && path.op >= FR_EST_OPS) abort();
        break;
    case 1: (void)!fr_est_basic_parse(text, id, secret); break;
    default: read_body(text);
    }
    return 0;
}
