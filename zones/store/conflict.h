#pragma once
/*
 * Conflicts: devices that a second member claimed. The first one keeps them; the claim is remembered for people to settle.
 *
 * Model: one row for a device and the member that claimed it: how often, when first and last, for which NetID, and whose it was.
 * Errors: the store's. Units and limits: FR_CONFLICTS_MAX rows; when they are used up, those claimed last the longest ago go.
 * Trust: EUIs are a member's.
 */
#include "store/change.h"

#define FR_CONFLICTS_MAX 10000
#define FR_CONFLICTS_AT_ONCE 1000 /* noted in one change; more of one list are only counted */

struct fr_conflict_row {
    uint64_t deveui;
    char claimant[FR_MEMBER_ID_MAX + 1];
    char owner[FR_MEMBER_ID_MAX + 1];
    uint32_t netid; /* that was to have it */
    uint64_t count;
    int64_t first_s, last_s;
};

/* The holder of the NetID claimed these devices. Those that are not another member's now are passed over. */
enum fr_err fr_conflict_note(struct fr_change *change, uint32_t netid, const uint64_t *euis,
                             size_t n);

/* Each row in order of EUI and claimant. member: who claimed or owned; NULL: all. */
typedef enum fr_err (*fr_conflict_fn)(void *data, const struct fr_conflict_row *row);
enum fr_err fr_conflict_each(struct fr_snap *snap, const char *member, fr_conflict_fn fn,
                             void *data);

/* Forgets a device's conflicts, or with `member` all rows that name it; at most FR_CONFLICTS_AT_ONCE. */
enum fr_err fr_conflict_forget(struct fr_change *change, uint64_t deveui, uint64_t *count);
enum fr_err fr_conflict_forget_member(struct fr_change *change, const char *member,
                                      uint64_t *count);
