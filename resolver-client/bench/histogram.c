#include "bench/histogram.h"

#define STEPS 32 /* buckets of one power of two */
#define STEP_BITS 5

static size_t bucket_of(uint64_t value)
{
    if (value < STEPS) return (size_t)value;
    unsigned power = 63 - (unsigned)__builtin_clzll(value); /* at least STEP_BITS */
    size_t i = (size_t)(power - STEP_BITS + 1) * STEPS + (value >> (power - STEP_BITS)) - STEPS;
    return i < FR_HISTOGRAM_BUCKETS ? i : FR_HISTOGRAM_BUCKETS - 1;
}

void fr_histogram_add(struct fr_histogram *h, uint64_t value)
{
    h->count++;
    if (value > h->max) h->max = value;
    h->bucket[bucket_of(value)]++;
}

uint64_t fr_histogram_top(size_t i)
{
    if (i < STEPS) return i;
    unsigned shift = (unsigned)(i / STEPS) - 1;
    return ((uint64_t)(i % STEPS + STEPS + 1) << shift) - 1;
}

uint64_t fr_histogram_percentile(const struct fr_histogram *h, double percent)
{
    uint64_t wanted = (uint64_t)((double)h->count * percent / 100.0 + 0.5), seen = 0;

    if (h->count == 0) return 0;
    if (wanted == 0) wanted = 1;
    for (size_t i = 0; i < FR_HISTOGRAM_BUCKETS; i++) {
        seen += h->bucket[i];
        if (seen >= wanted) return fr_histogram_top(i) < h->max ? fr_histogram_top(i) : h->max;
    }
    return h->max;
}
