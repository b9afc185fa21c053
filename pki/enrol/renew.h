/* Renewing the certificates of a wallet.
 *
 * Model    A certificate is due at two thirds of its life, and a little later by chance of its
 *          serial (up to a twentieth of its life), so that members of one day do not all come at
 *          once. It is renewed over EST with itself; the key stays unless another is wanted. A new
 *          key of a network server waits until whoever keeps the old keys' record has forgotten it.
 * Owns     Nothing.
 * Threads  One; blocks. The wallet is locked by the caller.
 * Errors   Those of enrol/est_client.h and enrol/accept.h. FR_E_EXPIRED: over, and the federation did
 *          not renew it all the same. FR_E_REVOKED.
 * Units    Seconds. */
#pragma once

#include "enrol/accept.h"
#include "enrol/pairs.h"

#define FR_REKEY_WAIT_S 120 /* twice ttl.netid as federations have it */

/* When it is to be renewed. */
int64_t fr_renew_due_s(const struct fr_pair *pair);

struct fr_renew {
    const char *folder; /* <wallet>/<fed> */
    const struct fr_wallet_entry *entry;
    bool is_rekey;
    uint32_t rekey_wait_s; /* until a network server's new key is used */
    uid_t owner;           /* of the key; (uid_t)-1: as the present one */
    int64_t now_s;
};

/* Gets the successor of one pair and lets it be used (with a new key: when its time comes). */
enum fr_err fr_renew_pair(const struct fr_renew *renew, const struct fr_pair *pair,
                          struct fr_diag *diag);
