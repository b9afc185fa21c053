/* The home role (hNS and sNS) toward visited networks: PRStartReq with a Join-request. */
#include "roles/inbound.h"

#include "gateway/region.h"

#include <string.h>

/* Frequencies, data rates and tokens of the uplink turned round: the join windows of the region. */
static void fill_downlink(const struct fr_bi_ul *ul, uint64_t dev_eui, struct fr_bi_dl *dl)
{
    *dl = (struct fr_bi_dl){.has_dev_eui = true,
                            .dev_eui = dev_eui,
                            .freq1_hz = ul->freq_hz,
                            .data_rate1 = ul->data_rate,
                            .freq2_hz = FR_EU868_RX2_HZ,
                            .data_rate2 = FR_EU868_RX2_DR,
                            .has_rx_delay = true,
                            .rx_delay1_s = FR_JOIN_RX1_DELAY_S,
                            .class_mode = 'A',
                            .fns_token = ul->fns_token};
    for (size_t i = 0; i < ul->gws.n; i++) {
        if (ul->gws.items[i].token.n == 0) continue;
        dl->gws.items[dl->gws.n++] = (struct fr_bi_gw){.token = ul->gws.items[i].token};
    }
}

/* The one key the visited network may have: enough to check MICs of uplinks, not to read or forge downlinks of 1.1. */
static enum fr_err put_key(struct fr_inbound *in, const struct fr_session *s,
                           struct fr_bi_message *answer)
{
    const struct fr_bi_peer *peer = &in->x->peer;
    const struct fr_ns_peer_rule *rule =
        fr_ns_find_rule(in->ns->options, peer->federation, (uint32_t)peer->id.value);
    const struct fr_kek *kek = NULL;

    if (rule != NULL && rule->kek != NULL) {
        kek = fr_keys_find_kek(in->ns->keys, fr_span_str(rule->kek));
        if (kek == NULL) return FR_E_NOT_FOUND;
    }
    return fr_key_envelope(in->ns->crypto, kek, s->f_nwk_s_int_key,
                           &answer->keys[s->is_1_1 ? FR_BI_F_NWK_S_INT_KEY : FR_BI_NWK_S_KEY]);
}

static void on_activated(void *data, const struct fr_activation_outcome *outcome)
{
    struct fr_inbound *in = data;
    const struct fr_bi_peer *peer = &in->x->peer;
    const struct fr_session *s = &outcome->session;
    struct fr_bi_message answer;

    if (outcome->result != FR_BI_SUCCESS) {
        fr_inbound_result(in, outcome->result, outcome->why);
        return;
    }
    fr_bi_answer_init(&answer, &in->x->request, FR_BI_SUCCESS);
    answer.has = FR_BI_HAS_DEV_EUI | FR_BI_HAS_DEV_ADDR | FR_BI_HAS_LIFETIME | FR_BI_HAS_FCNT_UP |
                 FR_BI_HAS_DL;
    answer.phy_payload = fr_span(outcome->accept, outcome->accept_n);
    answer.dev_eui = s->dev_eui;
    answer.dev_addr = s->dev_addr;
    answer.lifetime_s =
        fr_ns_lifetime_s(in->ns->options, peer->federation, (uint32_t)peer->id.value);
    answer.fcnt_up = 0;
    fill_downlink(&in->x->request.ul, s->dev_eui, &answer.dl);
    enum fr_err err = put_key(in, s, &answer);
    if (err)
        fr_inbound_result(in, FR_BI_OTHER, "the key cannot be wrapped: unknown KEK label");
    else
        fr_inbound_answer(in, &answer);
    fr_bi_message_deinit(&answer);
}

/* Every reason not to act on a PRStartReq, in the order of the checks; NULL: none. */
static const char *why_not(struct fr_inbound *in, const struct fr_device **device,
                           enum fr_bi_result *result)
{
    const struct fr_bi_message *m = &in->x->request;
    const struct fr_bi_peer *peer = &in->x->peer;
    const struct fr_bi_ul *ul = &m->ul;
    enum fr_mtype mtype;

    if (fr_frame_mtype(m->phy_payload, &mtype) != FR_OK || m->phy_payload.n > FR_FRAME_MAX ||
        (mtype == FR_MTYPE_JOIN_REQUEST && m->phy_payload.n != FR_JOIN_REQUEST_SIZE)) {
        *result = FR_BI_FRAME_SIZE_ERROR;
        return "PHYPayload is no LoRaWAN frame";
    }
    if (!fr_ns_may_roam(in->ns->options, peer->federation, (uint32_t)peer->id.value)) {
        *result = FR_BI_NO_ROAMING_AGREEMENT;
        return "not allowed by our rules";
    }
    if (mtype != FR_MTYPE_JOIN_REQUEST) {
        *result = FR_BI_DEV_ROAMING_DISALLOWED;
        return "only joins are taken from visited networks";
    }
    if (fr_join_request_read(m->phy_payload, &in->join) != FR_OK ||
        (ul->has_dev_eui && ul->dev_eui != in->join.dev_eui)) {
        *result = FR_BI_MALFORMED_REQUEST;
        return "ULMetaData and PHYPayload name different devices";
    }
    *device = fr_keys_find(in->ns->keys, in->join.dev_eui);
    if (*device == NULL || (*device)->home_netid != 0) {
        *result = FR_BI_UNKNOWN_DEV_EUI;
        return "not a device of this network";
    }
    if (!(*device)->may_roam) {
        *result = FR_BI_ROAMING_ACT_DISALLOWED;
        return "the device may not join through others";
    }
    if (strcmp(ul->region, FR_REGION_EU868) != 0 || !fr_eu868_has_hz(ul->freq_hz) ||
        ul->data_rate > FR_EU868_FSK_DR) {
        *result = FR_BI_OTHER;
        return "the device's region is EU868";
    }
    return NULL;
}

void fr_home_start(struct fr_inbound *in)
{
    const struct fr_device *device = NULL;
    const struct fr_bi_peer *peer = &in->x->peer;
    enum fr_bi_result result = FR_BI_OTHER;

    const char *why = why_not(in, &device, &result);
    if (why != NULL) {
        fr_inbound_result(in, result, why);
        return;
    }
    FR_LOG(in->ns->log, FR_LOG_INFO, "join.prstart", FR_STR("join", in->id),
           FR_INT("ms", fr_inbound_ms(in)), FR_STR("federation", peer->federation),
           FR_NETID("visited", (uint32_t)peer->id.value), FR_EUI("deveui", in->join.dev_eui),
           FR_UINT("devnonce", in->join.dev_nonce), FR_UINT("tid", in->x->request.transaction_id));
    in->activation = (struct fr_activation){
        .ns = in->ns,
        .done = on_activated,
        .data = in,
        .join_id = in->id,
        .device = *device,
        .join = in->join,
        .phy = in->x->request.phy_payload,
        .federation = peer->federation,
        .visited_netid = (uint32_t)peer->id.value,
        .received_ms = in->x->received_ms,
    };
    int64_t left = (int64_t)in->ns->options->answer_ms - fr_inbound_ms(in);
    fr_activation_start(&in->activation, left > 100 ? (uint32_t)left : 100);
}
