/* The query string of a DoH GET request: a message within its cap, or an error with nothing
 * appended. */
#include "doh/get.h"

#include "base/base64.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fr_buf message = FR_BUF_INIT(512), text = FR_BUF_INIT(1024);

    if (fr_doh_get_parse(fr_span(data, size), &message) == FR_OK) {
        if (message.n > 512) abort();
        /* the one text that stands for these bytes is in the query string */
        if (fr_base64url_print(fr_buf_span(&message), &text) != FR_OK) abort();
        if (text.n > size) abort();
    } else if (message.n != 0) {
        abort();
    }
    fr_buf_deinit(&message);
    fr_buf_deinit(&text);
    return 0;
}
