#pragma once
/* UTF-8, one character at a time (RFC 3629: no surrogates, no long forms, up to U+10FFFF).
 *
 * Trust: any bytes. Threads: any. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the character at p (1 to 4), or 0 when it is not one; n bytes, at least 1, are there. */
size_t fr_utf8_size(const uint8_t *p, size_t n);

/* The character of `size` bytes that fr_utf8_size told. */
uint32_t fr_utf8_char(const uint8_t *p, size_t size);

/* What would not show or would make other text look different: control characters (C0, C1, DEL), the line
 * and paragraph separators, and those that turn the direction of writing. */
bool fr_utf8_is_control(uint32_t c);

/* Is the whole text UTF-8? */
bool fr_utf8_is_valid(const char *text);
