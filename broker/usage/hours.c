#include "usage/hours.h"

#define HOUR_S 3600

void fr_hours_add(struct fr_hours *hours, int64_t now_s)
{
    int_fast64_t hour = now_s / HOUR_S;
    struct fr_hours_slot *slot = &hours->slots[hour % 24];
    int_fast64_t there = atomic_load(&slot->hour);

    if (there != hour && atomic_compare_exchange_strong(&slot->hour, &there, hour))
        atomic_store(&slot->count, 0);
    atomic_fetch_add(&slot->count, 1);
}

uint64_t fr_hours_sum(struct fr_hours *hours, int64_t now_s)
{
    const int64_t hour = now_s / HOUR_S;
    uint64_t sum = 0;

    for (int i = 0; i < 24; i++) {
        const int64_t there = atomic_load(&hours->slots[i].hour);
        if (there > hour - 24 && there <= hour) sum += atomic_load(&hours->slots[i].count);
    }
    return sum;
}
