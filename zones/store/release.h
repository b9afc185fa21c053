#pragma once
/*
 * Releases: devices that their member gives up to another one, which then claims them. A move takes both.
 *
 * Model: a release names the device, who gives it, to whom, and until when. While it is *good*, the other member's claim (or its
 *   publishing the device, one at a time or in a list) moves the device. It is good until its time, and as long as nothing happens to
 *   the device: every change of that withdraws it, the claim itself too. What is no longer good is swept away.
 * Errors: FR_E_NOT_FOUND (no such device; somebody else's reads the same to a member), FR_E_CONFLICT (the other member was
 *   removed), FR_E_INVALID (to itself; in the past; too long), FR_E_LIMIT.
 * Units and limits: FR_RELEASES_MAX releases in a federation; FR_RELEASE_LONGEST_S.
 */
#include "store/change.h"
#include "store/device.h"

#define FR_RELEASES_MAX 1000000
#define FR_RELEASE_AT_ONCE 2000 /* in one change */
#define FR_RELEASE_LONGEST_S (366 * 86400)
#define FR_RELEASE_USUAL_S (7 * 86400) /* where nothing else is said */

struct fr_release_row {
    uint64_t deveui;
    char from[FR_MEMBER_ID_MAX + 1];
    char to[FR_MEMBER_ID_MAX + 1];
    uint32_t change; /* the device's, when it was released */
    int64_t until_s, created_s;
};

enum fr_err fr_release_get(struct fr_snap *snap, uint64_t deveui, struct fr_release_row *out);

/* Does it let `to` have the device, which is `owner`'s, at this moment? */
bool fr_release_is_good(const struct fr_release_row *row, const struct fr_device_row *device,
                        const char *owner, const char *to, int64_t now_s);

/* Each release that is good, in order of EUI. member: who gives or gets; NULL: everybody. */
typedef enum fr_err (*fr_release_fn)(void *data, const struct fr_release_row *row);
enum fr_err fr_release_each(struct fr_snap *snap, const char *member, int64_t now_s,
                            fr_release_fn fn, void *data);

/* A part of them, for who must not read for long. */
struct fr_release_part {
    uint64_t from; /* EUI; afterwards, where the next part begins */
    uint64_t rows; /* that may be looked at, of whomever; counted down */
    bool is_end;   /* afterwards: there is no next part */
};
/* As each; the callback's FR_E_CLOSED ends the part behind that row, and is FR_OK. */
enum fr_err fr_release_each_part(struct fr_snap *snap, const char *member, int64_t now_s,
                                 fr_release_fn fn, void *data, struct fr_release_part *part);

struct fr_release_job {
    const char *by; /* whose devices they must be; NULL: anybody's (an operator asks) */
    const uint64_t *euis;
    size_t n;
    const char *to;
    int64_t until_s;
};
/* All of them or none. One that is there is replaced. *count: how many are new or different. */
enum fr_err fr_release_put(struct fr_change *change, const struct fr_release_job *job,
                           struct fr_diag *diag, uint64_t *count);
/* Takes releases back; devices that are not released are passed over. `to` and `until_s` are not looked at. */
enum fr_err fr_release_withdraw(struct fr_change *change, const struct fr_release_job *job,
                                struct fr_diag *diag, uint64_t *count);

/* Removes releases that are not good any more, at most `limit` of them; *left: there may be more. */
enum fr_err fr_release_sweep(struct fr_change *change, size_t limit, bool *left);
