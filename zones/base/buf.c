#include "base/buf.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>

void fr_buf_init(struct fr_buf *b, size_t max)
{
    *b = FR_BUF_INIT(max);
}

void fr_buf_deinit(struct fr_buf *b)
{
    fr_secret_zero(b->p, b->n);
    fr_free(b->p);
    *b = FR_BUF_INIT(b->max);
}

void fr_buf_deinit_secret(struct fr_buf *b)
{
    fr_secret_free(b->p, b->cap);
    *b = FR_BUF_INIT(b->max);
}

void fr_buf_reset(struct fr_buf *b)
{
    fr_secret_zero(b->p, b->n);
    b->n = 0;
    b->err = FR_OK;
    if (b->p != NULL) b->p[0] = 0;
}

/* A buffer may hold a secret, and realloc would leave a copy of it behind in freed memory: hence
 * copy, zero, free. */
static bool move_to(struct fr_buf *b, size_t cap)
{
    uint8_t *p = fr_malloc(cap);

    if (p == NULL) return false;
    if (b->n > 0) memcpy(p, b->p, b->n);
    fr_secret_free(b->p, b->cap);
    b->p = p;
    b->cap = cap;
    return true;
}

uint8_t *fr_buf_reserve(struct fr_buf *b, size_t n)
{
    if (b->err) return NULL;
    if (n > b->max || b->n > b->max - n || b->max == SIZE_MAX) {
        b->err = FR_E_LIMIT;
        return NULL;
    }
    size_t need = b->n + n + 1; /* and the zero byte */
    if (need > b->cap) {
        size_t cap = b->cap < 64 ? 64 : b->cap;
        while (cap < need) cap = cap > SIZE_MAX / 2 ? need : cap * 2;
        if (cap > b->max + 1) cap = b->max + 1;
        if (!move_to(b, cap)) {
            b->err = FR_E_NOMEM;
            return NULL;
        }
    }
    b->p[b->n] = 0;
    return b->p + b->n;
}

void fr_buf_commit(struct fr_buf *b, size_t n)
{
    if (b->err || b->p == NULL) return;
    b->n += n;
    b->p[b->n] = 0;
}

void fr_buf_add(struct fr_buf *b, const void *p, size_t n)
{
    /* Nearly always there is room already, for the zero byte too; this is every header field's way. */
    bool has_room = !b->err && n < b->cap - b->n && b->n + n <= b->max;

    if (!has_room && fr_buf_reserve(b, n) == NULL) return;
    if (n > 0) memcpy(b->p + b->n, p, n);
    b->n += n;
    b->p[b->n] = 0;
}

void fr_buf_add_span(struct fr_buf *b, struct fr_span s)
{
    fr_buf_add(b, s.p, s.n);
}

void fr_buf_add_str(struct fr_buf *b, const char *text)
{
    fr_buf_add(b, text, strlen(text));
}

void fr_buf_add_char(struct fr_buf *b, char c)
{
    fr_buf_add(b, &c, 1);
}

void fr_buf_vprintf(struct fr_buf *b, const char *fmt, va_list args)
{
    va_list again;

    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    if (n < 0) {
        if (!b->err) b->err = FR_E_INTERNAL;
    } else {
        char *at = (char *)fr_buf_reserve(b, (size_t)n); /* has room for the terminator too */
        if (at != NULL) {
            (void)vsnprintf(at, (size_t)n + 1, fmt, again);
            fr_buf_commit(b, (size_t)n);
        }
    }
    va_end(again);
}

void fr_buf_printf(struct fr_buf *b, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    fr_buf_vprintf(b, fmt, args);
    va_end(args);
}

void fr_buf_drop(struct fr_buf *b, size_t n)
{
    if (n > b->n) n = b->n;
    if (n == 0) return;
    memmove(b->p, b->p + n, b->n - n);
    fr_secret_zero(b->p + b->n - n, n);
    b->n -= n;
}

void fr_buf_cut(struct fr_buf *b, size_t n)
{
    if (n >= b->n) return;
    fr_secret_zero(b->p + n, b->n - n);
    b->n = n;
}

enum fr_err fr_buf_err(const struct fr_buf *b)
{
    return b->err;
}

struct fr_span fr_buf_span(const struct fr_buf *b)
{
    return fr_span(b->p, b->n);
}

const char *fr_buf_str(const struct fr_buf *b)
{
    return b->p != NULL ? (const char *)b->p : "";
}

uint8_t *fr_buf_take(struct fr_buf *b, size_t *n)
{
    if (b->err || fr_buf_reserve(b, 0) == NULL) return NULL;
    uint8_t *p = b->p;
    *n = b->n;
    *b = FR_BUF_INIT(b->max);
    return p;
}
