#include "base/base64.h"

#include <string.h>

static const char std_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static enum fr_err print(struct fr_span bytes, const char *alphabet, bool is_padded,
                         struct fr_buf *out)
{
    if (bytes.n > out->max) return FR_E_LIMIT; /* keeps the arithmetic below from overflowing */
    size_t tail = bytes.n % 3;
    size_t n = bytes.n / 3 * 4 + (tail == 0 ? 0 : is_padded ? 4 : tail + 1);
    uint8_t *to = fr_buf_reserve(out, n);

    if (to == NULL) return fr_buf_err(out);
    for (size_t i = 0; i < bytes.n; i += 3) {
        size_t have = bytes.n - i < 3 ? bytes.n - i : 3;
        uint32_t v = (uint32_t)bytes.p[i] << 16;
        if (have > 1) v |= (uint32_t)bytes.p[i + 1] << 8;
        if (have > 2) v |= bytes.p[i + 2];
        for (size_t c = 0; c < 4; c++) {
            if (c <= have) {
                *to++ = (uint8_t)alphabet[v >> (18 - 6 * c) & 63];
            } else if (is_padded) {
                *to++ = '=';
            }
        }
    }
    fr_buf_commit(out, n);
    return FR_OK;
}

/* A character's value plus one, 0 for none; the last two of both alphabets. A table, because
 * branches on a peer's random characters are mispredicted. */
/* clang-format off */
static const uint8_t values[256] = {
    [0x20] =
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 63, 0, 63, 0, 64, /* 0x20 */
    53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 0, 0, 0, 0, 0, 0, /* 0x30 */
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, /* 0x40 */
    16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 0, 0, 0, 0, 64, /* 0x50 */
    0, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, /* 0x60 */
    42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 0, 0, 0, 0, 0, /* 0x70 */
};
/* clang-format on */

static bool has(struct fr_span text, char c)
{
    return text.n > 0 && memchr(text.p, c, text.n) != NULL;
}

/* Four characters as 24 bits. False: not all of them are of an alphabet. */
static bool read_group(const uint8_t *p, uint32_t *bits)
{
    uint32_t a = values[p[0]], b = values[p[1]], c = values[p[2]], d = values[p[3]];

    *bits = (a << 18) + (b << 12) + (c << 6) + d - (1u << 18 | 1u << 12 | 1u << 6 | 1u);
    return a != 0 && b != 0 && c != 0 && d != 0;
}

/* `text` without padding, of the alphabet whose last two characters `other` does not have. */
static enum fr_err parse(struct fr_span text, const char *other, struct fr_buf *out)
{
    size_t tail = text.n % 4;

    if (tail == 1 || has(text, other[62]) || has(text, other[63])) return FR_E_MALFORMED;
    size_t n = text.n / 4 * 3 + (tail == 0 ? 0 : tail - 1);
    uint8_t *to = fr_buf_reserve(out, n);
    uint32_t bits = 0;

    if (to == NULL) return fr_buf_err(out);
    for (; text.n >= 4; text = fr_span(text.p + 4, text.n - 4)) {
        if (!read_group(text.p, &bits)) return FR_E_MALFORMED;
        *to++ = (uint8_t)(bits >> 16);
        *to++ = (uint8_t)(bits >> 8);
        *to++ = (uint8_t)bits;
    }
    if (tail > 0) {
        uint8_t last[4] = {text.p[0], text.p[1], tail > 2 ? text.p[2] : 'A', 'A'};

        if (!read_group(last, &bits)) return FR_E_MALFORMED;
        /* spare bits that are not zero would let two texts mean the same */
        if ((bits & (tail > 2 ? 0xffu : 0xffffu)) != 0) return FR_E_MALFORMED;
        *to++ = (uint8_t)(bits >> 16);
        if (tail > 2) *to++ = (uint8_t)(bits >> 8);
    }
    fr_buf_commit(out, n);
    return FR_OK;
}

enum fr_err fr_base64_print(struct fr_span bytes, struct fr_buf *out)
{
    return print(bytes, std_alphabet, true, out);
}

enum fr_err fr_base64_parse(struct fr_span text, struct fr_buf *out)
{
    if (text.n % 4 != 0) return FR_E_MALFORMED;
    if (text.n > 0 && text.p[text.n - 1] == '=') text.n--;
    if (text.n % 4 == 3 && text.p[text.n - 1] == '=') text.n--;
    return parse(text, url_alphabet, out);
}

enum fr_err fr_base64url_print(struct fr_span bytes, struct fr_buf *out)
{
    return print(bytes, url_alphabet, false, out);
}

enum fr_err fr_base64url_parse(struct fr_span text, struct fr_buf *out)
{
    return parse(text, std_alphabet, out);
}
