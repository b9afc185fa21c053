#pragma once
/* Data frames as bytes, up and down. LoRaWAN 1.0.x and 1.1, sections 4.3.
 *
 * FOpts and FRMPayload are as on air: 1.1 sends FOpts encrypted, every version the payload.
 * Errors and trust: as in frames/frame.h. */

#include "base/wire.h"
#include "frames/frame.h"

#define FR_DATA_MIN 12
#define FR_FOPTS_MAX 15

struct fr_data_frame {
    enum fr_mtype mtype; /* one of the four data kinds */
    uint32_t dev_addr;
    bool adr;
    bool adr_ack_req; /* up only (RFU down) */
    bool ack;
    bool class_b;    /* up: Class B; down: FPending */
    uint16_t fcnt;   /* the 16 bits on air */
    uint8_t fopts_n; /* 0 to 15 */
    uint8_t fopts[FR_FOPTS_MAX];
    bool has_fport;
    uint8_t fport;
    struct fr_span payload; /* borrowed from the frame read; empty without FPort */
    uint8_t mic[FR_MIC_SIZE];
};

bool fr_mtype_is_up(enum fr_mtype mtype);   /* data, uplink */
bool fr_mtype_is_down(enum fr_mtype mtype); /* data, downlink */

/* FPort 0 together with FOpts is FR_E_MALFORMED (section 4.3.1.6). */
enum fr_err fr_data_frame_read(struct fr_span frame, struct fr_data_frame *out);

/* Writes header, FOpts, FPort, payload and MIC. Errors stick to w: FR_E_INVALID for what a frame
 * cannot say. */
void fr_data_frame_write(struct fr_wr *w, const struct fr_data_frame *in);

/* The 32-bit counter behind the 16 bits on air, `next` being the one expected: that of the frame
 * before it when it is repeated, else the first at or after `next`. Modulo 2^32. A frame older
 * than the last one so comes out far ahead, and fails its MIC. */
uint32_t fr_fcnt_full(uint32_t next, uint16_t on_air);
