#pragma once
/*
 * A token bucket for all threads at once: so many tokens a second, and as many at once as it holds.
 *
 * Model: one number, the moment at which the bucket will be full again. Taking moves it forward; it
 *   may be ahead of now by no more than the time it takes to fill. Zero is a full bucket.
 * Owns: nothing; a plain value. Threads: any, without a lock. Errors: none.
 * Units and limits: milliseconds of a monotonic clock; 1 to 10^9 tokens a second.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct fr_bucket {
    atomic_int_fast64_t full_ns;
};

/* Its size; arguments, so that a change of policy needs no walk over the buckets. */
struct fr_bucket_size {
    uint32_t per_s, burst;
};

/* False: there are not so many, and none is taken. */
bool fr_bucket_take(struct fr_bucket *bucket, struct fr_bucket_size size, int64_t now_ms,
                    uint32_t n);

/* Time until there is one; 0: now. */
int64_t fr_bucket_wait_ms(struct fr_bucket *bucket, struct fr_bucket_size size, int64_t now_ms);
