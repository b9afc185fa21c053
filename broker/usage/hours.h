#pragma once
/*
 * How often something happened in the last 24 hours.
 *
 * Model: a count for each hour of the clock; the present one and the 23 before it are the day.
 * Owns: a plain value, zero is empty. Threads: any, without a lock; what is added at the very turn of
 *   an hour may count or not. Errors: none. Units: Unix seconds.
 */
#include <stdatomic.h>
#include <stdint.h>

struct fr_hours {
    struct fr_hours_slot {
        atomic_int_fast64_t hour; /* since 1970 */
        atomic_uint_fast64_t count;
    } slots[24];
};

void fr_hours_add(struct fr_hours *hours, int64_t now_s);
uint64_t fr_hours_sum(struct fr_hours *hours, int64_t now_s);
