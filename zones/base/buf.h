#pragma once
/* A growable byte buffer with a mandatory cap and a sticky error.
 *
 * Model: append as often as you like, test fr_buf_err once at the end. After the first failure
 * (no memory, cap reached) appends do nothing, so what is there is a whole prefix of appends.
 * The bytes are always followed by a zero byte. What a buffer lets go of, by whichever function, is
 * zeroed: it may have been a secret, and nobody further up can tell.
 * Owns: its bytes, until fr_buf_deinit or fr_buf_take. `p` moves when the buffer grows: a span
 * of it lives until the next append. Threads: one owner. */

#include "base/err.h"
#include "base/span.h"
#include <stdarg.h>

struct fr_buf {
    uint8_t *p; /* n bytes and a zero byte, or NULL while empty */
    size_t n;
    size_t cap;
    size_t max; /* appends that would pass it fail with FR_E_LIMIT */
    enum fr_err err;
};

#define FR_BUF_INIT(limit) ((struct fr_buf){.max = (limit)})

void fr_buf_init(struct fr_buf *b, size_t max);
/* frees, and leaves an empty buffer with the same cap */
void fr_buf_deinit(struct fr_buf *b);
void fr_buf_deinit_secret(
    struct fr_buf *b);               /* the same, zeroing what was written past the end, too */
void fr_buf_reset(struct fr_buf *b); /* empty again, error forgotten, memory kept */

void fr_buf_add(struct fr_buf *b, const void *p, size_t n);
void fr_buf_add_span(struct fr_buf *b, struct fr_span s);
void fr_buf_add_str(struct fr_buf *b, const char *text);
void fr_buf_add_char(struct fr_buf *b, char c);
void fr_buf_printf(struct fr_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void fr_buf_vprintf(struct fr_buf *b, const char *fmt, va_list args)
    __attribute__((format(printf, 2, 0)));

/* Room for n more bytes to be written in place, or NULL (error set); then fr_buf_commit says how
 * many were. */
uint8_t *fr_buf_reserve(struct fr_buf *b, size_t n);
void fr_buf_commit(struct fr_buf *b, size_t n);

void fr_buf_drop(struct fr_buf *b, size_t n); /* forgets the first n bytes (all when fewer) */
void fr_buf_cut(struct fr_buf *b, size_t n);  /* keeps only the first n bytes */

enum fr_err fr_buf_err(const struct fr_buf *b);
struct fr_span fr_buf_span(const struct fr_buf *b);
const char *fr_buf_str(const struct fr_buf *b); /* never NULL */

/* The bytes (fr_malloc'ed, zero byte after them) become the caller's; the buffer is empty. NULL
 * when out of memory. */
uint8_t *fr_buf_take(struct fr_buf *b, size_t *n);
