#include "crypto/join.h"

#include "base/mem.h"

#include <string.h>

enum fr_err fr_frame_mic_put(struct fr_crypto *c, const struct fr_key *key, uint8_t *frame,
                             size_t n)
{
    uint8_t mac[16];

    if (n <= FR_MIC_SIZE) return FR_E_TRUNCATED;
    enum fr_err err = fr_cmac(c, key, fr_span(frame, n - FR_MIC_SIZE), (struct fr_span){0}, mac);
    if (!err) memcpy(frame + n - FR_MIC_SIZE, mac, FR_MIC_SIZE);
    return err;
}

enum fr_err fr_frame_mic_check(struct fr_crypto *c, const struct fr_key *key, struct fr_span frame)
{
    uint8_t mac[16], mic[FR_MIC_SIZE];
    struct fr_span message;
    enum fr_err err = fr_frame_split_mic(frame, &message, mic);

    if (!err) err = fr_cmac(c, key, message, (struct fr_span){0}, mac);
    if (err) return err;
    return fr_secret_equal(mac, mic, sizeof mic) ? FR_OK : FR_E_CRYPTO;
}

/* MIC of a clear Join-accept without its own MIC; 1.1 binds it to what it answers. */
static enum fr_err accept_mic(struct fr_crypto *c, const struct fr_key *key,
                              const struct fr_join_context *context, uint8_t dl_settings,
                              struct fr_span message, uint8_t mac[16])
{
    uint8_t prefix[11];
    struct fr_wr w = fr_wr(prefix, sizeof prefix);

    if (fr_dl_settings_parse(dl_settings).opt_neg) {
        fr_wr_u8(&w, context->join_req_type);
        fr_wr_u64le(&w, context->join_eui);
        fr_wr_u16le(&w, context->nonce);
    }
    return fr_cmac(c, key, fr_wr_done(&w), message, mac);
}

enum fr_err fr_join_accept_seal(struct fr_crypto *c, const struct fr_key *mic_key,
                                const struct fr_key *enc_key, const struct fr_join_context *context,
                                const struct fr_join_accept *accept,
                                uint8_t out[FR_JOIN_ACCEPT_MAX], size_t *out_n)
{
    uint8_t clear[FR_JOIN_ACCEPT_MAX], mac[16];
    struct fr_wr w = fr_wr(clear, sizeof clear);
    enum fr_err err;

    fr_join_accept_write(&w, accept);
    err = fr_wr_err(&w);
    if (err) return err;
    size_t n = w.at;
    err =
        accept_mic(c, mic_key, context, accept->dl_settings, fr_span(clear, n - FR_MIC_SIZE), mac);
    if (err) return err;
    memcpy(clear + n - FR_MIC_SIZE, mac, FR_MIC_SIZE);
    /* The inverse operation, so that a device needs AES encryption only (6.2.3). */
    err = fr_aes_decrypt(c, enc_key, clear + 1, n - 1, clear + 1);
    if (err) return err;
    memcpy(out, clear, n);
    *out_n = n;
    return FR_OK;
}

enum fr_err fr_join_accept_open(struct fr_crypto *c, const struct fr_key *mic_key,
                                const struct fr_key *enc_key, const struct fr_join_context *context,
                                struct fr_span frame, struct fr_join_accept *out)
{
    uint8_t clear[FR_JOIN_ACCEPT_MAX], mac[16];
    struct fr_join_accept accept;
    enum fr_err err;

    if (frame.n != FR_JOIN_ACCEPT_SIZE && frame.n != FR_JOIN_ACCEPT_MAX) return FR_E_MALFORMED;
    clear[0] = frame.p[0];
    err = fr_aes_encrypt(c, enc_key, frame.p + 1, frame.n - 1, clear + 1);
    if (!err) err = fr_join_accept_read(fr_span(clear, frame.n), &accept);
    if (err) return err;
    err = accept_mic(c, mic_key, context, accept.dl_settings, fr_span(clear, frame.n - FR_MIC_SIZE),
                     mac);
    if (err) return err;
    if (!fr_secret_equal(mac, accept.mic, FR_MIC_SIZE)) return FR_E_CRYPTO;
    *out = accept;
    return FR_OK;
}

/* aes(key, kind and the nonces already in the block, zeros after them). */
static enum fr_err derive(struct fr_crypto *c, const struct fr_key *key, uint8_t kind,
                          uint8_t block[16], struct fr_key *out)
{
    block[0] = kind;
    return fr_aes_encrypt(c, key, block, 16, out->b);
}

enum fr_err fr_js_keys(struct fr_crypto *c, const struct fr_key *nwk_key, uint64_t dev_eui,
                       struct fr_key *js_int_key, struct fr_key *js_enc_key)
{
    uint8_t block[16] = {0};
    struct fr_wr w = fr_wr(block + 1, sizeof block - 1);
    struct fr_key enc, mic;
    enum fr_err err;

    fr_wr_u64le(&w, dev_eui);
    err = derive(c, nwk_key, 0x05, block, &enc);
    if (!err) err = derive(c, nwk_key, 0x06, block, &mic);
    if (!err) {
        *js_enc_key = enc;
        *js_int_key = mic;
    }
    fr_secret_zero(&enc, sizeof enc);
    fr_secret_zero(&mic, sizeof mic);
    return err;
}

enum fr_err fr_session_keys_1_0(struct fr_crypto *c, const struct fr_key *key, uint32_t join_nonce,
                                uint32_t netid, uint16_t dev_nonce, struct fr_session_keys *out)
{
    uint8_t block[16] = {0};
    struct fr_wr w = fr_wr(block + 1, sizeof block - 1);
    struct fr_session_keys keys = {0};
    enum fr_err err;

    fr_wr_u24le(&w, join_nonce);
    fr_wr_u24le(&w, netid);
    fr_wr_u16le(&w, dev_nonce);
    err = fr_wr_err(&w);
    if (!err) err = derive(c, key, 0x01, block, &keys.f_nwk_s_int);
    if (!err) err = derive(c, key, 0x02, block, &keys.app_s);
    if (!err) {
        keys.s_nwk_s_int = keys.f_nwk_s_int;
        keys.nwk_s_enc = keys.f_nwk_s_int;
        *out = keys;
    }
    fr_secret_zero(&keys, sizeof keys);
    return err;
}

enum fr_err fr_session_keys_1_1(struct fr_crypto *c, const struct fr_key *nwk_key,
                                const struct fr_key *app_key, uint32_t join_nonce,
                                uint64_t join_eui, uint16_t nonce, struct fr_session_keys *out)
{
    uint8_t block[16] = {0};
    struct fr_wr w = fr_wr(block + 1, sizeof block - 1);
    struct fr_session_keys keys = {0};
    enum fr_err err;

    fr_wr_u24le(&w, join_nonce);
    fr_wr_u64le(&w, join_eui);
    fr_wr_u16le(&w, nonce);
    err = fr_wr_err(&w);
    if (!err) err = derive(c, nwk_key, 0x01, block, &keys.f_nwk_s_int);
    if (!err) err = derive(c, app_key, 0x02, block, &keys.app_s);
    if (!err) err = derive(c, nwk_key, 0x03, block, &keys.s_nwk_s_int);
    if (!err) err = derive(c, nwk_key, 0x04, block, &keys.nwk_s_enc);
    if (!err) *out = keys;
    fr_secret_zero(&keys, sizeof keys);
    return err;
}
