#pragma once
/* Numbers written by humans or peers. Each function takes the whole span: no blanks, no sign, no
 * surplus.
 *
 * Errors: FR_E_MALFORMED for a wrong form, FR_E_RANGE for a value outside [min, max] (or past 64
 * bits). */

#include "base/err.h"
#include "base/span.h"

/* Decimal digits. */
enum fr_err fr_parse_u64(struct fr_span text, uint64_t min, uint64_t max, uint64_t *out);

/* The same with an optional minus. */
enum fr_err fr_parse_i64(struct fr_span text, int64_t min, int64_t max, int64_t *out);

/* "250ms", "2s", "15m", "1h", "30d" → milliseconds. A bare 0 is 0; any other number needs its
 * unit. */
enum fr_err fr_parse_duration_ms(struct fr_span text, uint64_t min, uint64_t max, uint64_t *out);

/* "512", "64KiB", "64MiB", "1GiB", "1TiB" → bytes. */
enum fr_err fr_parse_size(struct fr_span text, uint64_t min, uint64_t max, uint64_t *out);

/* true, yes, on; false, no, off (any case). */
enum fr_err fr_parse_bool(struct fr_span text, bool *out);
