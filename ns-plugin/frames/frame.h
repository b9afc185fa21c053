#pragma once
/* What every LoRaWAN frame shares: the first byte, and the MIC at the end. LoRaWAN 1.0.x and
 * 1.1, section 4.
 *
 * Model: pure bytes; nothing here knows a key. Numbers and EUIs are little endian on air and
 * plain integers in the structs.
 * Trust: frames come from the radio, that is, from anybody. Errors of every _read:
 * FR_E_TRUNCATED, FR_E_MALFORMED (length, MType), FR_E_UNSUPPORTED (Major other than 0). */

#include "base/err.h"
#include "base/span.h"

enum fr_mtype {
    FR_MTYPE_JOIN_REQUEST = 0,
    FR_MTYPE_JOIN_ACCEPT = 1,
    FR_MTYPE_UNCONFIRMED_UP = 2,
    FR_MTYPE_UNCONFIRMED_DOWN = 3,
    FR_MTYPE_CONFIRMED_UP = 4,
    FR_MTYPE_CONFIRMED_DOWN = 5,
    FR_MTYPE_REJOIN_REQUEST = 6,
    FR_MTYPE_PROPRIETARY = 7,
};

#define FR_MIC_SIZE 4
#define FR_FRAME_MAX 255 /* longest PHYPayload of any region */

/* The kind of a frame, from its first byte. */
enum fr_err fr_frame_mtype(struct fr_span frame, enum fr_mtype *out);

/* "Join-request" … for logs; static. */
const char *fr_mtype_text(enum fr_mtype mtype);

/* The frame without its MIC, and the MIC. FR_E_TRUNCATED below 5 bytes. */
enum fr_err fr_frame_split_mic(struct fr_span frame, struct fr_span *message,
                               uint8_t mic[FR_MIC_SIZE]);
