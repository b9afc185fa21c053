#pragma once
/* Cryptography of joining: MICs, the sealed Join-accept, session keys. LoRaWAN 1.0.x and 1.1,
 * section 6.2.
 *
 * Errors: those of crypto/crypto.h and of the codec; FR_E_CRYPTO for a wrong MIC. Trust: frames
 * are the radio's. */

#include "crypto/crypto.h"
#include "frames/join.h"

/* CMAC over the frame without its last four bytes: Join-requests (AppKey in 1.0, NwkKey in 1.1)
 * and Rejoin-requests (SNwkSIntKey for types 0 and 2, JSIntKey for type 1). */
enum fr_err fr_frame_mic_check(struct fr_crypto *c, const struct fr_key *key, struct fr_span frame);
enum fr_err fr_frame_mic_put(struct fr_crypto *c, const struct fr_key *key, uint8_t *frame,
                             size_t n);

/* What a Join-accept answers. */
struct fr_join_context {
    uint8_t join_req_type; /* 0xff Join-request; 0, 1, 2 Rejoin-request of that type */
    uint64_t join_eui;
    uint16_t nonce; /* DevNonce, or the RJcount of a Rejoin-request */
};

#define FR_JOIN_REQ_TYPE_JOIN 0xff

/* The frame for the air. mic_key: AppKey (1.0) or NwkKey (1.1 device, OptNeg clear), JSIntKey
 * when OptNeg is set in accept->dl_settings (then the context is part of the MIC). enc_key:
 * AppKey, NwkKey, or JSEncKey when answering a Rejoin. accept->mic is not read. *out_n is 17 or
 * 33. */
enum fr_err fr_join_accept_seal(struct fr_crypto *c, const struct fr_key *mic_key,
                                const struct fr_key *enc_key, const struct fr_join_context *context,
                                const struct fr_join_accept *accept,
                                uint8_t out[FR_JOIN_ACCEPT_MAX], size_t *out_n);

/* The device's side of it. */
enum fr_err fr_join_accept_open(struct fr_crypto *c, const struct fr_key *mic_key,
                                const struct fr_key *enc_key, const struct fr_join_context *context,
                                struct fr_span frame, struct fr_join_accept *out);

/* JSIntKey and JSEncKey of a 1.1 device. */
enum fr_err fr_js_keys(struct fr_crypto *c, const struct fr_key *nwk_key, uint64_t dev_eui,
                       struct fr_key *js_int_key, struct fr_key *js_enc_key);

struct fr_session_keys {
    struct fr_key f_nwk_s_int; /* 1.0: all three network keys are NwkSKey */
    struct fr_key s_nwk_s_int;
    struct fr_key nwk_s_enc;
    struct fr_key app_s;
};

/* 1.0 devices with their AppKey, and 1.1 devices with their NwkKey when OptNeg is clear. */
enum fr_err fr_session_keys_1_0(struct fr_crypto *c, const struct fr_key *key, uint32_t join_nonce,
                                uint32_t netid, uint16_t dev_nonce, struct fr_session_keys *out);

/* OptNeg set. After a Rejoin-request `nonce` is its RJcount. */
enum fr_err fr_session_keys_1_1(struct fr_crypto *c, const struct fr_key *nwk_key,
                                const struct fr_key *app_key, uint32_t join_nonce,
                                uint64_t join_eui, uint16_t nonce, struct fr_session_keys *out);
