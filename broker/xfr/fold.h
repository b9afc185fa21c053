#pragma once
/*
 * The changes of an IXFR, folded: what they come to for each device.
 *
 * Model: records are added in the order of the transfer; folding sorts them by device and looks at each one's row of comings and
 *   goings. While every device has one record (a *plain* zone) its last record decides. A device may also have several (A and
 *   AAAA, or a name at two places): then one that goes does not take the device away, and nothing here knows how many are left:
 *   such a zone needs a full transfer as soon as something goes.
 * Owns: its rows. Threads: one. Errors: FR_E_LIMIT (more than FR_FOLD_MAX records: transfer the whole zone), FR_E_NOMEM.
 * Trust: EUIs are a peer's.
 */
#include "admin/transfer.h"

#define FR_FOLD_MAX 200000u

struct fr_fold_item {
    uint64_t eui;
    uint32_t netid;
    uint32_t order;
    bool is_gone;
};

struct fr_fold {
    struct fr_fold_item *items;
    size_t n, room;
};

enum fr_err fr_fold_add(struct fr_fold *fold, uint64_t eui, uint32_t netid, bool is_gone);

/* Is the device among those of the zone already? */
typedef bool (*fr_fold_has_fn)(void *data, uint64_t eui);

/* *changes: at most FR_TRANSFER_CHANGES_MAX, the caller's (fr_free). *is_plain says whether the zone was plain, and becomes
 * whether it still is. FR_E_CONFLICT: only the whole zone can tell. FR_E_LIMIT: too many changes. */
enum fr_err fr_fold_end(struct fr_fold *fold, fr_fold_has_fn has, void *data, bool *is_plain,
                        struct fr_transfer_change **changes, size_t *n);
void fr_fold_deinit(struct fr_fold *fold);
