#pragma once
/* Hexadecimal text. Printed lower case; either case is read. Trust: texts may be a peer's. */

#include "base/buf.h"

/* 2n digits and a terminator into out (2n + 1 bytes). */
void fr_hex_print(const void *p, size_t n, char *out);

/* The low `digits` nibbles of v (1 to 16), most significant first, and a terminator into out
 * (digits + 1 bytes). */
void fr_hex_print_u64(uint64_t v, unsigned digits, char *out);

/* Exactly 2n digits into n bytes. FR_E_MALFORMED otherwise. */
enum fr_err fr_hex_parse(struct fr_span text, void *out, size_t n);

/* An even number of digits, appended to out up to its cap. FR_E_MALFORMED, or the buffer's
 * error. */
enum fr_err fr_hex_parse_buf(struct fr_span text, struct fr_buf *out);

/* Exactly `digits` (1 to 16) digits, nothing else. */
enum fr_err fr_hex_parse_u64(struct fr_span text, unsigned digits, uint64_t *out);

/* The value of one digit, or -1. */
int fr_hex_digit(uint8_t c);
