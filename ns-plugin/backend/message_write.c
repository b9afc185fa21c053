#include "backend/message_priv.h"

#include "base/hex.h"
#include "base/json_out.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void put_hex(struct fr_json *j, const char *key, struct fr_span bytes)
{
    char text[2 * FR_BI_TOKEN_MAX + 1];

    if (bytes.n > FR_BI_TOKEN_MAX) {
        if (j->out->err == FR_OK) j->out->err = FR_E_LIMIT;
        return;
    }
    fr_hex_print(bytes.p, bytes.n, text);
    fr_json_put_str(j, key, text);
}

static void put_id(struct fr_json *j, const char *key, uint64_t id, unsigned digits)
{
    char text[17];

    fr_hex_print_u64(id, digits, text);
    fr_json_put_str(j, key, text);
}

static void put_side(struct fr_json *j, const char *key, struct fr_bi_id id)
{
    char text[FR_BI_ID_TEXT];

    fr_bi_id_print(id, text);
    fr_json_put_str(j, key, text);
}

/* Shortest exact form: deployed peers truncate x·10⁶ instead of rounding it. */
static void put_mhz(struct fr_json *j, const char *key, uint32_t hz)
{
    char text[FR_MHZ_TEXT];

    fr_mhz_print(hz, text);
    fr_json_key(j, key);
    fr_json_number(j, text);
}

static void put_snr(struct fr_json *j, double snr_db)
{
    char text[32];

    if (!isfinite(snr_db)) return;
    (void)snprintf(text, sizeof text, "%.6g", snr_db);
    fr_json_key(j, "SNR");
    fr_json_number(j, text);
}

static void put_key(struct fr_json *j, const struct fr_bi_message *m, enum fr_bi_key_name which,
                    const char *name)
{
    const struct fr_bi_key *key = &m->keys[which];

    if (key->n == 0) return;
    fr_json_key(j, name);
    fr_json_object(j);
    if (key->label.n > 0) {
        fr_json_key(j, "KEKLabel");
        fr_json_span(j, key->label);
    }
    put_hex(j, "AESKey", fr_span(key->bytes, key->n));
    fr_json_end(j);
}

static void put_keys(struct fr_json *j, const struct fr_bi_message *m)
{
    put_key(j, m, FR_BI_S_NWK_S_INT_KEY, "SNwkSIntKey");
    put_key(j, m, FR_BI_F_NWK_S_INT_KEY, "FNwkSIntKey");
    put_key(j, m, FR_BI_NWK_S_ENC_KEY, "NwkSEncKey");
    put_key(j, m, FR_BI_NWK_S_KEY, "NwkSKey");
    put_key(j, m, FR_BI_APP_S_KEY, "AppSKey");
}

/* Always an array, also an empty one: a deployed parser fails without it. */
static void put_gws(struct fr_json *j, const struct fr_bi_gws *gws)
{
    fr_json_key(j, "GWInfo");
    fr_json_array(j);
    for (size_t i = 0; i < gws->n; i++) {
        const struct fr_bi_gw *gw = &gws->items[i];
        fr_json_object(j);
        if (gw->id_n > 0) put_hex(j, "ID", fr_span(gw->id, gw->id_n));
        if (gw->has_rssi) {
            fr_json_key(j, "RSSI");
            fr_json_int(j, gw->rssi_dbm);
        }
        if (gw->has_snr) put_snr(j, gw->snr_db);
        if (gw->token.n > 0) put_hex(j, "ULToken", gw->token);
        if (gw->id_n > 0) fr_json_put_bool(j, "DLAllowed", gw->dl_allowed);
        fr_json_end(j);
    }
    fr_json_end(j);
}

static void put_ul(struct fr_json *j, const struct fr_bi_ul *ul)
{
    char time[FR_BI_TIME_TEXT];

    fr_json_key(j, "ULMetaData");
    fr_json_object(j);
    if (ul->has_dev_eui) put_id(j, "DevEUI", ul->dev_eui, 16);
    if (ul->has_dev_addr) put_id(j, "DevAddr", ul->dev_addr, 8);
    fr_json_put_uint(j, "DataRate", ul->data_rate);
    put_mhz(j, "ULFreq", ul->freq_hz);
    fr_bi_time_print(ul->recv_time_ms, time);
    fr_json_put_str(j, "RecvTime", time);
    fr_json_put_str(j, "RFRegion", ul->region);
    if (ul->fns_token.n > 0) put_hex(j, "FNSULToken", ul->fns_token);
    fr_json_put_uint(j, "GWCnt", ul->gw_count);
    put_gws(j, &ul->gws);
    fr_json_end(j);
}

