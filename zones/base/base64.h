#pragma once
/* Base64 of RFC 4648: the standard alphabet with padding, and the URL alphabet without.
 *
 * Strict: no blanks, no line ends, no missing or surplus padding, no non-zero spare bits.
 * Errors: FR_E_MALFORMED, or the buffer's own error; on failure nothing was appended. Trust:
 * texts may be a peer's. */

#include "base/buf.h"

enum fr_err fr_base64_print(struct fr_span bytes, struct fr_buf *out);
enum fr_err fr_base64_parse(struct fr_span text, struct fr_buf *out);
enum fr_err fr_base64url_print(struct fr_span bytes, struct fr_buf *out);
enum fr_err fr_base64url_parse(struct fr_span text, struct fr_buf *out);
