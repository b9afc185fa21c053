#include "base/wire.h"

#include <string.h>

struct fr_rd fr_rd(struct fr_span bytes)
{
    return (struct fr_rd){.p = bytes.p, .n = bytes.n};
}

/* The next n bytes, or NULL with the error set: the one bounds check of all reads. */
static const uint8_t *take(struct fr_rd *r, size_t n)
{
    if (r->err) return NULL;
    if (n > r->n - r->at) {
        r->err = FR_E_TRUNCATED;
        return NULL;
    }
    const uint8_t *p = r->p + r->at;
    r->at += n;
    return p;
}

static uint64_t take_be(struct fr_rd *r, size_t n)
{
    const uint8_t *p = take(r, n);
    uint64_t v = 0;

    if (p == NULL) return 0;
    for (size_t i = 0; i < n; i++) v = v << 8 | p[i];
    return v;
}

static uint64_t take_le(struct fr_rd *r, size_t n)
{
    const uint8_t *p = take(r, n);
    uint64_t v = 0;

    if (p == NULL) return 0;
    for (size_t i = n; i-- > 0;) v = v << 8 | p[i];
    return v;
}

uint8_t fr_rd_u8(struct fr_rd *r)
{
    return (uint8_t)take_be(r, 1);
}

uint16_t fr_rd_u16(struct fr_rd *r)
{
    return (uint16_t)take_be(r, 2);
}

uint32_t fr_rd_u24(struct fr_rd *r)
{
    return (uint32_t)take_be(r, 3);
}

uint32_t fr_rd_u32(struct fr_rd *r)
{
    return (uint32_t)take_be(r, 4);
}

uint64_t fr_rd_u64(struct fr_rd *r)
{
    return take_be(r, 8);
}

uint16_t fr_rd_u16le(struct fr_rd *r)
{
    return (uint16_t)take_le(r, 2);
}

uint32_t fr_rd_u24le(struct fr_rd *r)
{
    return (uint32_t)take_le(r, 3);
}

uint32_t fr_rd_u32le(struct fr_rd *r)
{
    return (uint32_t)take_le(r, 4);
}

uint64_t fr_rd_u64le(struct fr_rd *r)
{
    return take_le(r, 8);
}

void fr_rd_bytes(struct fr_rd *r, void *out, size_t n)
{
    const uint8_t *p = take(r, n);

    if (n == 0) return;
    if (p == NULL) {
        memset(out, 0, n);
    } else {
        memcpy(out, p, n);
    }
}

struct fr_span fr_rd_span(struct fr_rd *r, size_t n)
{
    const uint8_t *p = take(r, n);

    return p != NULL ? fr_span(p, n) : (struct fr_span){0};
}

struct fr_span fr_rd_rest(struct fr_rd *r)
{
    return fr_rd_span(r, fr_rd_left(r));
}

void fr_rd_skip(struct fr_rd *r, size_t n)
{
    (void)take(r, n);
}

void fr_rd_seek(struct fr_rd *r, size_t at)
{
    if (r->err) return;
    if (at > r->n) {
        r->err = FR_E_TRUNCATED;
    } else {
        r->at = at;
    }
}

size_t fr_rd_left(const struct fr_rd *r)
{
    return r->err ? 0 : r->n - r->at;
}

void fr_rd_fail(struct fr_rd *r, enum fr_err err)
{
    if (!r->err) r->err = err;
}

enum fr_err fr_rd_err(const struct fr_rd *r)
{
    return r->err;
}

enum fr_err fr_rd_end(const struct fr_rd *r)
{
    if (r->err) return r->err;
    return r->at == r->n ? FR_OK : FR_E_MALFORMED;
}

struct fr_wr fr_wr(void *p, size_t n)
{
    return (struct fr_wr){.p = p, .n = n};
}

/* Room for n bytes, or NULL with the error set: the one bounds check of all writes. */
static uint8_t *make_room(struct fr_wr *w, size_t n)
{
    if (w->err) return NULL;
    if (n > w->n - w->at) {
        w->err = FR_E_LIMIT;
        return NULL;
    }
    uint8_t *p = w->p + w->at;
    w->at += n;
    return p;
}

static void put_be(struct fr_wr *w, uint64_t v, size_t n)
{
    uint8_t *p = make_room(w, n);

    if (p == NULL) return;
    for (size_t i = n; i-- > 0; v >>= 8) p[i] = (uint8_t)v;
}

static void put_le(struct fr_wr *w, uint64_t v, size_t n)
{
    uint8_t *p = make_room(w, n);

    if (p == NULL) return;
    for (size_t i = 0; i < n; i++, v >>= 8) p[i] = (uint8_t)v;
}

void fr_wr_u8(struct fr_wr *w, uint8_t v)
{
    put_be(w, v, 1);
}

void fr_wr_u16(struct fr_wr *w, uint16_t v)
{
    put_be(w, v, 2);
}

void fr_wr_u24(struct fr_wr *w, uint32_t v)
{
    if (v > 0xffffff) fr_wr_fail(w, FR_E_RANGE);
    put_be(w, v, 3);
}

void fr_wr_u32(struct fr_wr *w, uint32_t v)
{
    put_be(w, v, 4);
}

void fr_wr_u64(struct fr_wr *w, uint64_t v)
{
    put_be(w, v, 8);
}

void fr_wr_u16le(struct fr_wr *w, uint16_t v)
{
    put_le(w, v, 2);
}

void fr_wr_u24le(struct fr_wr *w, uint32_t v)
{
    if (v > 0xffffff) fr_wr_fail(w, FR_E_RANGE);
    put_le(w, v, 3);
}

void fr_wr_u32le(struct fr_wr *w, uint32_t v)
{
    put_le(w, v, 4);
}

void fr_wr_u64le(struct fr_wr *w, uint64_t v)
{
    put_le(w, v, 8);
}

void fr_wr_bytes(struct fr_wr *w, const void *p, size_t n)
{
    uint8_t *to = make_room(w, n);

    if (to != NULL && n > 0) memcpy(to, p, n);
}

void fr_wr_span(struct fr_wr *w, struct fr_span s)
{
    fr_wr_bytes(w, s.p, s.n);
}

void fr_wr_zero(struct fr_wr *w, size_t n)
{
    uint8_t *to = make_room(w, n);

    if (to != NULL && n > 0) memset(to, 0, n);
}

void fr_wr_put_u16(struct fr_wr *w, size_t at, uint16_t v)
{
    if (w->err) return;
    if (at > w->at || w->at - at < 2) {
        w->err = FR_E_RANGE;
        return;
    }
    w->p[at] = (uint8_t)(v >> 8);
    w->p[at + 1] = (uint8_t)v;
}

size_t fr_wr_left(const struct fr_wr *w)
{
    return w->err ? 0 : w->n - w->at;
}

void fr_wr_fail(struct fr_wr *w, enum fr_err err)
{
    if (!w->err) w->err = err;
}

enum fr_err fr_wr_err(const struct fr_wr *w)
{
    return w->err;
}

struct fr_span fr_wr_done(const struct fr_wr *w)
{
    return w->err ? (struct fr_span){0} : fr_span(w->p, w->at);
}
