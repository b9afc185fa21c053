#pragma once
/* DevEUI and JoinEUI: a uint64_t, the first byte of the text in the most significant place.
 *
 * Trust: texts may be a peer's. */

#include "base/diag.h"
#include "base/span.h"

#define FR_EUI_TEXT 17 /* 16 digits and the terminator */

/* 16 hex digits, either case; "0x" before them and dashes or colons between bytes are accepted,
 * nothing else. FR_E_MALFORMED. */
enum fr_err fr_eui_parse(struct fr_span text, uint64_t *out);

/* 16 lower-case digits. */
void fr_eui_print(uint64_t eui, char out[FR_EUI_TEXT]);

/* May a device or a join server have it? FR_E_INVALID for all zeros and all ones. */
enum fr_err fr_eui_check(uint64_t eui, struct fr_diag *diag);
