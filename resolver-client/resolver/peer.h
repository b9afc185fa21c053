#pragma once
/* Checking a peer by its key: what fedroam_check_peer() and our own network server share. See
 * <fedroam/peer.h> for what is decided how.
 *
 * Owns: the handle owns its checks. Threads: the loop's. Errors: those of a look-up; the verdict is in
 *   the call-back. Limits: a key that is not known costs one question, and no more than one a second
 *   for a network. */

#include "resolver/handle.h"
#include <fedroam/peer.h>

enum { FR_PEER_KEY = 32 /* SHA-256 of the SubjectPublicKeyInfo */ };

/* Who hears the verdict: one of the two. `network` is where the peer is, as the broker or the cache
 * says, NULL where nothing is known; it and `why` are valid during the call-back. */
struct fr_peer_call {
    void (*done)(void *data, enum fedroam_peer verdict, const char *why,
                 const struct fedroam_answer *network);
    fedroam_peer_cb plain;
    void *data;
};

/* The call comes once, from the loop. FR_E_NOT_FOUND (federation), FR_E_LIMIT, FR_E_NOMEM. */
enum fr_err fr_peer_start(struct fedroam *f, const char *federation, uint32_t netid,
                          const uint8_t key[FR_PEER_KEY], uint32_t timeout_ms,
                          struct fr_peer_call call, struct fedroam_peer_check **out);

/* The same for a verdict that needs no question; `why` is static text. */
enum fr_err fr_peer_decided(struct fedroam *f, const char *federation, enum fedroam_peer verdict,
                            const char *why, struct fr_peer_call call,
                            struct fedroam_peer_check **out);

struct fedroam *fr_peer_handle(const struct fedroam_peer_check *check);

/* No call-back comes. */
void fr_peer_cancel(struct fedroam_peer_check *check);

/* Drops all checks of the handle without their call-backs. */
void fr_peers_free(struct fedroam *f);
