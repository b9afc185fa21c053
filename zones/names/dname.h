#pragma once
/* Domain names: text "a.b.c" and uncompressed DNS wire "\1a\1b\1c\0", both ways; RFC 1035
 * section 3.1.
 *
 * Units and limits: labels 1 to 63 bytes, name at most 255 bytes on the wire and 253 in text
 * without escapes.
 * Trust: a peer's bytes. */

#include "base/err.h"
#include "base/span.h"

#define FR_DNAME_WIRE 255
#define FR_DNAME_TEXT 1005 /* 4 for each of 250 bytes escaped as \DDD, dots, terminator */

struct fr_dname {
    uint8_t b[FR_DNAME_WIRE];
    uint8_t n; /* bytes used, the root's zero byte included; 0 = unset */
};

/* Text, with or without the trailing dot; "." is the root; \DDD and \X escapes are read.
 * FR_E_MALFORMED, FR_E_LIMIT. */
enum fr_err fr_dname_parse(struct fr_span text, struct fr_dname *out);

/* Without the trailing dot ("." for the root); bytes that are not letters, digits, '-' or '_'
 * are escaped. */
void fr_dname_print(struct fr_span wire, char out[FR_DNAME_TEXT]);

/* A whole uncompressed name and nothing after it. FR_E_TRUNCATED, FR_E_MALFORMED (pointer,
 * reserved type), FR_E_LIMIT. */
enum fr_err fr_dname_check(struct fr_span wire);

/* Its length in bytes when `wire` starts with an uncompressed name and goes on, else 0. */
size_t fr_dname_length(struct fr_span wire);

/* Compare checked names; ASCII case does not matter. */
bool fr_dname_equal(struct fr_span a, struct fr_span b);
bool fr_dname_is_under(struct fr_span name, struct fr_span zone); /* equal counts */

struct fr_span fr_dname_span(const struct fr_dname *name);
