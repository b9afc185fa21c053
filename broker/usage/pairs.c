#include "usage/pairs.h"

#include <stdatomic.h>

#include "base/mem.h"

#define SLOTS 16384 /* a power of two; a quarter stays empty, so that searches end */

struct slot {
    atomic_uint_fast64_t key; /* account + 1, NetID; 0: empty. Set once, after the count is 0 */
    atomic_uint_fast64_t count;
    uint64_t told; /* the reader's */
};

struct fr_pairs {
    size_t used;
    atomic_uint_fast64_t lost;
    struct slot slots[SLOTS];
};

enum fr_err fr_pairs_new(struct fr_pairs **out)
{
    struct fr_pairs *pairs = fr_calloc(1, sizeof *pairs);

    if (pairs == NULL) return FR_E_NOMEM;
    *out = pairs;
    return FR_OK;
}

void fr_pairs_free(struct fr_pairs *pairs)
{
    fr_free(pairs);
}

/* A plain addition: nobody else writes it. */
static void add_one(atomic_uint_fast64_t *count)
{
    uint64_t there = atomic_load_explicit(count, memory_order_relaxed);

    atomic_store_explicit(count, there + 1, memory_order_relaxed);
}

void fr_pairs_count(struct fr_pairs *pairs, uint32_t account, uint32_t netid)
{
    uint64_t key = ((uint64_t)account + 1) << 32 | netid;
    size_t at = (size_t)(key * 0x9e3779b97f4a7c15u >> 50) & (SLOTS - 1);

    for (;; at = (at + 1) & (SLOTS - 1)) {
        struct slot *slot = &pairs->slots[at];
        uint64_t there = atomic_load_explicit(&slot->key, memory_order_relaxed);
        if (there == 0 && pairs->used == FR_PAIRS_MAX) {
            add_one(&pairs->lost);
            return;
        }
        if (there == 0) {
            pairs->used++;
            atomic_store_explicit(&slot->key, key, memory_order_release);
            there = key;
        }
        if (there != key) continue;
        add_one(&slot->count);
        return;
    }
}

void fr_pairs_read(struct fr_pairs *pairs, fr_pairs_fn fn, void *data)
{
    for (size_t i = 0; i < SLOTS; i++) {
        struct slot *slot = &pairs->slots[i];
        uint64_t key = atomic_load_explicit(&slot->key, memory_order_acquire);
        if (key == 0) continue;
        uint64_t count = atomic_load_explicit(&slot->count, memory_order_relaxed);
        if (count == slot->told) continue;
        fn(data, (uint32_t)(key >> 32) - 1, (uint32_t)key, count - slot->told);
        slot->told = count;
    }
}

uint64_t fr_pairs_lost(struct fr_pairs *pairs)
{
    return atomic_load_explicit(&pairs->lost, memory_order_relaxed);
}
