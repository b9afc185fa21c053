#include "usage/bucket.h"

#define SECOND_NS 1000000000
#define MS_NS 1000000

static int64_t token_ns(struct fr_bucket_size size)
{
    return SECOND_NS / (int64_t)size.per_s;
}

bool fr_bucket_take(struct fr_bucket *bucket, struct fr_bucket_size size, int64_t now_ms,
                    uint32_t n)
{
    int64_t now_ns = now_ms * MS_NS;
    int64_t room_ns = token_ns(size) * size.burst;
    int_fast64_t there = atomic_load_explicit(&bucket->full_ns, memory_order_relaxed);
    int_fast64_t next = 0;

    do {
        next = (there > now_ns ? there : now_ns) + token_ns(size) * n;
        if (next - now_ns > room_ns) return false;
    } while (!atomic_compare_exchange_weak_explicit(&bucket->full_ns, &there, next,
                                                    memory_order_relaxed, memory_order_relaxed));
    return true;
}

int64_t fr_bucket_wait_ms(struct fr_bucket *bucket, struct fr_bucket_size size, int64_t now_ms)
{
    int64_t room_ns = token_ns(size) * size.burst;
    int64_t ahead_ns =
        atomic_load_explicit(&bucket->full_ns, memory_order_relaxed) - now_ms * MS_NS;
    int64_t short_ns = ahead_ns + token_ns(size) - room_ns;

    return short_ns <= 0 ? 0 : (short_ns + MS_NS - 1) / MS_NS;
}
