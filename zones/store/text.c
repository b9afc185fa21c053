#include "store/tables.h"

#include <string.h>

/* Length of the UTF-8 character at p (0 when it is not one, RFC 3629), n bytes left. */
static size_t utf8_char(const uint8_t *p, size_t n)
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

static bool is_control(const uint8_t *p, size_t size)
{
    if (size == 1) return p[0] < 0x20 || p[0] == 0x7f;
    return size == 2 && p[0] == 0xc2 && p[1] < 0xa0; /* U+0080…U+009F */
}

enum fr_err fr_text_check(const char *text, size_t max, const char *what, struct fr_diag *diag)
{
    const uint8_t *p = (const uint8_t *)text;
    size_t n = strlen(text);

    if (n > max) return fr_diag_fail(diag, FR_E_LIMIT, "%s is longer than %zu bytes", what, max);
    for (size_t at = 0; at < n;) {
        size_t size = utf8_char(p + at, n - at);
        if (size == 0) return fr_diag_fail(diag, FR_E_MALFORMED, "%s is not UTF-8 text", what);
        if (is_control(p + at, size))
            return fr_diag_fail(diag, FR_E_MALFORMED, "%s has a control character", what);
        at += size;
    }
    return FR_OK;
}

void fr_text_copy(const char *text, char *out, size_t size)
{
    const uint8_t *p = (const uint8_t *)text;
    size_t n = text == NULL ? 0 : strlen(text), used = 0;

    for (size_t at = 0; at < n;) {
        size_t one = utf8_char(p + at, n - at);
        bool keep = one > 0 && !is_control(p + at, one);
        size_t need = keep ? one : 1;
        if (used + need >= size) break;
        if (keep)
            memcpy(out + used, p + at, one);
        else
            out[used] = '?';
        used += need;
        at += one > 0 ? one : 1;
    }
    out[used] = '\0';
}
