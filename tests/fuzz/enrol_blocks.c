/* A configuration file that a federation's block is put into and taken out of. */
#include "enrol/blocks.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct fr_block block = {.name = "b.test",
                                   .broker = "https://broker.b.test/dns-query",
                                   .ca = "b.test/root.pem",
                                   .certificate = "b.test/doh-x.chain.pem",
                                   .key = "b.test/doh-x.key"};
    struct fr_buf once = FR_BUF_INIT(FR_BLOCKS_MAX), twice = FR_BUF_INIT(FR_BLOCKS_MAX),
                  without = FR_BUF_INIT(FR_BLOCKS_MAX);
    size_t left = 0;

    if (fr_blocks_put(fr_span(data, size), &block, NULL, &once) == FR_OK) {
        if (fr_blocks_put(fr_buf_span(&once), &block, NULL, &twice) != FR_OK ||
            !fr_span_equal(fr_buf_span(&once), fr_buf_span(&twice)))
            abort(); /* the second time changes nothing */
        if (fr_blocks_remove(fr_buf_span(&once), block.name, NULL, &without, &left) != FR_OK)
            abort();
    }
    fr_buf_deinit(&once);
    fr_buf_deinit(&twice);
    fr_buf_deinit(&without);
    return 0;
}
