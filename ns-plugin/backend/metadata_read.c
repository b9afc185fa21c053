#include "backend/message_priv.h"

#include <string.h>

/* Names of the 1.0 print and the RP002 names that everybody uses today. */
static const struct {
    const char *old, *name;
} REGIONS[] = {
    {"US902", "US915"},
    {"CHINA779", "CN779"},
    {"CHINA470", "CN470"},
    {"AUSTRALIA915", "AU915"},
};

/* Letters, digits and the dashes of "AS923-2" or "AS923_2". */
static bool is_region_char(uint8_t c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

static void read_region(struct fr_jread *r, enum fr_jpresence presence, char out[16])
{
    struct fr_span text;

    if (!fr_jread_text(r, "RFRegion", presence, &text)) return;
    bool is_word = text.n > 0;
    for (size_t i = 0; i < text.n; i++) is_word = is_word && is_region_char(text.p[i]);
    if (!is_word || !fr_span_copy(text, out, 16)) {
        if (r->wrong == NULL) r->wrong = "RFRegion";
        return;
    }
    for (char *c = out; *c != '\0'; c++) {
        if (*c >= 'a' && *c <= 'z') *c = (char)(*c - 'a' + 'A');
    }
    for (size_t i = 0; i < sizeof REGIONS / sizeof REGIONS[0]; i++) {
        if (strcmp(out, REGIONS[i].old) == 0) {
            (void)fr_span_copy(fr_span_str(REGIONS[i].name), out, 16);
        }
    }
}

static void read_gw(struct fr_bi_message *m, const struct fr_jval *value, struct fr_jread *r,
                    struct fr_bi_gw *gw)
{
    struct fr_jread inner = {.object = value};
    int64_t rssi;
    size_t n = 0;

    *gw = (struct fr_bi_gw){0};
    const struct fr_jval *id = fr_jval_get(value, "ID");
    if (id != NULL && (!fr_jval_hex(id, gw->id, sizeof gw->id, &n) || n == 0)) inner.wrong = "ID";
    gw->id_n = (uint8_t)n;
    gw->has_rssi = fr_jread_int(&inner, "RSSI", FR_J_MAY, INT16_MIN, INT16_MAX, &rssi);
    if (gw->has_rssi) gw->rssi_dbm = (int16_t)rssi;
    gw->has_snr = fr_jread_number(&inner, "SNR", FR_J_MAY, &gw->snr_db);
    gw->token = fr_bi_decode(m, &inner, "ULToken", FR_J_MAY, FR_BI_TOKEN_MAX);
    (void)fr_jread_bool(&inner, "DLAllowed", FR_J_MAY, &gw->dl_allowed);
    if ((inner.wrong != NULL || !fr_jval_is_object(value)) && r->wrong == NULL) r->wrong = "GWInfo";
}

/* Absent and null are an empty list: deployed peers write null. */
static enum fr_err read_gws(struct fr_bi_message *m, struct fr_jread *r, struct fr_bi_gws *out)
{
    const struct fr_jval *list = fr_jread_array(r, "GWInfo", FR_J_MAY);

    out->n = 0;
    if (fr_jval_count(list) > FR_BI_GW_MAX) return FR_E_LIMIT;
    for (size_t i = 0; i < fr_jval_count(list); i++) {
        read_gw(m, fr_jval_at(list, i), r, &out->items[out->n++]);
    }
    return FR_OK;
}

static void read_rate(struct fr_jread *r, const char *name, enum fr_jpresence presence,
                      uint8_t *out)
{
    uint64_t v;

    if (fr_jread_u64(r, name, presence, 15, &v)) *out = (uint8_t)v;
}

enum fr_err fr_bi_read_ul(struct fr_bi_message *m, struct fr_jread *r, enum fr_jpresence presence)
{
    const struct fr_jval *object = fr_jread_object(r, "ULMetaData", presence);
    struct fr_bi_ul *ul = &m->ul;
    struct fr_span time;
    uint64_t v;

    if (object == NULL) return FR_OK;
    struct fr_jread inner = {.object = object};
    ul->has_dev_eui = fr_jread_id(&inner, "DevEUI", FR_J_MAY, 8, &ul->dev_eui);
    ul->has_dev_addr = fr_jread_id(&inner, "DevAddr", FR_J_MAY, 4, &v);
    if (ul->has_dev_addr) ul->dev_addr = (uint32_t)v;
    read_rate(&inner, "DataRate", FR_J_MUST, &ul->data_rate);
    (void)fr_jread_mhz(&inner, "ULFreq", FR_J_MUST, &ul->freq_hz);
    if (fr_jread_text(&inner, "RecvTime", FR_J_MUST, &time) &&
        fr_bi_time_parse(time, &ul->recv_time_ms) != FR_OK && inner.wrong == NULL) {
        inner.wrong = "RecvTime";
    }
    read_region(&inner, FR_J_MUST, ul->region);
    if (fr_jread_u64(&inner, "GWCnt", FR_J_MAY, UINT32_MAX, &v)) ul->gw_count = (uint32_t)v;
    ul->fns_token = fr_bi_decode(m, &inner, "FNSULToken", FR_J_MAY, FR_BI_TOKEN_MAX);
    enum fr_err err = read_gws(m, &inner, &ul->gws);
    if (err != FR_OK) return err;
    m->has |= FR_BI_HAS_UL;
    if (inner.wrong != NULL && r->wrong == NULL) r->wrong = inner.wrong;
    return FR_OK;
}

static void read_class(struct fr_jread *r, char *out)
{
    struct fr_span text;

    if (!fr_jread_text(r, "ClassMode", FR_J_MAY, &text)) return;
    if (fr_span_is(text, "A") || fr_span_is(text, "C"))
        *out = (char)text.p[0];
    else if (r->wrong == NULL)
        r->wrong = "ClassMode";
}

enum fr_err fr_bi_read_dl(struct fr_bi_message *m, struct fr_jread *r, enum fr_jpresence presence)
{
    const struct fr_jval *object = fr_jread_object(r, "DLMetaData", presence);
    struct fr_bi_dl *dl = &m->dl;
    uint64_t v;

    if (object == NULL) return FR_OK;
    struct fr_jread inner = {.object = object};
    dl->has_dev_eui = fr_jread_id(&inner, "DevEUI", FR_J_MAY, 8, &dl->dev_eui);
    /* A window is a frequency and a data rate: each asks for the other. */
    if (fr_jread_mhz(&inner, "DLFreq1", FR_J_MAY, &dl->freq1_hz)) {
        read_rate(&inner, "DataRate1", FR_J_MUST, &dl->data_rate1);
    }
    if (fr_jread_mhz(&inner, "DLFreq2", FR_J_MAY, &dl->freq2_hz)) {
        read_rate(&inner, "DataRate2", FR_J_MUST, &dl->data_rate2);
    }
    dl->has_rx_delay = fr_jread_u64(&inner, "RXDelay1", FR_J_MAY, 15, &v);
    if (dl->has_rx_delay) dl->rx_delay1_s = (uint8_t)v;
    read_class(&inner, &dl->class_mode);
    (void)fr_jread_bool(&inner, "HiPriorityFlag", FR_J_MAY, &dl->hi_priority);
    dl->fns_token = fr_bi_decode(m, &inner, "FNSULToken", FR_J_MAY, FR_BI_TOKEN_MAX);
    enum fr_err err = read_gws(m, &inner, &dl->gws);
    if (err != FR_OK) return err;
    m->has |= FR_BI_HAS_DL;
    if (inner.wrong != NULL && r->wrong == NULL) r->wrong = inner.wrong;
    return FR_OK;
}
