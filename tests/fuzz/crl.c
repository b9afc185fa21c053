/* A revocation list that is brought from elsewhere: fields and entries. */
#include "x509/crl.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum fr_err count(void *data, const struct fr_crl_entry *entry)
{
    size_t *n = data;

    if (entry->cause > 10) abort();
    ++*n;
    return FR_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fr_crl_fields fields = {0};
    size_t n = 0;
    enum fr_err read = fr_crl_read_fields(fr_span(data, size), &fields);
    enum fr_err walked = fr_crl_each(fr_span(data, size), count, &n);

    if (!walked && (read != FR_OK || n != fields.entries)) abort();
    if (n > fields.entries && read == FR_OK) abort();
    return 0;
}
