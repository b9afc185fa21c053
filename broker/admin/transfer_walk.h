#pragma once
/*
 * What would change if NetIDs held exactly the devices of some lists: the comparison in front of every full transfer.
 *
 * Model: the store's devices and the lists are walked side by side by EUI, in parts between which others may write; what they
 *   write meanwhile is met by the rules of store/device.h when the difference is applied.
 * Owns: the lists (taken over by fr_transfer_walk_add) and the differences it collects.
 * Threads: one. Errors: the store's and the lists'.
 * Units and limits: FR_TRANSFER_CHANGES_MAX differences are kept; of more only the number.
 * Trust: the lists come from a peer's zone, sorted by store/list.h.
 */
#include "admin/transfer.h"
#include "store/list.h"

struct fr_transfer_side {
    uint32_t netid;
    struct fr_list *list;
    uint64_t at; /* rows of it that were read */
    const struct fr_list_row *rows;
    size_t n, i;
};

struct fr_transfer_walk {
    struct fr_store *store;
    size_t n_sides;
    struct fr_transfer_side sides[FR_PRIMARY_NETIDS_MAX];
    uint64_t next; /* EUI to go on with */
    uint64_t before, gone, differences;
    struct fr_transfer_change *changes; /* of the first FR_TRANSFER_CHANGES_MAX */
    bool is_over;
};

enum fr_err fr_transfer_walk_init(struct fr_transfer_walk *walk, struct fr_store *store);
enum fr_err fr_transfer_walk_add(struct fr_transfer_walk *walk, uint32_t netid,
                                 struct fr_list *list);
/* A part of at most about `rows` devices of the store; is_over when it was the last. */
enum fr_err fr_transfer_walk_step(struct fr_transfer_walk *walk, uint64_t rows);
void fr_transfer_walk_deinit(struct fr_transfer_walk *walk);
