/* The rules for members and their NetIDs: who may have what, and what follows.
 *
 * Model    Functions work inside a change of the caller, so that --dry-run is a cancel and
 *          "changed" is whether the change is empty. The same request twice is no change; a
 *          different one for an existing member is FR_E_EXISTS.
 * Owns     Nothing; requests are borrowed.
 * Errors   FR_E_INVALID (id, NetID, text), FR_E_CONFLICT (NetID of another member, who is named),
 *          FR_E_EXISTS, FR_E_NOT_FOUND, FR_E_LIMIT.
 * Trust    Every field of a request may be a stranger's; the store checks texts once more. */
#pragma once

#include "base/addr.h"
#include "names/devaddr.h"
#include "store/change.h"
#include "store/member.h"
#include "store/network.h"

#define FR_MEMBER_NETIDS_MAX 64

struct fr_member_request {
    const char *id;
    const uint32_t *netids;
    size_t netid_count;
    bool wants_free_netid;          /* --netid auto: the lowest free one of the pool, in addition */
    const uint32_t *removed_netids; /* update only */
    size_t removed_netid_count;
    const struct fr_addr
        *endpoints;        /* for each NetID named here; with none named, for all the member's */
    size_t endpoint_count; /* 0: leave */
    const char *org;       /* NULL: leave (empty for a new member) */
    const char *noc;
    const char *security;
};

/* A new member. Exactly the same member already there: FR_OK without a change. A removed id is
 * never used again (FR_E_EXISTS). */
enum fr_err fr_member_create(struct fr_change *change, const struct fr_member_request *request,
                             struct fr_diag *diag);

/* Adds and takes away NetIDs, sets endpoints and texts of an existing member. Never touches
 * certificates; taking a NetID away needs it to have no devices and no live certificate
 * (FR_E_CONFLICT). */
enum fr_err fr_member_update(struct fr_change *change, const struct fr_member_request *request,
                             struct fr_diag *diag);

/* Everything the member has disappears from answers at once, and comes back with resume. Rows and
 * certificates stay. */
enum fr_err fr_member_suspend(struct fr_change *change, const char *id, struct fr_diag *diag);
enum fr_err fr_member_resume(struct fr_change *change, const char *id, struct fr_diag *diag);

/* For good: the state says removed, so that nothing of it is admitted any more and its devices vanish at
 * once, and its certificates are revoked (cessationOfOperation): the first FR_REVOKE_SLICE here, more of
 * them, like the devices' rows, by fr_member_clean. */
enum fr_err fr_member_remove(struct fr_change *change, const char *id, struct fr_diag *diag);

/* Revokes what is left of a removed member's certificates and takes rows of its devices and NetIDs away,
 * in durable commits of about budget_ms; *done when nothing is left. Call until done, and again after a restart. */
enum fr_err fr_member_clean(struct fr_store *store, const char *id, const struct fr_change_by *by,
                            unsigned budget_ms, struct fr_diag *diag, bool *done);

/* What a person should be told of a NetID: its address block, and who else gives out the same
 * addresses. */
#define FR_SHARED_MAX 16
struct fr_netid_notice {
    uint32_t netid;
    struct fr_devaddr_prefix prefix;
    uint32_t address_count;
    bool can_be_shared;  /* its type loses bits in DevAddr: strangers may have the same block */
    size_t shared_count; /* networks of this federation with the same block, of which */
    uint32_t shared_with[FR_SHARED_MAX]; /* … the first are listed */
};
enum fr_err fr_netid_notice_read(struct fr_snap *snap, uint32_t netid, struct fr_netid_notice *out);
