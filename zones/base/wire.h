#pragma once
/* Bounded cursors over bytes: fr_rd reads a peer's bytes, fr_wr writes into a fixed array.
 *
 * Model: the error is sticky. After the first failure every read gives 0 or an empty span and
 * every write does nothing, so a codec is a straight list of fields and one test at its end. A
 * 16-bit field is big endian unless the name ends in le.
 * Owns: nothing; both borrow the caller's bytes. Errors: FR_E_TRUNCATED for reads past the end,
 * FR_E_LIMIT for writes past the end, or what fr_rd_fail/fr_wr_fail was given first. Trust: made
 * for a peer's bytes. */

#include "base/err.h"
#include "base/span.h"

struct fr_rd {
    const uint8_t *p;
    size_t n;  /* bytes in all */
    size_t at; /* next byte; at <= n always */
    enum fr_err err;
};

struct fr_rd fr_rd(struct fr_span bytes);
uint8_t fr_rd_u8(struct fr_rd *r);
uint16_t fr_rd_u16(struct fr_rd *r);
uint32_t fr_rd_u24(struct fr_rd *r);
uint32_t fr_rd_u32(struct fr_rd *r);
uint64_t fr_rd_u64(struct fr_rd *r);
uint16_t fr_rd_u16le(struct fr_rd *r);
uint32_t fr_rd_u24le(struct fr_rd *r);
uint32_t fr_rd_u32le(struct fr_rd *r);
uint64_t fr_rd_u64le(struct fr_rd *r);
void fr_rd_bytes(struct fr_rd *r, void *out, size_t n); /* zeros out on failure */
struct fr_span fr_rd_span(struct fr_rd *r, size_t n);   /* borrowed; empty on failure */
struct fr_span fr_rd_rest(struct fr_rd *r);             /* everything left */
void fr_rd_skip(struct fr_rd *r, size_t n);
void fr_rd_seek(struct fr_rd *r, size_t at);       /* from the start; at == n is legal */
size_t fr_rd_left(const struct fr_rd *r);          /* 0 after a failure */
void fr_rd_fail(struct fr_rd *r, enum fr_err err); /* the first failure stays */
enum fr_err fr_rd_err(const struct fr_rd *r);
/* the error, or FR_E_MALFORMED when bytes are left */
enum fr_err fr_rd_end(const struct fr_rd *r);

struct fr_wr {
    uint8_t *p;
    size_t n;  /* room in all */
    size_t at; /* bytes written */
    enum fr_err err;
};

struct fr_wr fr_wr(void *p, size_t n);
void fr_wr_u8(struct fr_wr *w, uint8_t v);
void fr_wr_u16(struct fr_wr *w, uint16_t v);
void fr_wr_u24(struct fr_wr *w, uint32_t v); /* FR_E_RANGE when v needs more */
void fr_wr_u32(struct fr_wr *w, uint32_t v);
void fr_wr_u64(struct fr_wr *w, uint64_t v);
void fr_wr_u16le(struct fr_wr *w, uint16_t v);
void fr_wr_u24le(struct fr_wr *w, uint32_t v);
void fr_wr_u32le(struct fr_wr *w, uint32_t v);
void fr_wr_u64le(struct fr_wr *w, uint64_t v);
void fr_wr_bytes(struct fr_wr *w, const void *p, size_t n);
void fr_wr_span(struct fr_wr *w, struct fr_span s);
void fr_wr_zero(struct fr_wr *w, size_t n);
/* overwrites two bytes already written */
void fr_wr_put_u16(struct fr_wr *w, size_t at, uint16_t v);
size_t fr_wr_left(const struct fr_wr *w);
void fr_wr_fail(struct fr_wr *w, enum fr_err err);
enum fr_err fr_wr_err(const struct fr_wr *w);
struct fr_span fr_wr_done(const struct fr_wr *w); /* what was written; empty after a failure */
