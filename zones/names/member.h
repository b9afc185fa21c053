#pragma once
/* Names of members and federations. Trust: texts may be a peer's. */

#include "base/diag.h"
#include "base/span.h"

#define FR_MEMBER_TEXT 33 /* longest member id and the terminator */
#define FR_FED_TEXT 201   /* longest federation name and the terminator */

/* A member id: [a-z][a-z0-9-]{0,31}, no trailing dash, not 6 or 16 hex digits (which would read
 * as a NetID or an EUI). FR_E_INVALID with the rule broken in diag. */
enum fr_err fr_member_check(struct fr_span id, struct fr_diag *diag);

/* A federation name: at least two labels of lower-case letters, digits and inner dashes, no
 * trailing dot, at most 200 bytes, not an IP address. FR_E_INVALID with the rule broken in diag. */
enum fr_err fr_fed_check(struct fr_span name, struct fr_diag *diag);

/* One label of a host name: lower-case letters, digits, inner dashes, 1 to 63 bytes. */
bool fr_is_host_label(struct fr_span label);
