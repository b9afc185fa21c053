#include "gateway/gwmp.h"

#include "backend/jval.h"
#include "base/base64.h"
#include "base/wire.h"
#include "gateway/region.h"

#include <stdio.h>
#include <string.h>

static const char *const TX_ERRORS[] = {
    [FR_TX_NONE] = "NONE",
    [FR_TX_TOO_LATE] = "TOO_LATE",
    [FR_TX_TOO_EARLY] = "TOO_EARLY",
    [FR_TX_COLLISION_PACKET] = "COLLISION_PACKET",
    [FR_TX_COLLISION_BEACON] = "COLLISION_BEACON",
    [FR_TX_FREQ] = "TX_FREQ",
    [FR_TX_POWER] = "TX_POWER",
    [FR_TX_GPS_UNLOCKED] = "GPS_UNLOCKED",
    [FR_TX_OTHER] = "OTHER",
};

const char *fr_tx_error_print(enum fr_tx_error error)
{
    return TX_ERRORS[error];
}

enum fr_err fr_gwmp_read_head(struct fr_span datagram, struct fr_gwmp *out)
{
    struct fr_rd r = fr_rd(datagram);

    memset(out, 0, offsetof(struct fr_gwmp, rx));
    out->version = fr_rd_u8(&r);
    out->token = fr_rd_u16(&r);
    uint8_t kind = fr_rd_u8(&r);
    if (fr_rd_err(&r)) return fr_rd_err(&r);
    if (out->version != 1 && out->version != 2) return FR_E_UNSUPPORTED;
    if (kind != FR_GWMP_PUSH_DATA && kind != FR_GWMP_PULL_DATA && kind != FR_GWMP_TX_ACK) {
        return FR_E_UNSUPPORTED;
    }
    out->kind = (enum fr_gwmp_kind)kind;
    out->eui = fr_rd_u64(&r);
    return fr_rd_err(&r);
}

/* Forwarders in the field leave the padding out and use the URL alphabet. */
static enum fr_err read_data(struct fr_span text, struct fr_rx *rx)
{
    char plain[4 * ((FR_GWMP_FRAME_MAX + 2) / 3) + 1];
    struct fr_buf bytes = FR_BUF_INIT(FR_GWMP_FRAME_MAX);
    size_t n = 0;

    if (text.n >= sizeof plain) return FR_E_LIMIT;
    for (; n < text.n && text.p[n] != '='; n++) {
        char c = (char)text.p[n];
        plain[n] = c == '-' ? '+' : c == '_' ? '/' : c;
    }
    for (size_t i = n; i < text.n; i++) {
        if (text.p[i] != '=') return FR_E_MALFORMED;
    }
    while (n % 4 != 0 && n + 1 < sizeof plain) plain[n++] = '=';
    enum fr_err err = fr_base64_parse(fr_span(plain, n), &bytes);
    if (err == FR_OK && bytes.n == 0) err = FR_E_MALFORMED;
    if (err == FR_OK) {
        memcpy(rx->phy, bytes.p, bytes.n);
        rx->phy_n = (uint8_t)bytes.n;
    }
    fr_buf_deinit(&bytes);
    return err;
}

/* LoRa: a word. FSK: the bit rate as a number. */
static bool read_rate(const struct fr_jval *object, struct fr_rx *rx)
{
    const struct fr_jval *datr = fr_jval_get(object, "datr");
    struct fr_span word;
    int64_t rate;
    int dr = -1;

    if (fr_jval_text(datr, &word))
        dr = fr_eu868_dr_parse(word);
    else if (fr_jval_integer(datr, &rate) && rate > 0 && rate <= UINT32_MAX) {
        dr = fr_eu868_dr_from_fsk((uint32_t)rate);
    }
    rx->dr = (uint8_t)(dr < 0 ? 0 : dr);
    return dr >= 0;
}

/* Several antennas: the best of them speaks for the gateway. */
static void read_antennas(const struct fr_jval *object, struct fr_rx *rx)
{
    const struct fr_jval *list = fr_jval_get(object, "rsig");
    bool has_one = false;

    for (size_t i = 0; i < fr_jval_count(list) && i < 8; i++) {
        struct fr_jread r = {.object = fr_jval_at(list, i)};
        int64_t rssi;
        double snr;
        if (!fr_jread_int(&r, "rssic", FR_J_MUST, INT16_MIN, INT16_MAX, &rssi)) continue;
        if (!fr_jread_number(&r, "lsnr", FR_J_MUST, &snr)) continue;
        if (has_one && snr <= rx->snr_db) continue;
        rx->rssi_dbm = (int16_t)rssi;
        rx->snr_db = snr;
        has_one = true;
    }
}