static void put_dl(struct fr_json *j, const struct fr_bi_dl *dl)
{
    char class_mode[2] = {dl->class_mode, '\0'};

    fr_json_key(j, "DLMetaData");
    fr_json_object(j);
    if (dl->has_dev_eui) put_id(j, "DevEUI", dl->dev_eui, 16);
    if (dl->freq1_hz > 0) {
        put_mhz(j, "DLFreq1", dl->freq1_hz);
        fr_json_put_uint(j, "DataRate1", dl->data_rate1);
    }
    if (dl->freq2_hz > 0) {
        put_mhz(j, "DLFreq2", dl->freq2_hz);
        fr_json_put_uint(j, "DataRate2", dl->data_rate2);
    }
    if (dl->has_rx_delay) fr_json_put_uint(j, "RXDelay1", dl->rx_delay1_s);
    if (dl->class_mode != 0) fr_json_put_str(j, "ClassMode", class_mode);
    if (dl->hi_priority) fr_json_put_bool(j, "HiPriorityFlag", true);
    if (dl->fns_token.n > 0) put_hex(j, "FNSULToken", dl->fns_token);
    put_gws(j, &dl->gws);
    fr_json_end(j);
}

static void put_result(struct fr_json *j, const struct fr_bi_message *m)
{
    fr_json_key(j, "Result");
    fr_json_object(j);
    fr_json_put_str(j, "ResultCode", fr_bi_result_print(m->result));
    if (m->description.n > 0) {
        fr_json_key(j, "Description");
        fr_json_span(j, m->description);
    }
    fr_json_end(j);
}

static void put_envelope(struct fr_json *j, const struct fr_bi_message *m)
{
    fr_json_put_str(j, "ProtocolVersion", "1.0");
    put_side(j, "SenderID", m->sender);
    put_side(j, "ReceiverID", m->receiver);
    fr_json_put_uint(j, "TransactionID", m->transaction_id);
    fr_json_put_str(j, "MessageType", m->type_text);
    if (m->sender_token.n > 0) put_hex(j, "SenderToken", m->sender_token);
    if (m->receiver_token.n > 0) put_hex(j, "ReceiverToken", m->receiver_token);
    if (!fr_bi_is_request(m->type)) put_result(j, m);
}

static void put_members(struct fr_json *j, const struct fr_bi_message *m)
{
    bool is_join_req = m->type == FR_BI_JOIN_REQ;

    if (m->mac_version.n > 0) {
        fr_json_key(j, "MACVersion");
        fr_json_span(j, m->mac_version);
    }
    if (m->phy_payload.n > 0) put_hex(j, "PHYPayload", m->phy_payload);
    if (m->has & FR_BI_HAS_DEV_EUI) put_id(j, "DevEUI", m->dev_eui, 16);
    if (m->has & FR_BI_HAS_DEV_ADDR) put_id(j, "DevAddr", m->dev_addr, 8);
    if (is_join_req) {
        put_hex(j, "DLSettings", fr_span(&m->dl_settings, 1));
        fr_json_put_uint(j, "RxDelay", m->rx_delay);
    }
    if (m->has & FR_BI_HAS_CF_LIST) put_hex(j, "CFList", fr_span(m->cf_list, 16));
    if (m->has & FR_BI_HAS_LIFETIME) fr_json_put_uint(j, "Lifetime", m->lifetime_s);
    put_keys(j, m);
    if (m->has & FR_BI_HAS_FCNT_UP) fr_json_put_uint(j, "FCntUp", m->fcnt_up);
    if (m->session_key_id.n > 0) put_hex(j, "SessionKeyID", m->session_key_id);
    if (m->has & FR_BI_HAS_H_NETID) put_id(j, "HNetID", m->h_netid, 6);
    if (m->has & FR_BI_HAS_UL) put_ul(j, &m->ul);
    if (m->has & FR_BI_HAS_DL) put_dl(j, &m->dl);
}

enum fr_err fr_bi_write(const struct fr_bi_message *m, struct fr_buf *out)
{
    struct fr_json j = fr_json(out);

    fr_json_object(&j);
    put_envelope(&j, m);
    put_members(&j, m);
    fr_json_end(&j);
    return fr_buf_err(out);
}
