#pragma once
/*
 * Reading JSON from a peer, strictly typed. The only place that knows the JSON library.
 *
 * Model: a parsed document is a tree of values. A *reader* looks at the members of one object and remembers the first member
 *   that was missing or of the wrong kind, so that a codec is a straight list tested once at the end. `null` is absent.
 *   Integers must be written as integers (868, never 868.0 or "868"), duplicate members are refused.
 * Owns: the document owns every value and text got from it; nothing may be used after fr_jval_free.
 * Threads: one document, one thread.
 * Errors: fr_jval_parse: FR_E_MALFORMED (not one JSON value, or nested deeper than FR_JVAL_DEPTH_MAX), FR_E_NOMEM.
 * Units and limits: the caller bounds the text; hex strings: even number of digits, either case, optional 0x or 0X.
 * Trust: all of it is a peer's.
 */
#include "base/err.h"
#include "base/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FR_JVAL_DEPTH_MAX 32

struct fr_jval;

enum fr_err fr_jval_parse(struct fr_span text, struct fr_jval **out);
void fr_jval_free(struct fr_jval *doc);

/* NULL when `value` is no object, or the member is absent or null. NULL in, NULL out, here and below. */
const struct fr_jval *fr_jval_get(const struct fr_jval *value, const char *name);
bool fr_jval_is_object(const struct fr_jval *value);
bool fr_jval_is_array(const struct fr_jval *value);
size_t fr_jval_count(const struct fr_jval *array); /* 0 when it is no array */
const struct fr_jval *fr_jval_at(const struct fr_jval *array, size_t i);

/* The value as this kind; false (and *out untouched) when it is not. The text is borrowed, without terminator. */
bool fr_jval_text(const struct fr_jval *value, struct fr_span *out);
bool fr_jval_integer(const struct fr_jval *value, int64_t *out);
bool fr_jval_number(const struct fr_jval *value, double *out);
bool fr_jval_bool(const struct fr_jval *value, bool *out);

/* Decodes a hex string into `out`; false when it is none or needs more than `size` bytes. */
bool fr_jval_hex(const struct fr_jval *value, uint8_t *out, size_t size, size_t *n);

enum fr_jpresence { FR_J_MUST, FR_J_MAY };

struct fr_jread {
    const struct fr_jval *object;
    const char *wrong; /* the first member at fault; NULL: none so far */
};

/*
 * Each reads one member and says whether it was there and good. Absent: *out untouched, and a fault when it MUST be there.
 * Present but of another kind, out of range, or of another length: a fault either way.
 */
bool fr_jread_text(struct fr_jread *r, const char *name, enum fr_jpresence presence,
                   struct fr_span *out);
bool fr_jread_u64(struct fr_jread *r, const char *name, enum fr_jpresence presence, uint64_t max,
                  uint64_t *out);
bool fr_jread_int(struct fr_jread *r, const char *name, enum fr_jpresence presence, int64_t min,
                  int64_t max, int64_t *out);
bool fr_jread_number(struct fr_jread *r, const char *name, enum fr_jpresence presence, double *out);
bool fr_jread_bool(struct fr_jread *r, const char *name, enum fr_jpresence presence, bool *out);
/* A number in MHz as Hz, rounded, 1 … 4294967295 Hz. */
bool fr_jread_mhz(struct fr_jread *r, const char *name, enum fr_jpresence presence, uint32_t *hz);
/* Exactly `n` bytes of hex. */
bool fr_jread_hex(struct fr_jread *r, const char *name, enum fr_jpresence presence, uint8_t *out,
                  size_t n);
/* A number of `n` (1…8) bytes written in hex, most significant byte first. */
bool fr_jread_id(struct fr_jread *r, const char *name, enum fr_jpresence presence, size_t n,
                 uint64_t *out);
/* An object (or array) to read further. */
const struct fr_jval *fr_jread_object(struct fr_jread *r, const char *name,
                                      enum fr_jpresence presence);
const struct fr_jval *fr_jread_array(struct fr_jread *r, const char *name,
                                     enum fr_jpresence presence);

/* A frequency in MHz, shortest exact form ("868.1"), into 16 bytes with terminator. */
#define FR_MHZ_TEXT 16
void fr_mhz_print(uint32_t hz, char out[FR_MHZ_TEXT]);