static bool read_rx(const struct fr_jval *object, struct fr_rx *rx)
{
    struct fr_jread r = {.object = object};
    uint64_t tmst = 0, size = 0;
    int64_t crc = 1, rssi = 0;
    struct fr_span data = {0};

    memset(rx, 0, sizeof *rx);
    (void)fr_jread_u64(&r, "tmst", FR_J_MUST, UINT32_MAX, &tmst);
    (void)fr_jread_mhz(&r, "freq", FR_J_MUST, &rx->freq_hz);
    (void)fr_jread_int(&r, "stat", FR_J_MAY, -1, 1, &crc);
    (void)fr_jread_int(&r, "rssi", FR_J_MAY, INT16_MIN, INT16_MAX, &rssi);
    (void)fr_jread_number(&r, "lsnr", FR_J_MAY, &rx->snr_db);
    (void)fr_jread_u64(&r, "size", FR_J_MUST, FR_GWMP_FRAME_MAX, &size);
    (void)fr_jread_text(&r, "data", FR_J_MUST, &data);
    if (r.wrong != NULL || crc != 1) return false;
    rx->tmst_us = (uint32_t)tmst;
    rx->rssi_dbm = (int16_t)rssi;
    read_antennas(object, rx);
    if (!read_rate(object, rx) || !fr_eu868_has_hz(rx->freq_hz)) return false;
    return read_data(data, rx) == FR_OK && rx->phy_n == size;
}

static enum fr_err read_push(const struct fr_jval *doc, struct fr_gwmp *out)
{
    const struct fr_jval *list = fr_jval_get(doc, "rxpk");

    out->has_stat = fr_jval_is_object(fr_jval_get(doc, "stat"));
    if (list != NULL && !fr_jval_is_array(list)) return FR_E_MALFORMED;
    for (size_t i = 0; i < fr_jval_count(list); i++) {
        if (out->n_rx < FR_GWMP_RX_MAX && read_rx(fr_jval_at(list, i), &out->rx[out->n_rx])) {
            out->n_rx++;
        } else {
            out->n_bad++;
        }
    }
    return FR_OK;
}

/* No "error" (newer forwarders: only a "warn") is success. */
static void read_tx_ack(const struct fr_jval *doc, struct fr_gwmp *out)
{
    struct fr_span word;

    if (!fr_jval_text(fr_jval_get(fr_jval_get(doc, "txpk_ack"), "error"), &word)) return;
    out->tx_error = FR_TX_OTHER;
    for (size_t i = 0; i < FR_TX_OTHER; i++) {
        if (fr_span_is(word, TX_ERRORS[i])) out->tx_error = (enum fr_tx_error)i;
    }
}

enum fr_err fr_gwmp_read(struct fr_span datagram, struct fr_gwmp *out)
{
    struct fr_jval *doc = NULL;
    enum fr_err err = fr_gwmp_read_head(datagram, out);

    if (err) return err;
    if (out->kind == FR_GWMP_PULL_DATA) return FR_OK;
    struct fr_span body = fr_span(datagram.p + 12, datagram.n - 12);
    if (out->kind == FR_GWMP_TX_ACK && fr_span_trim(body).n == 0) return FR_OK;
    err = fr_jval_parse(body, &doc);
    if (err) return err;
    if (!fr_jval_is_object(doc))
        err = FR_E_MALFORMED;
    else if (out->kind == FR_GWMP_PUSH_DATA)
        err = read_push(doc, out);
    else
        read_tx_ack(doc, out);
    fr_jval_free(doc);
    return err;
}

void fr_gwmp_write_ack(const struct fr_gwmp *datagram, uint8_t out[4])
{
    struct fr_wr w = fr_wr(out, 4);

    fr_wr_u8(&w, datagram->version);
    fr_wr_u16(&w, datagram->token);
    fr_wr_u8(&w, datagram->kind == FR_GWMP_PUSH_DATA ? FR_GWMP_PUSH_ACK : FR_GWMP_PULL_ACK);
}

enum fr_err fr_gwmp_write_tx(uint8_t version, uint16_t token, const struct fr_tx *tx,
                             struct fr_buf *out)
{
    uint8_t head[4];
    char mhz[FR_MHZ_TEXT];
    struct fr_wr w = fr_wr(head, sizeof head);
    const char *word = fr_eu868_dr_print(tx->dr);

    if (tx->phy.n == 0 || tx->phy.n > FR_GWMP_FRAME_MAX) return FR_E_RANGE;
    if (word == NULL && tx->dr != FR_EU868_FSK_DR) return FR_E_UNSUPPORTED;
    fr_wr_u8(&w, version);
    fr_wr_u16(&w, token);
    fr_wr_u8(&w, FR_GWMP_PULL_RESP);
    fr_buf_add_span(out, fr_wr_done(&w));
    fr_mhz_print(tx->freq_hz, mhz);
    fr_buf_printf(out, "{\"txpk\":{\"imme\":false,\"tmst\":%u,\"freq\":%s,\"rfch\":0,\"powe\":%d,",
                  tx->tmst_us, mhz, tx->power_dbm);
    if (word != NULL) {
        fr_buf_printf(out,
                      "\"modu\":\"LORA\",\"datr\":\"%s\",\"codr\":\"4/5\",\"ipol\":true,"
                      "\"prea\":8,",
                      word);
    } else {
        fr_buf_printf(out, "\"modu\":\"FSK\",\"datr\":%d,\"fdev\":25000,\"prea\":5,",
                      FR_EU868_FSK_BITRATE);
    }
    fr_buf_printf(out, "\"ncrc\":%s,\"size\":%zu,\"data\":\"", word != NULL ? "true" : "false",
                  tx->phy.n);
    enum fr_err err = fr_base64_print(tx->phy, out);
    fr_buf_add_str(out, "\"}}");
    return err ? err : fr_buf_err(out);
}

uint32_t fr_gwmp_after(uint32_t tmst_us, uint32_t delay_us)
{
    return tmst_us + delay_us; /* unsigned: the wrap is the counter's own */
}
