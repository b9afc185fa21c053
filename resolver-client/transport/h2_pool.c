#include "transport/h2_pool.h"

#include <stdint.h>
#include <string.h>

#include "base/mem.h"

#define SMALLEST 32
#define LARGE FR_H2_POOL_SIZES /* the size of none of the lists */

/* What stands before each block; as large as malloc's alignment, which the block keeps. */
struct fr_h2_block {
    _Alignas(max_align_t) struct fr_h2_block *next; /* while free */
    uint32_t list;
    uint32_t size; /* usable; of large ones only what fits here */
};

static size_t room_of(unsigned list)
{
    return (size_t)SMALLEST << list;
}

static unsigned list_for(size_t size)
{
    unsigned list = 0;

    while (list < LARGE && room_of(list) < size) list++;
    return list;
}

static void *pool_malloc(size_t size, void *data)
{
    struct fr_h2_pool *pool = data;
    unsigned list = list_for(size);
    struct fr_h2_block *b = list < LARGE ? pool->free[list] : NULL;

    if (b) {
        pool->free[list] = b->next;
        pool->n[list]--;
        return b + 1;
    }
    if (list < LARGE) size = room_of(list);
    if (size > UINT32_MAX) return NULL; /* nghttp2 asks for nothing like it */
    b = fr_malloc(sizeof *b + size);
    if (!b) return NULL;
    b->list = list;
    b->size = (uint32_t)size;
    return b + 1;
}

static void pool_free(void *p, void *data)
{
    struct fr_h2_pool *pool = data;
    struct fr_h2_block *b = p;

    if (!p) return;
    b--;
    if (b->list == LARGE || pool->n[b->list] >= FR_H2_POOL_KEEP) {
        fr_free(b);
        return;
    }
    b->next = pool->free[b->list];
    pool->free[b->list] = b;
    pool->n[b->list]++;
}

static void *pool_calloc(size_t n, size_t size, void *data)
{
    void *p = size > 0 && n > SIZE_MAX / size ? NULL : pool_malloc(n * size, data);

    if (p) memset(p, 0, n * size);
    return p;
}

static void *pool_realloc(void *p, size_t size, void *data)
{
    const struct fr_h2_block *b = p;

    if (p && size <= b[-1].size) return p;
    void *larger = pool_malloc(size, data);
    if (larger && p) {
        memcpy(larger, p, b[-1].size);
        pool_free(p, data);
    }
    return larger;
}

nghttp2_mem fr_h2_pool_mem(struct fr_h2_pool *pool)
{
    return (nghttp2_mem){pool, pool_malloc, pool_free, pool_calloc, pool_realloc};
}

void fr_h2_pool_deinit(struct fr_h2_pool *pool)
{
    for (unsigned list = 0; list < LARGE; list++)
        while (pool->free[list]) {
            struct fr_h2_block *b = pool->free[list];

            pool->free[list] = b->next;
            fr_free(b);
        }
    *pool = (struct fr_h2_pool){0};
}
