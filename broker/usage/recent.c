#include "usage/recent.h"

void fr_recent_put(struct fr_recent *recent, const struct fr_recent_lookup *lookup)
{
    const uint64_t n = atomic_load_explicit(&recent->n, memory_order_relaxed);
    struct fr_recent_slot *slot = &recent->slots[n % FR_RECENT_MAX];
    const uint64_t told =
        (uint64_t)lookup->netid | (uint64_t)lookup->type << 32 | (uint64_t)lookup->answer << 48;

    atomic_store_explicit(&slot->number, 0, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
    atomic_store_explicit(&slot->when_ms, (uint64_t)lookup->when_ms, memory_order_relaxed);
    atomic_store_explicit(&slot->deveui, lookup->deveui, memory_order_relaxed);
    atomic_store_explicit(&slot->told, told, memory_order_relaxed);
    atomic_store_explicit(&slot->number, n + 1, memory_order_release);
    atomic_store_explicit(&recent->n, n + 1, memory_order_release);
}

static bool read_slot(struct fr_recent_slot *slot, uint64_t number, struct fr_recent_lookup *out)
{
    if (atomic_load_explicit(&slot->number, memory_order_acquire) != number) return false;
    const uint64_t when_ms = atomic_load_explicit(&slot->when_ms, memory_order_relaxed);
    const uint64_t deveui = atomic_load_explicit(&slot->deveui, memory_order_relaxed);
    const uint64_t told = atomic_load_explicit(&slot->told, memory_order_relaxed);
    atomic_thread_fence(memory_order_acquire);
    if (atomic_load_explicit(&slot->number, memory_order_relaxed) != number) return false;
    *out = (struct fr_recent_lookup){
        .when_ms = (int64_t)when_ms,
        .deveui = deveui,
        .netid = (uint32_t)told,
        .type = (uint16_t)(told >> 32),
        .answer = (enum fr_note_answer)(told >> 48),
    };
    return true;
}

void fr_recent_each(struct fr_recent *recent, fr_recent_fn fn, void *data)
{
    const uint64_t n = atomic_load_explicit(&recent->n, memory_order_acquire);
    const uint64_t last = n > FR_RECENT_MAX ? n - FR_RECENT_MAX : 0;
    struct fr_recent_lookup lookup;

    for (uint64_t number = n; number > last; number--)
        if (read_slot(&recent->slots[(number - 1) % FR_RECENT_MAX], number, &lookup) &&
            !fn(data, &lookup))
            return;
}
