#pragma once
/*
 * Visibility: which member lets which other member's look-ups find its devices.
 *
 * Model: a *grant* is a pair home × visited, one direction. Grants count while the policy
 *   `visibility` is `granted`; under `federation` they are kept and every active member sees every
 *   device. A member always sees its own. A hidden device (store/device.h) is seen by nobody.
 *   Only look-ups of devices obey this: networks, their endpoints and keys are for every member.
 * Errors: FR_E_NOT_FOUND (no such member), FR_E_CONFLICT (removed), FR_E_INVALID (a pair of one).
 */
#include "store/change.h"
#include "store/policy.h"

struct fr_visibility_row {
    char home[FR_MEMBER_ID_MAX + 1], visited[FR_MEMBER_ID_MAX + 1];
    int64_t since_s;
};

/* FR_OK without a trace when it is so already. */
enum fr_err fr_visibility_allow(struct fr_change *change, const char *home, const char *visited,
                                struct fr_diag *diag);
enum fr_err fr_visibility_deny(struct fr_change *change, const char *home, const char *visited,
                               struct fr_diag *diag);
/* Every grant that names the member, either way. */
enum fr_err fr_visibility_forget(struct fr_change *change, const char *member);

typedef enum fr_err (*fr_visibility_fn)(void *data, const struct fr_visibility_row *row);
enum fr_err fr_visibility_each(struct fr_snap *snap, fr_visibility_fn fn, void *data); /* by home */
enum fr_err fr_visibility_get(struct fr_snap *snap, const char *home, const char *visited,
                              struct fr_visibility_row *out); /* FR_E_NOT_FOUND: no grant */

/* Pairs of two active members, the home holding an active network: all of them, and those with a
 * grant. The difference is what goes dark when the policy becomes `granted`. */
struct fr_visibility_pairs {
    uint64_t all, granted;
};
enum fr_err fr_visibility_count(struct fr_snap *snap, struct fr_visibility_pairs *out);

/* Whether a member's look-up finds a device, and the first reason why not. */
enum fr_sighting {
    FR_SIGHT_SEEN,
    FR_SIGHT_NO_DEVICE,
    FR_SIGHT_SUSPENDED, /* its network, or the member that holds it */
    FR_SIGHT_HIDDEN,
    FR_SIGHT_NOT_GRANTED,
};
const char *fr_sighting_text(enum fr_sighting sighting); /* "not granted" */
enum fr_err fr_visibility_explain(struct fr_snap *snap, uint64_t deveui, const char *member,
                                  enum fr_sighting *out);
