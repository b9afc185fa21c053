#include "roles/deferred.h"

#include <stdbool.h>
#include <string.h>

static bool is_same(const struct fr_deferred_device *a, const struct fr_deferred_device *b)
{
    return a->dev_eui == b->dev_eui && a->netid == b->netid &&
           strcmp(a->federation, b->federation) == 0;
}

/* The device's entry, or the one that it may take: a new one, or the one that ends first. */
static struct fr_deferred_entry *entry_for(struct fr_deferred *d,
                                           const struct fr_deferred_device *device)
{
    struct fr_deferred_entry *first = &d->entries[0];

    for (size_t i = 0; i < d->n; i++) {
        if (is_same(&d->entries[i].device, device)) return &d->entries[i];
        if (d->entries[i].until_ms < first->until_ms) first = &d->entries[i];
    }
    return d->n < FR_DEFERRED_MAX ? &d->entries[d->n++] : first;
}

void fr_deferred_note(struct fr_deferred *d, const struct fr_deferred_device *device,
                      uint64_t lifetime_s, int64_t now_ms)
{
    if (lifetime_s == 0) return;
    if (lifetime_s > FR_DEFERRED_LONGEST_S) lifetime_s = FR_DEFERRED_LONGEST_S;
    *entry_for(d, device) = (struct fr_deferred_entry){
        .device = *device, .until_ms = now_ms + (int64_t)lifetime_s * 1000};
}

int64_t fr_deferred_left_ms(struct fr_deferred *d, const struct fr_deferred_device *device,
                            int64_t now_ms)
{
    for (size_t i = 0; i < d->n; i++) {
        if (d->entries[i].until_ms <= now_ms) {
            d->entries[i--] = d->entries[--d->n]; /* over: its place is another's */
            continue;
        }
        if (is_same(&d->entries[i].device, device)) return d->entries[i].until_ms - now_ms;
    }
    return 0;
}
