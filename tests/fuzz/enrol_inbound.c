/* What a broker says of the endpoints it connected to. */
#include "enrol/inbound.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fr_inbound in = {0};
    struct fr_diag diag = {0};

    if (fr_inbound_read(fr_span(data, size), &diag, &in) != FR_OK) return 0;
    for (size_t i = 0; i < in.n; i++) /* what is missing is told as nothing, never as NULL */
        if (!in.ends[i].endpoint || !in.ends[i].name || !in.ends[i].step || !in.ends[i].seen ||
            !in.ends[i].todo || !in.ends[i].netid)
            abort();
    fr_inbound_free(&in);
    return 0;
}
