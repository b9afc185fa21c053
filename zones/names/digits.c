#include "names/digits.h"

#include "base/hex.h"

enum fr_err fr_digits_parse(struct fr_span text, unsigned digits, uint64_t *out)
{
    uint8_t plain[16];
    size_t n = 0;

    if (fr_span_starts(text, "0x") || fr_span_starts(text, "0X"))
        text = fr_span(text.p + 2, text.n - 2);
    if (text.n == digits) return fr_hex_parse_u64(text, digits, out);
    if (digits > sizeof plain || text.n != digits + digits / 2 - 1) return FR_E_MALFORMED;
    for (size_t i = 0; i < text.n; i++) {
        if (i % 3 != 2) {
            plain[n++] = text.p[i];
        } else if (text.p[i] != text.p[2] || (text.p[i] != '-' && text.p[i] != ':')) {
            return FR_E_MALFORMED;
        }
    }
    return fr_hex_parse_u64(fr_span(plain, n), digits, out);
}
