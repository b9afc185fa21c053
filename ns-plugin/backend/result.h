#pragma once
/*
 * The result codes of LoRaWAN Backend Interfaces 1.0 (table 24), as words on the wire and as an enum inside.
 *
 * Model: parse is lenient (both spellings of UnknownReceiver, one typo of a deployed peer, a code nobody knows means failure
 *   `Other`); print gives only codes that a 1.0 peer can parse.
 * Owns, Errors: nothing, none. Threads: any.
 * Trust: the text parsed is a peer's.
 * See: Backend Interfaces 1.0, section 22.2 and table 24.
 */
#include "base/span.h"

enum fr_bi_result {
    FR_BI_SUCCESS,
    FR_BI_MIC_FAILED,
    FR_BI_JOIN_REQ_FAILED,
    FR_BI_NO_ROAMING_AGREEMENT,
    FR_BI_DEV_ROAMING_DISALLOWED,
    FR_BI_ROAMING_ACT_DISALLOWED,
    FR_BI_ACTIVATION_DISALLOWED,
    FR_BI_UNKNOWN_DEV_EUI,
    FR_BI_UNKNOWN_DEV_ADDR,
    FR_BI_UNKNOWN_SENDER,
    FR_BI_UNKNOWN_RECEIVER,
    FR_BI_DEFERRED,
    FR_BI_XMIT_FAILED,
    FR_BI_INVALID_FPORT,
    FR_BI_INVALID_PROTOCOL_VERSION,
    FR_BI_STALE_DEVICE_PROFILE,
    FR_BI_MALFORMED_REQUEST,
    FR_BI_FRAME_SIZE_ERROR,
    FR_BI_OTHER,
};

/* The word for the wire and for logs. Static. */
const char *fr_bi_result_print(enum fr_bi_result result);

/* Any text; what is not known is FR_BI_OTHER. */
enum fr_bi_result fr_bi_result_parse(struct fr_span text);
