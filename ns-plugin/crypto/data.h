#pragma once
/* Cryptography of data frames: MIC and encryption. LoRaWAN 1.0.x section 4.3.3 and 4.4, 1.1 the
 * same and its errata.
 *
 * Counters are the full 32 bits; `message` is the frame without its MIC, at most 255 bytes
 * (FR_E_INVALID).
 * Errors: those of crypto/crypto.h. */

#include "crypto/crypto.h"
#include "frames/data.h"

enum fr_direction { FR_UP = 0, FR_DOWN = 1 };

/* CMAC(key, B0 | message): 1.0 both ways (conf_fcnt 0), 1.1 down (conf_fcnt = the confirmed
 * uplink acknowledged, low 16 bits, or 0), and the half of 1.1 up that a forwarding network can
 * check (bytes 2 and 3 of the frame's MIC are the first two). */
enum fr_err fr_data_mic(struct fr_crypto *c, const struct fr_key *key, enum fr_direction dir,
                        uint32_t dev_addr, uint32_t fcnt, uint16_t conf_fcnt,
                        struct fr_span message, uint8_t mic[FR_MIC_SIZE]);

/* How a 1.1 uplink was sent: part of its MIC. */
struct fr_uplink_11 {
    uint16_t conf_fcnt; /* of the confirmed downlink acknowledged, or 0 */
    uint8_t tx_dr;
    uint8_t tx_ch;
};

enum fr_err fr_data_mic_up_1_1(struct fr_crypto *c, const struct fr_key *s_nwk_s_int,
                               const struct fr_key *f_nwk_s_int, uint32_t dev_addr, uint32_t fcnt,
                               const struct fr_uplink_11 *how, struct fr_span message,
                               uint8_t mic[FR_MIC_SIZE]);

/* FRMPayload, either way round: encrypting twice gives the clear text. in and out may be the
 * same. */
enum fr_err fr_data_crypt(struct fr_crypto *c, const struct fr_key *key, enum fr_direction dir,
                          uint32_t dev_addr, uint32_t fcnt, struct fr_span in, uint8_t *out);

/* FOpts of 1.1, likewise. is_a_fcnt_down: the counter is AFCntDown (downlink with FPort above
 * 0). At most 15 bytes. */
enum fr_err fr_fopts_crypt(struct fr_crypto *c, const struct fr_key *nwk_s_enc,
                           enum fr_direction dir, bool is_a_fcnt_down, uint32_t dev_addr,
                           uint32_t fcnt, struct fr_span in, uint8_t *out);
