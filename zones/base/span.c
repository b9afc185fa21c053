#include "base/span.h"

#include <string.h>

struct fr_span fr_span(const void *p, size_t n)
{
    return (struct fr_span){p, n};
}

struct fr_span fr_span_str(const char *text)
{
    return text != NULL ? (struct fr_span){(const uint8_t *)text, strlen(text)}
                        : (struct fr_span){0};
}

bool fr_span_equal(struct fr_span a, struct fr_span b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

bool fr_span_equal_nocase(struct fr_span a, struct fr_span b)
{
    if (fr_span_equal(a, b)) return true; /* as most are */
    if (a.n != b.n) return false;
    for (size_t i = 0; i < a.n; i++) {
        if (lower(a.p[i]) != lower(b.p[i])) return false;
    }
    return true;
}

bool fr_span_is(struct fr_span a, const char *text)
{
    return fr_span_equal(a, fr_span_str(text));
}

bool fr_span_starts(struct fr_span a, const char *prefix)
{
    size_t n = strlen(prefix);
    return a.n >= n && fr_span_is(fr_span(a.p, n), prefix);
}

bool fr_span_ends(struct fr_span a, const char *suffix)
{
    size_t n = strlen(suffix);
    return a.n >= n && (n == 0 || memcmp(a.p + (a.n - n), suffix, n) == 0);
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct fr_span fr_span_trim(struct fr_span a)
{
    while (a.n > 0 && is_blank(a.p[0])) {
        a.p++;
        a.n--;
    }
    while (a.n > 0 && is_blank(a.p[a.n - 1])) a.n--;
    return a;
}

bool fr_span_cut(struct fr_span a, char sep, struct fr_span *head, struct fr_span *rest)
{
    const uint8_t *at = a.n > 0 ? memchr(a.p, sep, a.n) : NULL;

    if (at == NULL) {
        *head = a;
        *rest = (struct fr_span){0};
        return false;
    }
    size_t n = (size_t)(at - a.p);
    *head = fr_span(a.p, n);
    *rest = fr_span(at + 1, a.n - n - 1);
    return true;
}

bool fr_span_copy(struct fr_span a, char *out, size_t size)
{
    if (a.n >= size || (a.n > 0 && memchr(a.p, 0, a.n) != NULL)) return false;
    if (a.n > 0) memcpy(out, a.p, a.n);
    out[a.n] = '\0';
    return true;
}
