/* A devices file, however mangled: an error with a place, or a list without surprises. */
#include "state/keys.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fr_keys *keys = NULL;
    struct fr_diag diag = {0};

    enum fr_err err = fr_keys_parse("devices.yaml", fr_span(data, size), &diag, &keys);
    if (err != FR_OK && err != FR_E_NOMEM && diag.what[0] == '\0') abort();
    if (err != FR_OK) return 0;
    if (fr_keys_count(keys) > size) abort();
    (void)fr_keys_find(keys, 0x70b3d57ed0000001);
    (void)fr_keys_has_join_eui(keys, 1);
    fr_keys_free(keys);
    return 0;
}
