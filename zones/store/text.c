#include "base/utf8.h"
#include "store/tables.h"

#include <string.h>

static bool is_control(const uint8_t *p, size_t size)
{
    return fr_utf8_is_control(fr_utf8_char(p, size));
}

enum fr_err fr_text_check(const char *text, size_t max, const char *what, struct fr_diag *diag)
{
    const uint8_t *p = (const uint8_t *)text;
    size_t n = strlen(text);

    if (n > max) return fr_diag_fail(diag, FR_E_LIMIT, "%s is longer than %zu bytes", what, max);
    for (size_t at = 0; at < n;) {
        size_t size = fr_utf8_size(p + at, n - at);
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
        size_t one = fr_utf8_size(p + at, n - at);
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
