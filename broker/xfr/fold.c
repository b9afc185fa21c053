#include "xfr/fold.h"

#include "base/mem.h"

#include <stdlib.h>

enum fr_err fr_fold_add(struct fr_fold *fold, uint64_t eui, uint32_t netid, bool is_gone)
{
    if (fold->n == FR_FOLD_MAX) return FR_E_LIMIT;
    if (fold->n == fold->room) {
        size_t room = fold->room ? 2 * fold->room : 256;
        struct fr_fold_item *items = fr_reallocarray(fold->items, room, sizeof *items);
        if (!items) return FR_E_NOMEM;
        fold->items = items;
        fold->room = room;
    }
    fold->items[fold->n] = (struct fr_fold_item){
        .eui = eui, .netid = netid, .order = (uint32_t)fold->n, .is_gone = is_gone};
    fold->n++;
    return FR_OK;
}

void fr_fold_deinit(struct fr_fold *fold)
{
    fr_free(fold->items);
    *fold = (struct fr_fold){0};
}

static int by_device(const void *a, const void *b)
{
    const struct fr_fold_item *x = a, *y = b;

    if (x->eui != y->eui) return x->eui < y->eui ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

/* One device's comings and goings, in order. */
struct device {
    const struct fr_fold_item *items;
    size_t n;
    bool has_goings;
    bool takes_turns; /* never two comings, or two goings, in a row */
};

static struct device device_at(const struct fr_fold *fold, size_t at)
{
    struct device device = {.items = fold->items + at, .takes_turns = true};

    for (; at + device.n < fold->n && fold->items[at + device.n].eui == device.items->eui;
         device.n++) {
        const struct fr_fold_item *item = device.items + device.n;
        device.has_goings = device.has_goings || item->is_gone;
        if (device.n > 0 && item->is_gone == item[-1].is_gone) device.takes_turns = false;
    }
    return device;
}

enum fr_err fr_fold_end(struct fr_fold *fold, fr_fold_has_fn has, void *data, bool *is_plain,
                        struct fr_transfer_change **changes, size_t *n)
{
    bool was_plain = *is_plain, stays_plain = *is_plain;
    struct fr_transfer_change *out = fr_calloc(FR_TRANSFER_CHANGES_MAX, sizeof *out);
    enum fr_err err = out ? FR_OK : FR_E_NOMEM;
    size_t count = 0;

    if (!err && fold->n) qsort(fold->items, fold->n, sizeof *fold->items, by_device);
    for (size_t at = 0; !err && at < fold->n;) {
        const struct device device = device_at(fold, at);
        const struct fr_fold_item *last = device.items + device.n - 1;

        if (device.has_goings && (!was_plain || !device.takes_turns)) {
            err = FR_E_CONFLICT;
        } else if (count == FR_TRANSFER_CHANGES_MAX) {
            err = FR_E_LIMIT;
        } else {
            /* one more record for a device that has one */
            if (!device.takes_turns || (!device.items->is_gone && has(data, last->eui)))
                stays_plain = false;
            if (!stays_plain && device.has_goings) err = FR_E_CONFLICT;
            out[count++] = (struct fr_transfer_change){
                .eui = last->eui, .netid = last->netid, .is_gone = last->is_gone};
        }
        at += device.n;
    }
    if (err) {
        fr_free(out);
        return err;
    }
    *is_plain = stays_plain;
    *changes = out;
    *n = count;
    return FR_OK;
}
