/* Whether a subject may have a certificate now, by the registry.
 *
 * Errors   FR_E_NOT_FOUND (member, NetID), FR_E_DENIED (suspended or removed), FR_E_CONFLICT (NetID
 *          or JoinEUI of another member), FR_E_INVALID. */
#pragma once

#include "ca/profile.h"
#include "store/change.h"

/* A JoinEUI that nobody has becomes the member's with this. */
enum fr_err fr_subject_check(struct fr_change *change, const struct fr_subject *subject,
                             struct fr_diag *diag);

/* The one active NetID of a member; FR_E_INVALID when it has none or several. */
enum fr_err fr_subject_only_netid(struct fr_snap *snap, const char *member, struct fr_diag *diag,
                                  uint32_t *out);
