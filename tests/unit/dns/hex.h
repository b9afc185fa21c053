/* Test rows hold messages as hex digits with blanks between them, so that their fields can be
 * seen. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/hex.h"
#include "base/span.h"

/* Exactly the bytes of the text in a block of their own (the sanitizer sees one byte too many);
 * free it. */
static inline uint8_t *hex_bytes(const char *text, size_t *n)
{
    uint8_t *p = malloc(66000);
    size_t digits = 0;

    for (; *text != '\0'; text++) {
        int v = fr_hex_digit((uint8_t)*text);
        if (v < 0) continue;
        p[digits / 2] = (uint8_t)(digits % 2 == 0 ? v << 4 : p[digits / 2] | v);
        digits++;
    }
    *n = digits / 2;
    return realloc(p, *n > 0 ? *n : 1);
}
