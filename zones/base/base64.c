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

static int value(uint8_t c)
{
    return values[c] - 1;
}

static bool has(struct fr_span text, char c)
{
    return text.n > 0 && memchr(text.p, c, text.n) != NULL;
}

/* The last two to four characters, or any four: one to three octets. Spare bits that are not zero
 * would let two texts mean the same; they are refused. */
static bool parse_group(const uint8_t *p, size_t n, uint8_t *to)
{
    int a = value(p[0]), b = value(p[1]);
    int c = n > 2 ? value(p[2]) : 0, d = n > 3 ? value(p[3]) : 0;
    uint32_t bits = (uint32_t)a << 18 | (uint32_t)b << 12 | (uint32_t)c << 6 | (uint32_t)d;

    if ((a | b | c | d) < 0) return false;
    to[0] = (uint8_t)(bits >> 16);
    if (n > 2) to[1] = (uint8_t)(bits >> 8);
    if (n > 3) to[2] = (uint8_t)bits;
    return (bits & (0xffffffu >> 8 * (n - 1))) == 0;
}

/* `text` without padding, of the alphabet whose last two characters `other` does not have. */
static enum fr_err parse(struct fr_span text, const char *other, struct fr_buf *out)
{
    size_t tail = text.n % 4;

    if (tail == 1 || has(text, other[62]) || has(text, other[63])) return FR_E_MALFORMED;
    size_t n = text.n / 4 * 3 + (tail == 0 ? 0 : tail - 1);
    uint8_t *to = fr_buf_reserve(out, n);

    if (to == NULL) return fr_buf_err(out);
    for (; text.n >= 4; text = fr_span(text.p + 4, text.n - 4), to += 3)
        if (!parse_group(text.p, 4, to)) return FR_E_MALFORMED;
    if (tail > 0 && !parse_group(text.p, tail, to)) return FR_E_MALFORMED;
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
