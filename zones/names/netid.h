#pragma once
/* NetID: 24 bits, a type in the top three, then RFU zeros, then the ID in the low bits (6, 6, 9,
 * 21, 21, 21, 21, 21 by type).
 *
 * A NetID means something only inside a federation. Trust: texts may be a peer's. See: Backend
 * Interfaces 1.0 with errata. */

#include "base/diag.h"
#include "base/span.h"

#define FR_NETID_TEXT 7 /* 6 digits and the terminator */
#define FR_NETID_MAX 0xffffffu

/* 6 hex digits, either case; "0x" before them and dashes or colons between bytes are accepted.
 * FR_E_MALFORMED. */
enum fr_err fr_netid_parse(struct fr_span text, uint32_t *out);

/* 6 lower-case digits of the low 24 bits. */
void fr_netid_print(uint32_t netid, char out[FR_NETID_TEXT]);

unsigned fr_netid_type(uint32_t netid);    /* 0 to 7 */
uint32_t fr_netid_id(uint32_t netid);      /* the ID bits, RFU bits masked */
bool fr_netid_has_rfu(uint32_t netid);     /* non-zero RFU bits */
bool fr_netid_is_reserved(uint32_t netid); /* 000000 and 000001: never roam */

/* May a member have it? FR_E_INVALID, with the reason and what to change in diag, for 000000,
 * 000001, non-zero RFU bits, and values above 24 bits. */
enum fr_err fr_netid_check(uint32_t netid, struct fr_diag *diag);
