#pragma once
/*
 * Going back: the devices as they were after an earlier transaction. Devices only: members, networks, certificates, tokens, policy and
 * everything else stay as they are.
 *
 * Model: the journal says of each device what every change turned it into, and out of what. A *rollback* collects what the devices
 *   touched since then were, in parts, while others go on; and puts them back in one change, together with what the others did by
 *   then. A device stays as it is (is *left*) when the network it was in, or that network's member, has gone since.
 *   More than FR_DEVICE_APPLY_MAX devices are one `image` fact; fewer are facts of their own, so that a rollback can be undone by another.
 * Owns: what it collected, until it is freed. Threads: one.
 * Errors: FR_E_INVALID (a number that is yet to come), FR_E_NOT_FOUND (the journal does not reach back so far), FR_E_CONFLICT (an import
 *   without facts is in between, or a record of an old form; the diag says how far back it goes), FR_E_LIMIT (FR_ROLLBACK_MAX).
 * Units and limits: FR_ROLLBACK_MAX devices.
 */
#include "store/change.h"

#define FR_ROLLBACK_MAX 4000000

struct fr_rollback;

struct fr_rollback_report {
    uint64_t to;
    uint64_t added, removed, moved; /* as the rollback does it: added was removed since */
    uint64_t hidden, shown;
    uint64_t left; /* stay as they are: their network or member is gone */
};

enum fr_err fr_rollback_new(uint64_t to, struct fr_rollback **out);
void fr_rollback_free(struct fr_rollback *rollback); /* NULL is fine */

/* About budget_ms of collecting; *done when it has come to the snap's moment. */
enum fr_err fr_rollback_collect(struct fr_rollback *rollback, struct fr_snap *snap,
                                unsigned budget_ms, struct fr_diag *diag, bool *done);

/* Collects the rest and puts the devices back. */
enum fr_err fr_rollback_apply(struct fr_rollback *rollback, struct fr_change *change,
                              struct fr_diag *diag, struct fr_rollback_report *report);
