#include "roles/join_server.h"

#include "base/mem.h"
#include "base/wire.h"

#include <string.h>

static struct fr_key key_of(const struct fr_root_key *root)
{
    struct fr_key key;

    memcpy(key.b, root->bytes, sizeof key.b);
    return key;
}

enum fr_err fr_key_envelope(struct fr_crypto *crypto, const struct fr_kek *kek,
                            const uint8_t key[16], struct fr_bi_key *out)
{
    struct fr_bi_key envelope = {.n = 16};
    uint8_t wrapped[FR_WRAPPED_MAX];
    size_t n = 16;

    if (kek == NULL) {
        memcpy(envelope.bytes, key, 16);
    } else {
        enum fr_err err =
            fr_key_wrap(crypto, fr_span(kek->key.bytes, 16), fr_span(key, 16), wrapped, &n);
        if (err) return err;
        memcpy(envelope.bytes, wrapped, sizeof envelope.bytes);
        envelope.label = fr_span_str(kek->label);
    }
    envelope.n = (uint8_t)n;
    *out = envelope;
    return FR_OK;
}

enum fr_err fr_key_open(struct fr_crypto *crypto, const struct fr_keys *keys,
                        const struct fr_bi_key *envelope, uint8_t out[16])
{
    uint8_t clear[32];
    size_t n;

    if (envelope->label.n == 0) {
        if (envelope->n != 16) return FR_E_MALFORMED;
        memcpy(out, envelope->bytes, 16);
        return FR_OK;
    }
    const struct fr_kek *kek = fr_keys_find_kek(keys, envelope->label);
    if (kek == NULL) return FR_E_NOT_FOUND;
    if (envelope->n != 24) return FR_E_MALFORMED;
    enum fr_err err = fr_key_unwrap(crypto, fr_span(kek->key.bytes, 16),
                                    fr_span(envelope->bytes, envelope->n), clear, &n);
    if (err == FR_OK && n != 16) err = FR_E_MALFORMED;
    if (err == FR_OK) memcpy(out, clear, 16);
    fr_secret_zero(clear, sizeof clear);
    return err;
}

/* One join on its way through the role. */
struct job {
    const struct fr_js *js;
    const struct fr_bi_message *request;
    const struct fr_device *device;
    struct fr_join_request join;
    bool is_1_1_session;
    uint32_t join_nonce;
    struct fr_session_keys keys;
};

static enum fr_bi_result refuse(const char **why, enum fr_bi_result result, const char *text)
{
    *why = text;
    return result;
}

/* Who asks, for whom, and whether the frame is the device's own. */
static enum fr_bi_result admit(struct job *job, const char **why)
{
    const struct fr_bi_message *m = job->request;

    if (fr_join_request_read(m->phy_payload, &job->join) != FR_OK) {
        return refuse(why, FR_BI_FRAME_SIZE_ERROR, "PHYPayload is not a Join-request");
    }
    job->device = fr_keys_find(job->js->keys, job->join.dev_eui);
    if (job->device == NULL || !job->device->app_key.is_set || m->dev_eui != job->join.dev_eui) {
        return refuse(why, FR_BI_UNKNOWN_DEV_EUI, "no such device here");
    }
    if (job->device->join_eui != job->join.join_eui) {
        return refuse(why, FR_BI_UNKNOWN_DEV_EUI, "the device has another JoinEUI");
    }
    uint32_t home = job->device->home_netid ? job->device->home_netid : job->js->own_netid;
    if (m->sender.kind != FR_BI_ID_NETID || m->sender.value != home) {
        return refuse(why, FR_BI_ACTIVATION_DISALLOWED, "the sender is not the device's home");
    }
    bool is_1_1_device = job->device->version == FR_LORAWAN_1_1;
    job->is_1_1_session = fr_dl_settings_parse(m->dl_settings).opt_neg;
    if (job->is_1_1_session && !is_1_1_device) {
        return refuse(why, FR_BI_JOIN_REQ_FAILED, "OptNeg for a device of LoRaWAN 1.0");
    }
    struct fr_key key = key_of(is_1_1_device ? &job->device->nwk_key : &job->device->app_key);
    enum fr_err err = fr_frame_mic_check(job->js->crypto, &key, m->phy_payload);
    fr_secret_zero(&key, sizeof key);
    if (err == FR_E_CRYPTO) return refuse(why, FR_BI_MIC_FAILED, "wrong MIC");
    if (err != FR_OK) return refuse(why, FR_BI_OTHER, "the MIC could not be computed");
    return FR_BI_SUCCESS;
}

static enum fr_bi_result take_nonces(struct job *job, const char **why)
{
    enum fr_nonce_rule rule =
        job->device->version >= FR_LORAWAN_1_0_4 ? FR_NONCE_COUNTER : FR_NONCE_RANDOM;

    enum fr_err err = fr_state_take_nonces(job->js->state, job->device->dev_eui,
                                           job->join.dev_nonce, rule, &job->join_nonce);
    if (err == FR_E_CONFLICT) {
        return refuse(why, FR_BI_JOIN_REQ_FAILED, "DevNonce was used before");
    }
    if (err == FR_E_LIMIT) return refuse(why, FR_BI_JOIN_REQ_FAILED, "JoinNonces are used up");
    if (err != FR_OK) return refuse(why, FR_BI_OTHER, "the state could not be written");
    return FR_BI_SUCCESS;
}

