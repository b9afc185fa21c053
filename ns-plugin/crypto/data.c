#include "crypto/data.h"

#include "base/mem.h"
#include "base/wire.h"

#include <string.h>

enum { BLOCK = 16 };

/* B0, B1 and the A blocks have one shape: kind, four bytes of their own, direction, address,
 * counter, 0, a last byte. */
static void put_block(uint8_t block[BLOCK], uint8_t kind, const uint8_t own[4],
                      enum fr_direction dir, uint32_t dev_addr, uint32_t fcnt, uint8_t last)
{
    struct fr_wr w = fr_wr(block, BLOCK);

    fr_wr_u8(&w, kind);
    fr_wr_bytes(&w, own, 4);
    fr_wr_u8(&w, (uint8_t)dir);
    fr_wr_u32le(&w, dev_addr);
    fr_wr_u32le(&w, fcnt);
    fr_wr_u8(&w, 0);
    fr_wr_u8(&w, last);
}

static enum fr_err mac_over(struct fr_crypto *c, const struct fr_key *key, const uint8_t own[4],
                            enum fr_direction dir, uint32_t dev_addr, uint32_t fcnt,
                            struct fr_span message, uint8_t mac[16])
{
    uint8_t b[BLOCK];

    if (message.n > FR_FRAME_MAX) return FR_E_INVALID; /* its length has one byte in the block */
    put_block(b, 0x49, own, dir, dev_addr, fcnt, (uint8_t)message.n);
    return fr_cmac(c, key, fr_span(b, sizeof b), message, mac);
}

enum fr_err fr_data_mic(struct fr_crypto *c, const struct fr_key *key, enum fr_direction dir,
                        uint32_t dev_addr, uint32_t fcnt, uint16_t conf_fcnt,
                        struct fr_span message, uint8_t mic[FR_MIC_SIZE])
{
    const uint8_t own[4] = {(uint8_t)conf_fcnt, (uint8_t)(conf_fcnt >> 8), 0, 0};
    uint8_t mac[16];
    enum fr_err err = mac_over(c, key, own, dir, dev_addr, fcnt, message, mac);

    if (!err) memcpy(mic, mac, FR_MIC_SIZE);
    return err;
}

enum fr_err fr_data_mic_up_1_1(struct fr_crypto *c, const struct fr_key *s_nwk_s_int,
                               const struct fr_key *f_nwk_s_int, uint32_t dev_addr, uint32_t fcnt,
                               const struct fr_uplink_11 *how, struct fr_span message,
                               uint8_t mic[FR_MIC_SIZE])
{
    const uint8_t own[4] = {(uint8_t)how->conf_fcnt, (uint8_t)(how->conf_fcnt >> 8), how->tx_dr,
                            how->tx_ch};
    uint8_t s[16], f[FR_MIC_SIZE];
    enum fr_err err = mac_over(c, s_nwk_s_int, own, FR_UP, dev_addr, fcnt, message, s);

    if (!err) err = fr_data_mic(c, f_nwk_s_int, FR_UP, dev_addr, fcnt, 0, message, f);
    if (err) return err;
    memcpy(mic, s, 2);
    memcpy(mic + 2, f, 2);
    return FR_OK;
}

enum fr_err fr_data_crypt(struct fr_crypto *c, const struct fr_key *key, enum fr_direction dir,
                          uint32_t dev_addr, uint32_t fcnt, struct fr_span in, uint8_t *out)
{
    static const uint8_t own[4] = {0};
    uint8_t stream[BLOCK * BLOCK];
    size_t blocks = (in.n + BLOCK - 1) / BLOCK;
    enum fr_err err;

    if (in.n > FR_FRAME_MAX) return FR_E_INVALID;
    for (size_t i = 0; i < blocks; i++) {
        put_block(stream + i * BLOCK, 0x01, own, dir, dev_addr, fcnt, (uint8_t)(i + 1));
    }
    err = fr_aes_encrypt(c, key, stream, blocks * BLOCK, stream);
    for (size_t i = 0; i < in.n && !err; i++) out[i] = in.p[i] ^ stream[i];
    fr_secret_zero(stream, sizeof stream);
    return err;
}

enum fr_err fr_fopts_crypt(struct fr_crypto *c, const struct fr_key *nwk_s_enc,
                           enum fr_direction dir, bool is_a_fcnt_down, uint32_t dev_addr,
                           uint32_t fcnt, struct fr_span in, uint8_t *out)
{
    /* LoRaWAN 1.1 errata: which counter it is */
    const uint8_t own[4] = {0, 0, 0, is_a_fcnt_down ? 2 : 1};
    uint8_t stream[BLOCK];
    enum fr_err err;

    if (in.n > FR_FOPTS_MAX) return FR_E_INVALID;
    put_block(stream, 0x01, own, dir, dev_addr, fcnt, 1);
    err = fr_aes_encrypt(c, nwk_s_enc, stream, sizeof stream, stream);
    for (size_t i = 0; i < in.n && !err; i++) out[i] = in.p[i] ^ stream[i];
    fr_secret_zero(stream, sizeof stream);
    return err;
}
