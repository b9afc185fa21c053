#pragma once
/*
 * Grace: until when certificates that are over may still be renewed, after an outage.
 *
 * Model: a row for a member, or one for all of them ("" as id). It opens nothing but the renewal of
 *   an expired certificate that was never revoked, with the same key and names.
 * Errors: FR_E_NOT_FOUND, FR_E_RANGE, the store's.
 * Units: Unix seconds. A window is at most FR_GRACE_MAX_S long.
 */
#include "store/change.h"

#define FR_GRACE_MAX_S (30LL * 86400)
/* A certificate that is over for longer is past any grace. */
#define FR_GRACE_REACH_S (90LL * 86400)

struct fr_grace_row {
    char member[FR_MEMBER_ID_MAX + 1]; /* "": every member */
    int64_t opened_s, until_s;
};

typedef enum fr_err (*fr_grace_fn)(void *data, const struct fr_grace_row *row);
enum fr_err fr_grace_each(struct fr_snap *snap, fr_grace_fn fn, void *data);

/* Is there a window for this member now? */
enum fr_err fr_grace_is_open(struct fr_snap *snap, const char *member, int64_t now_s, bool *out);

/* Opens or moves a window. FR_E_NOT_FOUND (no such member), FR_E_RANGE. */
enum fr_err fr_grace_open(struct fr_change *change, const char *member, int64_t until_s,
                          struct fr_diag *diag);
enum fr_err fr_grace_close(struct fr_change *change, const char *member, struct fr_diag *diag);
