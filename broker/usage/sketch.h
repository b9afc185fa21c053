#pragma once
/*
 * How many different things were seen, in a fixed few kilobytes: a HyperLogLog whose count is kept
 * as it goes.
 *
 * Model: a thing's hash picks one of 2^14 registers and offers it a rank, which is high as seldom as
 *   the thing is one of many; a register keeps the highest. Each time a register changes, the count
 *   grows by the inverse of how likely a new thing was to change one (the "historic inverse
 *   probability" estimator, Cohen 2015 and Ting 2014): unbiased at every size, standard error 0.65 %.
 *   The same thing again changes nothing and costs one read.
 * Owns: nothing; a plain value. Threads: any, without a lock; two that change registers at the very
 *   same moment may be counted a little wrong. Reset is for one, and what others add meanwhile may
 *   count or not.
 * Units and limits: 16 KiB; up to 10^9 things and beyond.
 * Trust: things may be a peer's choice, so hash them with a secret key.
 */
#include <stdatomic.h>
#include <stdint.h>

#define FR_SKETCH_REGISTERS 16384

struct fr_sketch {
    atomic_uint_fast64_t count;   /* in 1/65536 */
    atomic_uint_fast64_t chances; /* sum over the registers of 2^-rank, in 2^-48 */
    atomic_uchar rank[FR_SKETCH_REGISTERS];
};

void fr_sketch_reset(struct fr_sketch *sketch); /* also how one begins */
void fr_sketch_add(struct fr_sketch *sketch, uint64_t hash);
uint64_t fr_sketch_count(struct fr_sketch *sketch);
