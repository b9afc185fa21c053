#pragma once
/* The header blocks of answers, written without a dynamic table. Inside transport only.
 *
 * Model:   a block is a status, the date and the handler's fields; names that HPACK's static table has are its numbers, all else
 *          is literal and not indexed, so that a block means the same on every connection. The last few blocks are kept:
 *          answers to look-ups differ only in their content-length, which stands behind the block.
 * Owns:    the kept blocks. Threads: one owner. Errors: NULL span: no memory.
 * Limits:  FR_H2_HEADS_KEPT blocks; only those with at most FR_H2_HEADS_FIELDS fields and FR_H2_HEADS_TEXT bytes are kept.
 * See:     RFC 7541 §6.2.2, appendix A. */

#include "base/buf.h"
#include "transport/http.h"

#define FR_H2_HEADS_KEPT 4
#define FR_H2_HEADS_FIELDS 6
#define FR_H2_HEADS_TEXT 512

struct fr_h2_head {
    unsigned status; /* 0: none is kept here */
    int64_t date_s;
    size_t n;
    size_t name_n[FR_H2_HEADS_FIELDS], value_n[FR_H2_HEADS_FIELDS];
    uint8_t text[FR_H2_HEADS_TEXT]; /* names and values, one behind the other */
    struct fr_buf block;
};

struct fr_h2_heads {
    struct fr_h2_head kept[FR_H2_HEADS_KEPT];
    unsigned next;       /* the one to be replaced */
    struct fr_buf large; /* the last block that is not kept */
};

void fr_h2_heads_init(struct fr_h2_heads *heads);
void fr_h2_heads_deinit(struct fr_h2_heads *heads);

/* The block of an answer, content-length apart; the span lives until the next call. date: the text
 * of date_s. Names are lower case. */
struct fr_span fr_h2_heads_get(struct fr_h2_heads *heads, unsigned status, int64_t date_s,
                               const char *date, const struct fr_http_field *fields, size_t n);

/* content-length, to be put behind a block: into p, at most FR_H2_LENGTH_MAX bytes; how many. */
#define FR_H2_LENGTH_MAX 24
size_t fr_h2_length_write(uint8_t *p, size_t length);
