#include "usage/sketch.h"

#define INDEX_BITS 14
#define RANK_MAX 48
#define COUNT_UNIT 65536.0

void fr_sketch_reset(struct fr_sketch *sketch)
{
    for (unsigned i = 0; i < FR_SKETCH_REGISTERS; i++)
        atomic_store_explicit(&sketch->rank[i], 0, memory_order_relaxed);
    atomic_store_explicit(&sketch->chances, (uint64_t)1 << (INDEX_BITS + RANK_MAX),
                          memory_order_relaxed);
    atomic_store_explicit(&sketch->count, 0, memory_order_relaxed);
}

/* 1 with probability 1/2, 2 with 1/4, … */
static unsigned char rank_of(uint64_t bits)
{
    unsigned rank = bits == 0 ? RANK_MAX : (unsigned)__builtin_ctzll(bits) + 1;

    return (unsigned char)(rank > RANK_MAX ? RANK_MAX : rank);
}

void fr_sketch_add(struct fr_sketch *sketch, uint64_t hash)
{
    atomic_uchar *slot = &sketch->rank[hash >> (64 - INDEX_BITS)];
    unsigned char rank = rank_of(hash & (((uint64_t)1 << (64 - INDEX_BITS)) - 1));
    unsigned char there = atomic_load_explicit(slot, memory_order_relaxed);

    do {
        if (rank <= there) return;
    } while (!atomic_compare_exchange_weak_explicit(slot, &there, rank, memory_order_relaxed,
                                                    memory_order_relaxed));
    uint64_t lost = ((uint64_t)1 << (RANK_MAX - there)) - ((uint64_t)1 << (RANK_MAX - rank));
    uint64_t chances = atomic_fetch_sub_explicit(&sketch->chances, lost, memory_order_relaxed);
    double likely = (double)chances / (double)((uint64_t)1 << (INDEX_BITS + RANK_MAX));
    atomic_fetch_add_explicit(&sketch->count, (uint64_t)(COUNT_UNIT / likely),
                              memory_order_relaxed);
}

uint64_t fr_sketch_count(struct fr_sketch *sketch)
{
    return (uint64_t)((double)atomic_load_explicit(&sketch->count, memory_order_relaxed) /
                          COUNT_UNIT +
                      0.5);
}
