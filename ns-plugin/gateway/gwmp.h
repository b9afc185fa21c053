#pragma once
/*
 * The Semtech UDP packet-forwarder protocol, version 2 (and 1, which lacks TX_ACK): datagrams in, datagrams out.
 *
 * Model: a datagram is a fixed head and, for three kinds, a JSON object. PUSH_DATA carries received frames ("rxpk") and
 *   figures ("stat"); a bad frame among good ones is counted and left out. A downlink is one PULL_RESP; the gateway says in
 *   TX_ACK what became of it.
 * Owns: nothing; a parsed datagram holds its frames by value.
 * Threads: any. Pure: bytes in, values out.
 * Errors: FR_E_TRUNCATED, FR_E_UNSUPPORTED (version, identifier), FR_E_MALFORMED (body), FR_E_NOMEM.
 * Units and limits: counters in µs modulo 2³²; datagrams up to FR_GWMP_MAX; FR_GWMP_RX_MAX frames a datagram, more are dropped.
 * Trust: everything is the gateway's, and UDP proves no sender.
 * See: sx1302_hal, packet_forwarder/PROTOCOL.md.
 */
#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FR_GWMP_MAX 4096
#define FR_GWMP_RX_MAX 16
#define FR_GWMP_FRAME_MAX 255

enum fr_gwmp_kind {
    FR_GWMP_PUSH_DATA = 0,
    FR_GWMP_PUSH_ACK = 1,
    FR_GWMP_PULL_DATA = 2,
    FR_GWMP_PULL_RESP = 3,
    FR_GWMP_PULL_ACK = 4,
    FR_GWMP_TX_ACK = 5,
};

/* What a gateway says about a downlink. An empty TX_ACK is NONE: success. */
enum fr_tx_error {
    FR_TX_NONE,
    FR_TX_TOO_LATE,
    FR_TX_TOO_EARLY,
    FR_TX_COLLISION_PACKET,
    FR_TX_COLLISION_BEACON,
    FR_TX_FREQ,
    FR_TX_POWER,
    FR_TX_GPS_UNLOCKED,
    FR_TX_OTHER, /* a word nobody knows: not sent */
};
const char *fr_tx_error_print(enum fr_tx_error error);

struct fr_rx {
    uint32_t tmst_us; /* end of reception on the gateway's counter */
    uint32_t freq_hz;
    uint8_t dr;
    int16_t rssi_dbm;
    double snr_db;
    uint8_t phy_n;
    uint8_t phy[FR_GWMP_FRAME_MAX];
};

struct fr_gwmp {
    enum fr_gwmp_kind kind;
    uint8_t version;
    uint16_t token; /* opaque, as on the wire */
    uint64_t eui;   /* PUSH_DATA, PULL_DATA, TX_ACK */
    enum fr_tx_error tx_error;
    size_t n_rx;
    size_t n_bad; /* frames left out: malformed, wrong CRC, not of the region */
    bool has_stat;
    struct fr_rx rx[FR_GWMP_RX_MAX];
};

/* A datagram from a gateway (PUSH_DATA, PULL_DATA, TX_ACK). */
enum fr_err fr_gwmp_read(struct fr_span datagram, struct fr_gwmp *out);

/* Only the head: enough to acknowledge at once. Same errors, for the head. */
enum fr_err fr_gwmp_read_head(struct fr_span datagram, struct fr_gwmp *out);

/* PUSH_ACK or PULL_ACK for a datagram just read, four bytes. */
void fr_gwmp_write_ack(const struct fr_gwmp *datagram, uint8_t out[4]);

struct fr_tx {
    uint32_t tmst_us; /* when to send, on the gateway's counter */
    uint32_t freq_hz;
    uint8_t dr;
    int power_dbm;
    struct fr_span phy;
};

/* PULL_RESP with one txpk, for a class A downlink (inverted, no CRC, preamble 8). */
enum fr_err fr_gwmp_write_tx(uint8_t version, uint16_t token, const struct fr_tx *tx,
                             struct fr_buf *out);

/* The counter `delay_us` after `tmst_us`: it wraps every 71.6 minutes. */
uint32_t fr_gwmp_after(uint32_t tmst_us, uint32_t delay_us);
