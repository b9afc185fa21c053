#pragma once
/*
 * Conflicts: devices and JoinEUIs that a second member claimed. The first one keeps them; the claim is remembered for people to settle.
 *
 * Model: one row for a device, or a JoinEUI or block of them (store/joineui.h), and the member that claimed it: how often, when first
 *   and last, for which NetID, and whose it was.
 * Errors: the store's. Units and limits: FR_CONFLICTS_MAX rows; when they are used up, those claimed last the longest ago go.
 * Trust: EUIs are a member's.
 */
#include "store/change.h"

#define FR_CONFLICTS_MAX 10000
#define FR_CONFLICTS_AT_ONCE 1000 /* noted in one change; more of one list are only counted */

struct fr_conflict_row {
    uint64_t eui;    /* a device's, or a JoinEUI's first nibbles */
    uint8_t nibbles; /* how many; 0: a device */
    char claimant[FR_MEMBER_ID_MAX + 1];
    char owner[FR_MEMBER_ID_MAX + 1];
    uint32_t netid; /* that was to have the device */
    uint64_t count;
    int64_t first_s, last_s;
};

/* The holder of the NetID claimed these devices. Those that are not another member's now are passed over. */
enum fr_err fr_conflict_note(struct fr_change *change, uint32_t netid, const uint64_t *euis,
                             size_t n);

/* The member claimed a JoinEUI or a block. Passed over when all of it is free or its own now. */
enum fr_err fr_conflict_note_joineui(struct fr_change *change, const char *claimant, uint64_t base,
                                     uint8_t nibbles);

/* Each row in order of EUI and claimant. member: who claimed or owned; NULL: all. */
typedef enum fr_err (*fr_conflict_fn)(void *data, const struct fr_conflict_row *row);
enum fr_err fr_conflict_each(struct fr_snap *snap, const char *member, fr_conflict_fn fn,
                             void *data);

/* Forgets the conflicts about an EUI, or with `member` all rows that name it; at most FR_CONFLICTS_AT_ONCE. */
enum fr_err fr_conflict_forget(struct fr_change *change, uint64_t eui, uint64_t *count);
enum fr_err fr_conflict_forget_member(struct fr_change *change, const char *member,
                                      uint64_t *count);
