#include "base/utf8.h"

#include <string.h>

size_t fr_utf8_size(const uint8_t *p, size_t n)
{
    static const struct {
        uint8_t from, to, size, next_from, next_to;
    } forms[] = {
        {0x00, 0x7f, 1, 0, 0},       {0xc2, 0xdf, 2, 0x80, 0xbf}, {0xe0, 0xe0, 3, 0xa0, 0xbf},
        {0xe1, 0xec, 3, 0x80, 0xbf}, {0xed, 0xed, 3, 0x80, 0x9f}, {0xee, 0xef, 3, 0x80, 0xbf},
        {0xf0, 0xf0, 4, 0x90, 0xbf}, {0xf1, 0xf3, 4, 0x80, 0xbf}, {0xf4, 0xf4, 4, 0x80, 0x8f},
    };

    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (p[0] < forms[i].from || p[0] > forms[i].to) continue;
        size_t size = forms[i].size;
        if (size > n) return 0;
        if (size > 1 && (p[1] < forms[i].next_from || p[1] > forms[i].next_to)) return 0;
        for (size_t k = 2; k < size; k++)
            if ((p[k] & 0xc0) != 0x80) return 0;
        return size;
    }
    return 0;
}

uint32_t fr_utf8_char(const uint8_t *p, size_t size)
{
    static const uint8_t masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t c = p[0] & masks[size];

    for (size_t i = 1; i < size; i++) c = c << 6 | (p[i] & 0x3fu);
    return c;
}

bool fr_utf8_is_control(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x061c || c == 0x200e || c == 0x200f ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

bool fr_utf8_is_valid(const char *text)
{
    size_t n = strlen(text);

    for (size_t at = 0, size; at < n; at += size) {
        size = fr_utf8_size((const uint8_t *)text + at, n - at);
        if (size == 0) return false;
    }
    return true;
}
