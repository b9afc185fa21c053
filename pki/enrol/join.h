/* Joining a federation: the steps that get root and certificates, each of which may be done again.
 *
 * Model    fr_join_root, then fr_join_enrol for each profile of the token. Both look first at what is
 *          there: a step that was done is not done again, one that was interrupted goes on where it
 *          was. Key and request are on disk before the token is shown, and the same request with
 *          the same token gets the same certificate, so a token is never spent for nothing.
 * Owns     Nothing; everything in struct fr_join is the caller's.
 * Threads  One; blocks. The wallet is locked by the caller.
 * Errors   Those of enrol/est_client.h, enrol/accept.h and of files. FR_E_CONFLICT: the federation is
 *          here with another root. FR_E_PENDING: the operator has not approved yet.
 * Units    Seconds.
 * See      docs/joining-a-federation.md */
#pragma once

#include "enrol/accept.h"
#include "enrol/ticket.h"

struct fr_join {
    const char *folder; /* <wallet>/<fed> */
    const struct fr_ticket *ticket;
    const struct fr_est_place *place;
    uid_t owner; /* of keys; (uid_t)-1: whoever runs this */
    int64_t now_s;
    uint32_t wait_s; /* for an approval, and for a busy server */
    /* Said once for each wait. */
    void (*on_wait)(void *data, const struct fr_diag *why, unsigned seconds);
    void *data;
};

/* root.pem, pinned by the token. *changed: it was not there. */
enum fr_err fr_join_root(const struct fr_join *join, struct fr_diag *diag, bool *changed);

/* The certificate of one profile, ready to be used. *changed: it was not there. */
enum fr_err fr_join_enrol(const struct fr_join *join, enum fr_wallet_profile profile, uid_t owner,
                          struct fr_diag *diag, bool *changed);
