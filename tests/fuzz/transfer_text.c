/* What comes with transfers but not from a name server: the first byte chooses a file with a TSIG key, or the binary body of an
 * operation, as the control socket may get it. */
#include "admin/transfer.h"
#include "dns/tsig_text.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct fr_transfer_body body;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fr_tsig_key key = {0};
    struct fr_diag diag = {0};
    struct fr_span secret, ca;

    if (size == 0) return 0;
    struct fr_span rest = {data + 1, size - 1};
    switch (data[0] % 3) {
    case 0:
        if (fr_tsig_key_parse(rest, &diag, &key) != FR_OK) break;
        if (key.n < FR_TSIG_SECRET_MIN || key.n > FR_TSIG_SECRET_MAX) abort();
        if (fr_dname_check(fr_dname_span(&key.name)) != FR_OK) abort();
        break;
    case 1: {
        struct fr_transfer_change change;
        size_t n = 0;
        if (fr_transfer_read(rest, &body) != FR_OK) break;
        while (n < body.n && fr_transfer_next(&body, &change) == FR_OK) n++;
        if (body.left.n > FR_PRIMARY_LEFT_MAX) abort();
        break;
    }
    default:
        if (fr_primary_body_read(rest, &secret, &ca) == FR_OK && secret.n + ca.n > rest.n) abort();
        break;
    }
    return 0;
}
