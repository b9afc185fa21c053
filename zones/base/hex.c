#include "base/hex.h"

static const char digits_lower[] = "0123456789abcdef";

void fr_hex_print(const void *p, size_t n, char *out)
{
    const uint8_t *bytes = p;

    for (size_t i = 0; i < n; i++) {
        *out++ = digits_lower[bytes[i] >> 4];
        *out++ = digits_lower[bytes[i] & 15];
    }
    *out = '\0';
}

void fr_hex_print_u64(uint64_t v, unsigned digits, char *out)
{
    out[digits] = '\0';
    for (unsigned i = digits; i-- > 0; v >>= 4) out[i] = digits_lower[v & 15];
}

int fr_hex_digit(uint8_t c)
{
    /* the value plus one; a table, because branches on random digits are mispredicted */
    static const uint8_t values[256] = {
        ['0'] = 1, 2,  3,  4,  5,  6,          7,  8,  9,  10, ['A'] = 11,
        12,        13, 14, 15, 16, ['a'] = 11, 12, 13, 14, 15, 16,
    };

    return values[c] - 1;
}

static bool is_hex(struct fr_span text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (fr_hex_digit(text.p[i]) < 0) return false;
    }
    return true;
}

static void decode(struct fr_span text, uint8_t *out)
{
    for (size_t i = 0; i + 1 < text.n; i += 2) {
        out[i / 2] = (uint8_t)(fr_hex_digit(text.p[i]) << 4 | fr_hex_digit(text.p[i + 1]));
    }
}

enum fr_err fr_hex_parse(struct fr_span text, void *out, size_t n)
{
    if (text.n % 2 != 0 || text.n / 2 != n || !is_hex(text)) return FR_E_MALFORMED;
    decode(text, out);
    return FR_OK;
}

enum fr_err fr_hex_parse_buf(struct fr_span text, struct fr_buf *out)
{
    if (text.n % 2 != 0 || !is_hex(text)) return FR_E_MALFORMED;
    uint8_t *at = fr_buf_reserve(out, text.n / 2);
    if (at == NULL) return fr_buf_err(out);
    decode(text, at);
    fr_buf_commit(out, text.n / 2);
    return FR_OK;
}

enum fr_err fr_hex_parse_u64(struct fr_span text, unsigned digits, uint64_t *out)
{
    uint64_t v = 0;

    if (text.n != digits || digits == 0 || digits > 16 || !is_hex(text)) return FR_E_MALFORMED;
    for (size_t i = 0; i < text.n; i++) v = v << 4 | (uint64_t)fr_hex_digit(text.p[i]);
    *out = v;
    return FR_OK;
}
