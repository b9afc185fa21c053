#include "transport/h2_shared.h"

#include "base/mem.h"

enum fr_err fr_h2_shared_new(struct fr_h2_shared **out)
{
    struct fr_h2_shared *shared = fr_calloc(1, sizeof *shared);

    if (!shared) return FR_E_NOMEM;
    shared->mem = fr_h2_pool_mem(&shared->pool);
    fr_h2_heads_init(&shared->heads);
    fr_h2_huffman_init(&shared->huffman);
    *out = shared;
    return FR_OK;
}

void fr_h2_shared_free(struct fr_h2_shared *shared)
{
    if (!shared) return;
    fr_h2_heads_deinit(&shared->heads);
    fr_buf_deinit(&shared->spare);
    fr_h2_pool_deinit(&shared->pool);
    fr_free(shared);
}
