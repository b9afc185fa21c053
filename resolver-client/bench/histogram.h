/* A histogram of latencies: fixed size, about 3 % wide buckets, any number of values.
 *
 * Model: buckets of equal width inside each power of two, 32 of them. Zero is an empty one.
 * Owns: nothing. Threads: its owner's. Units: whatever the caller adds; the bench adds
 * microseconds. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define FR_HISTOGRAM_BUCKETS 1024 /* values up to 2^36 */

struct fr_histogram {
    uint64_t count, max;
    uint64_t bucket[FR_HISTOGRAM_BUCKETS];
};

void fr_histogram_add(struct fr_histogram *h, uint64_t value);

/* The largest value that bucket i may hold. */
uint64_t fr_histogram_top(size_t i);

/* A value that `percent` per cent of the values do not exceed (by no more than a bucket's width);
 * never above max; 0 when empty. */
uint64_t fr_histogram_percentile(const struct fr_histogram *h, double percent);
