/* The Date of a response: what is read must come out the same when written again. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "resolver_cli/http_date.h"
#include "transport/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t when_s = -1;
    char text[FR_HTTP_DATE];
    if (fr_http_date_parse(fr_span(data, size), &when_s) != FR_OK) return 0;
    if (when_s < 0) abort();
    fr_http_date(when_s, text);
    /* The day of the week is not looked at; a leap second has no number of its own. */
    if (size != strlen(text)) abort();
    if (memcmp(data + 23, "60", 2) == 0) memcpy(text + 23, "60", 2);
    if (memcmp(data + 3, text + 3, size - 3) != 0) abort();
    return 0;
}
