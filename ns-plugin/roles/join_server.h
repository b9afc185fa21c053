#pragma once
/*
 * The Join Server role: JoinReq in, JoinAns out.
 *
 * Model: the frame's MIC proves the device; its DevNonce must be new; the JoinNonce of the answer is on disk before the answer
 *   exists. The NetID in the Join-accept (and in the keys of 1.0.x) is the SenderID's. HomeNSReq tells where a device is at home.
 * Owns: nothing; the answer's spans point into the scratch that the caller keeps until the answer is written.
 * Threads: the one of state and crypto.
 * Errors: none: every outcome is an answer with a Result.
 * Trust: the message and the frame in it are a stranger's.
 * See: Backend Interfaces 1.0 section 8; LoRaWAN 1.1 section 6.2.
 */
#include "backend/message.h"
#include "crypto/join.h"
#include "state/keys.h"
#include "state/state.h"

struct fr_js {
    struct fr_crypto *crypto;
    struct fr_state *state;
    const struct fr_keys *keys;
    uint32_t own_netid; /* the home of devices that name none */
};

struct fr_js_scratch {
    uint8_t accept[FR_JOIN_ACCEPT_MAX];
    uint8_t session_key_id[16];
};

/* kek: what the requester's keys are wrapped with; NULL: they stay clear. */
void fr_js_join(const struct fr_js *js, const struct fr_bi_message *request,
                const struct fr_kek *kek, struct fr_js_scratch *scratch,
                struct fr_bi_message *answer);

void fr_js_home_ns(const struct fr_js *js, const struct fr_bi_message *request,
                   struct fr_bi_message *answer);

/* A key for a message, wrapped when there is a KEK. FR_E_INTERNAL. */
enum fr_err fr_key_envelope(struct fr_crypto *crypto, const struct fr_kek *kek,
                            const uint8_t key[16], struct fr_bi_key *out);

/* The key in an envelope: in clear, or wrapped with one of our KEKs. FR_E_NOT_FOUND: no KEK of that label; FR_E_CRYPTO. */
enum fr_err fr_key_open(struct fr_crypto *crypto, const struct fr_keys *keys,
                        const struct fr_bi_key *envelope, uint8_t out[16]);
