/* Taking certificates back, and changing what they allow.
 *
 * Model    Revoking one certificate ends it and its TLSA record and nothing else. By member or
 *          NetID it ends every live one of it.
 * Errors   FR_E_NOT_FOUND, the store's own.
 * Units    Causes are CRLReason numbers (RFC 5280 §5.3.1). */
#pragma once

#include "base/diag.h"
#include "base/err.h"
#include "base/span.h"
#include "store/cert.h"
#include "store/change.h"

#include <stddef.h>
#include <stdint.h>

/* "key-compromise" → 1 and so on; FR_E_INVALID names the words. "unspecified" is 0. */
enum fr_err fr_revoke_cause_parse(const char *text, struct fr_diag *diag, uint8_t *out);
const char *fr_revoke_cause_text(uint8_t cause);

/* 32 hex digits, upper or lower case, colons between bytes allowed. FR_E_MALFORMED. */
enum fr_err fr_serial_parse(struct fr_span text, struct fr_diag *diag, uint8_t out[FR_SERIAL_SIZE]);

/* One certificate. Already revoked: FR_OK and the change stays empty. */
enum fr_err fr_ca_revoke(struct fr_change *change, const uint8_t serial[FR_SERIAL_SIZE],
                         uint8_t cause, struct fr_diag *diag);

/* Every certificate of a member or a NetID that is not revoked yet and not over; *n of them. None
 * is not an error. */
enum fr_err fr_ca_revoke_member(struct fr_change *change, const char *member, uint8_t cause,
                                struct fr_diag *diag, size_t *n);
enum fr_err fr_ca_revoke_netid(struct fr_change *change, uint32_t netid, uint8_t cause,
                               struct fr_diag *diag, size_t *n);

/* Replaces the rights of an issued certificate. FR_E_REVOKED when it is not issued (any more). */
enum fr_err fr_ca_set_rights(struct fr_change *change, const uint8_t serial[FR_SERIAL_SIZE],
                             uint32_t rights, struct fr_diag *diag);
