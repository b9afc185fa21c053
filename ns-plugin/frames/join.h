#pragma once
/* Join-request, Rejoin-request and Join-accept as bytes. LoRaWAN 1.0.x and 1.1, section 6.2.
 *
 * Errors and trust: as in frames/frame.h. */

#include "base/wire.h"
#include "frames/frame.h"

#define FR_JOIN_REQUEST_SIZE 23
#define FR_REJOIN_MAX 24
#define FR_JOIN_ACCEPT_SIZE 17 /* without CFList */
#define FR_JOIN_ACCEPT_MAX 33  /* with */
#define FR_CFLIST_SIZE 16

struct fr_join_request {
    uint64_t join_eui;
    uint64_t dev_eui;
    uint16_t dev_nonce;
    uint8_t mic[FR_MIC_SIZE];
};

enum fr_err fr_join_request_read(struct fr_span frame, struct fr_join_request *out);
void fr_join_request_write(struct fr_wr *w, const struct fr_join_request *in);

struct fr_rejoin_request {
    uint8_t type;      /* 0, 1 or 2 */
    uint32_t netid;    /* types 0 and 2 */
    uint64_t join_eui; /* type 1 */
    uint64_t dev_eui;
    uint16_t rjcount; /* RJcount0 of types 0 and 2, RJcount1 of type 1 */
    uint8_t mic[FR_MIC_SIZE];
};

/* A type other than 0, 1, 2 is FR_E_MALFORMED. */
enum fr_err fr_rejoin_request_read(struct fr_span frame, struct fr_rejoin_request *out);
void fr_rejoin_request_write(struct fr_wr *w, const struct fr_rejoin_request *in);

struct fr_dl_settings {
    bool opt_neg;          /* 1.1 session; RFU in 1.0 */
    uint8_t rx1_dr_offset; /* 0 to 7 */
    uint8_t rx2_dr;        /* 0 to 15 */
};

uint8_t fr_dl_settings_print(struct fr_dl_settings s); /* surplus bits are masked */
struct fr_dl_settings fr_dl_settings_parse(uint8_t byte);

struct fr_join_accept {
    uint32_t join_nonce; /* 24 bits; AppNonce in 1.0 */
    uint32_t netid;      /* any 24 bits: configuration decides what is good, not the codec */
    uint32_t dev_addr;
    uint8_t dl_settings;
    uint8_t rx_delay; /* seconds in bits 3 to 0, 0 meaning 1 */
    bool has_cflist;
    uint8_t cflist[FR_CFLIST_SIZE];
    uint8_t mic[FR_MIC_SIZE];
};

/* Clear text, the MHDR in front: 17 or 33 bytes. */
enum fr_err fr_join_accept_read(struct fr_span clear, struct fr_join_accept *out);
/* FR_E_RANGE past 24 bits */
void fr_join_accept_write(struct fr_wr *w, const struct fr_join_accept *in);

/* CFList of type 0: up to five extra channels in Hz. FR_E_INVALID when there are more, or when
 * one is not a multiple of 100 Hz below 1.68 GHz. */
enum fr_err fr_cflist_from_frequencies(const uint32_t *hz, size_t n, uint8_t out[FR_CFLIST_SIZE]);

/* The five frequencies of a type 0 list in Hz, 0 = unused. FR_E_UNSUPPORTED for another type. */
enum fr_err fr_cflist_to_frequencies(const uint8_t cflist[FR_CFLIST_SIZE], uint32_t hz[5]);
