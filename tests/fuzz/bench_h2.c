/* What a server sends to a load connection: answers within their bounds, or an error. */
#include "bench/h2_load.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_answer(void *data, const struct fr_h2_answer *answer)
{
    unsigned *open = data;

    if (*open == 0 || answer->status > 999 || answer->rcode > 15) abort();
    --*open;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t message[40] = {0};
    const struct fr_h2_load_conf conf = {
        .authority = "h", .path = "/", .is_post = true, .streams = 4};
    struct fr_h2_load *load = NULL;
    unsigned open = 0;

    if (fr_h2_load_new(&conf, on_answer, &open, &load) != FR_OK) abort();
    for (; fr_h2_load_can_ask(load); open++)
        if (fr_h2_load_ask(load, fr_span(message, sizeof message), 0) != FR_OK) abort();
    if (open != 4) abort();
    size_t half = size / 2; /* frames are cut somewhere */
    if (fr_h2_load_feed(load, fr_span(data, half), 1) == FR_OK)
        (void)fr_h2_load_feed(load, fr_span(data + half, size - half), 1);
    if (fr_h2_load_open(load) != open) abort();
    fr_h2_load_free(load);
    return 0;
}
