/* What getent(1) prints of a receiver's name, which a name server may have chosen. */
#include "notify/lookup.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fr_addr addrs[8];
    const size_t n = fr_lookup_read(fr_span(data, size), 443, addrs, 8);

    if (n > 8) abort();
    for (size_t i = 0; i < n; i++) {
        if (addrs[i].port != 443 || (addrs[i].ip.family != 4 && addrs[i].ip.family != 6)) abort();
        for (size_t other = 0; other < i; other++)
            if (fr_addr_equal(&addrs[i], &addrs[other])) abort();
    }
    return 0;
}
