/* The header a proxy puts in front of a connection. */
#include "transport/proxy_v2.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fr_proxy_head head;
    size_t n = 0;

    enum fr_err sized = fr_proxy_size(fr_span(data, size), &n);
    enum fr_err err = fr_proxy_read(fr_span(data, size), &head);
    if (err == FR_OK && (sized != FR_OK || n != size)) abort();
    if (sized == FR_OK && n <= size && n > 0)
        (void)fr_proxy_read(fr_span(data, n), &head); /* what a connection does */
    if (sized != FR_OK && sized != err) abort();
    return 0;
}
