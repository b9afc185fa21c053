#pragma once

#include <fedroam/error.h>

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct fedroam;

/*
 * May this certificate speak as this network? For whoever serves Backend Interfaces: to be asked about
 * each request, after TLS verified the certificate against the federation's CA.
 *
 * Model:   the federation publishes the keys of each network (TLSA 3 1 1 at _ns.<netid>.netid.<fed>);
 *          revoking a certificate takes its key away. The records are kept for their TTL (60 s), so a
 *          revocation arrives within that, on open connections too. A key that is not among those kept
 *          is asked about once more before it is refused. When no broker answers, what was known
 *          serves for peer_stale (24 h).
 * Trust:   the certificate and the SenderID are a peer's.
 */
enum fedroam_peer {
    FEDROAM_PEER_OK = 0, /* it may */
    FEDROAM_PEER_STALE, /* it might when a broker was last reached, which is not so now: serve it */
    FEDROAM_PEER_UNKNOWN, /* the federation has no such network */
    FEDROAM_PEER_REVOKED, /* its key is not among the network's (any more), or its time is over */
    FEDROAM_PEER_WRONG_NETID, /* it names another network than the SenderID, or another federation */
    FEDROAM_PEER_UNDECIDED    /* no broker can be asked and nothing is known: refuse */
};

/* One word. Static text, never NULL. */
FEDROAM_API const char *fedroam_peer_text(enum fedroam_peer verdict);

/* `why` is one sentence for people, "" for OK; valid during the call. */
typedef void (*fedroam_peer_cb)(void *data, enum fedroam_peer verdict, const char *why);

struct fedroam_peer_check;

/*
 * Starts a check of a certificate (DER) against the NetID in SenderID. `timeout_ms` 0 takes the one of
 * the options. The call-back comes once, by the deadline, never from inside; `out` (may be NULL) can be
 * used to cancel until then. FEDROAM_E_FEDERATION; FEDROAM_E_ARGUMENT: not a certificate, a NetID above
 * 24 bits; FEDROAM_E_LIMIT; FEDROAM_E_MEMORY: nothing was started.
 */
FEDROAM_API enum fedroam_err fedroam_check_peer(struct fedroam *f, const char *federation,
                                                const uint8_t *certificate, size_t n,
                                                uint32_t sender_id, uint32_t timeout_ms,
                                                fedroam_peer_cb done, void *data,
                                                struct fedroam_peer_check **out);

/* Ends a check without its call-back. */
FEDROAM_API void fedroam_check_peer_cancel(struct fedroam_peer_check *check);

/* The same for a handle without a host: waits for the verdict. FEDROAM_E_STATE as for look-ups. */
FEDROAM_API enum fedroam_err fedroam_wait_peer(struct fedroam *f, const char *federation,
                                               const uint8_t *certificate, size_t n,
                                               uint32_t sender_id, uint32_t timeout_ms,
                                               enum fedroam_peer *out);

#ifdef __cplusplus
}
#endif