/* The Join-accept and the session keys. */
static enum fr_err seal(struct job *job, struct fr_js_scratch *scratch, size_t *accept_n)
{
    const struct fr_bi_message *m = job->request;
    struct fr_crypto *crypto = job->js->crypto;
    uint32_t netid = (uint32_t)m->sender.value;
    bool is_1_1_device = job->device->version == FR_LORAWAN_1_1;
    struct fr_key root = key_of(is_1_1_device ? &job->device->nwk_key : &job->device->app_key);
    struct fr_key app = key_of(&job->device->app_key), mic_key = root, js_enc;
    const struct fr_join_context context = {.join_req_type = FR_JOIN_REQ_TYPE_JOIN,
                                            .join_eui = job->join.join_eui,
                                            .nonce = job->join.dev_nonce};
    struct fr_join_accept accept = {.join_nonce = job->join_nonce,
                                    .netid = netid,
                                    .dev_addr = m->dev_addr,
                                    .dl_settings = m->dl_settings,
                                    .rx_delay = m->rx_delay,
                                    .has_cflist = m->has & FR_BI_HAS_CF_LIST};
    enum fr_err err = FR_OK;

    memcpy(accept.cflist, m->cf_list, sizeof accept.cflist);
    if (job->is_1_1_session) {
        err = fr_js_keys(crypto, &root, job->device->dev_eui, &mic_key, &js_enc);
        if (err) goto out;
        err = fr_session_keys_1_1(crypto, &root, &app, job->join_nonce, job->join.join_eui,
                                  job->join.dev_nonce, &job->keys);
    } else {
        err = fr_session_keys_1_0(crypto, &root, job->join_nonce, netid, job->join.dev_nonce,
                                  &job->keys);
    }
    if (err) goto out;
    err =
        fr_join_accept_seal(crypto, &mic_key, &root, &context, &accept, scratch->accept, accept_n);
out:
    fr_secret_zero(&root, sizeof root);
    fr_secret_zero(&app, sizeof app);
    fr_secret_zero(&mic_key, sizeof mic_key);
    fr_secret_zero(&js_enc, sizeof js_enc);
    return err;
}

static enum fr_err put_keys(const struct job *job, const struct fr_kek *kek,
                            struct fr_bi_message *answer)
{
    struct fr_crypto *crypto = job->js->crypto;
    const struct fr_session_keys *k = &job->keys;

    enum fr_err err = fr_key_envelope(crypto, kek, k->app_s.b, &answer->keys[FR_BI_APP_S_KEY]);
    if (err) return err;
    if (!job->is_1_1_session) {
        return fr_key_envelope(crypto, kek, k->f_nwk_s_int.b, &answer->keys[FR_BI_NWK_S_KEY]);
    }
    err = fr_key_envelope(crypto, kek, k->f_nwk_s_int.b, &answer->keys[FR_BI_F_NWK_S_INT_KEY]);
    if (err) return err;
    err = fr_key_envelope(crypto, kek, k->s_nwk_s_int.b, &answer->keys[FR_BI_S_NWK_S_INT_KEY]);
    if (err) return err;
    return fr_key_envelope(crypto, kek, k->nwk_s_enc.b, &answer->keys[FR_BI_NWK_S_ENC_KEY]);
}

/* Names the AppSKey without telling anything of it: which device, which join. */
static struct fr_span session_key_id(const struct job *job, struct fr_js_scratch *scratch)
{
    struct fr_wr w = fr_wr(scratch->session_key_id, sizeof scratch->session_key_id);

    fr_wr_u64(&w, job->device->dev_eui);
    fr_wr_u24(&w, job->join_nonce);
    return fr_wr_done(&w);
}

void fr_js_join(const struct fr_js *js, const struct fr_bi_message *request,
                const struct fr_kek *kek, struct fr_js_scratch *scratch,
                struct fr_bi_message *answer)
{
    struct job job = {.js = js, .request = request};
    const char *why = "";
    size_t accept_n = 0;

    enum fr_bi_result result = admit(&job, &why);
    if (result == FR_BI_SUCCESS) result = take_nonces(&job, &why);
    fr_bi_answer_init(answer, request, result);
    if (result == FR_BI_SUCCESS) {
        enum fr_err err = seal(&job, scratch, &accept_n);
        if (err == FR_OK) err = put_keys(&job, kek, answer);
        if (err == FR_OK) {
            answer->phy_payload = fr_span(scratch->accept, accept_n);
            answer->has |= FR_BI_HAS_LIFETIME;
            answer->lifetime_s = 0;
            answer->session_key_id = session_key_id(&job, scratch);
        } else {
            answer->result = FR_BI_OTHER;
            why = "the Join-accept could not be made";
            fr_secret_zero(answer->keys, sizeof answer->keys);
        }
    }
    answer->description = fr_span_str(why);
    fr_secret_zero(&job.keys, sizeof job.keys);
}

void fr_js_home_ns(const struct fr_js *js, const struct fr_bi_message *request,
                   struct fr_bi_message *answer)
{
    const struct fr_device *device = fr_keys_find(js->keys, request->dev_eui);

    if (device == NULL) {
        fr_bi_answer_init(answer, request, FR_BI_UNKNOWN_DEV_EUI);
        return;
    }
    fr_bi_answer_init(answer, request, FR_BI_SUCCESS);
    answer->h_netid = device->home_netid ? device->home_netid : js->own_netid;
    answer->has |= FR_BI_HAS_H_NETID;
}
