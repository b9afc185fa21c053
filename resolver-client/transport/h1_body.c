#include <string.h>

#include "base/hex.h"
#include "transport/h1_parse.h"

#define CHUNK_DIGITS_MAX 15 /* below 2^60: no overflow */
#define EXTENSIONS_MAX 256  /* bytes in one chunk line */
#define TRAILERS_MAX 4096   /* bytes in all */

enum chunk_state {
    CHUNK_SIZE,
    CHUNK_EXTENSION,
    CHUNK_SIZE_LF,
    CHUNK_DATA,
    CHUNK_DATA_CR,
    CHUNK_DATA_LF,
    TRAILER_START,
    TRAILER_LINE,
    TRAILER_LF,
    TRAILER_END_LF,
};

void fr_h1_body_init(struct fr_h1_body *b, const struct fr_h1_message *m)
{
    *b = (struct fr_h1_body){
        .framing = m->framing,
        .state = CHUNK_SIZE,
        .left = m->framing == FR_H1_LENGTH ? m->length : 0,
        .is_done = m->framing == FR_H1_NO_BODY,
    };
}

/* What is announced and will not fit is refused before it comes. */
static bool will_fit(const struct fr_h1_body *b, const struct fr_buf *out)
{
    return b->left <= out->max - out->n;
}

static enum fr_err move(struct fr_span in, struct fr_buf *out)
{
    fr_buf_add_span(out, in);
    return fr_buf_err(out);
}

/* One byte of a chunk's size line. */
static enum fr_err size_byte(struct fr_h1_body *b, uint8_t c)
{
    int digit = fr_hex_digit(c);

    if (digit >= 0) {
        if (b->digits == CHUNK_DIGITS_MAX) return FR_E_LIMIT;
        b->left = b->left * 16 + (uint64_t)digit;
        b->digits++;
        return FR_OK;
    }
    if (b->digits == 0) return FR_E_MALFORMED;
    if (c == '\r')
        b->state = CHUNK_SIZE_LF;
    else if (c == ';')
        b->state = CHUNK_EXTENSION;
    else
        return FR_E_MALFORMED;
    return FR_OK;
}

/* One byte of what is skipped: extensions and trailers. */
static enum fr_err skipped_byte(struct fr_h1_body *b, uint8_t c, unsigned after_cr, size_t max)
{
    if (c == '\r')
        b->state = after_cr;
    else if ((c < 0x20 && c != '\t') || c == 0x7f)
        return FR_E_MALFORMED;
    return ++b->extras > max ? FR_E_LIMIT : FR_OK;
}

static void after_size(struct fr_h1_body *b)
{
    b->state = b->left > 0 ? CHUNK_DATA : TRAILER_START;
    b->digits = 0;
    b->extras = 0;
}

/* One byte outside chunk data. */
static enum fr_err framing_byte(struct fr_h1_body *b, uint8_t c)
{
    switch ((enum chunk_state)b->state) {
    case CHUNK_SIZE: return size_byte(b, c);
    case CHUNK_EXTENSION: return skipped_byte(b, c, CHUNK_SIZE_LF, EXTENSIONS_MAX);
    case CHUNK_SIZE_LF:
        if (c != '\n') return FR_E_MALFORMED;
        after_size(b);
        return FR_OK;
    case CHUNK_DATA: return FR_E_INTERNAL; /* not a framing byte */
    case CHUNK_DATA_CR:
        if (c != '\r') return FR_E_MALFORMED;
        b->state = CHUNK_DATA_LF;
        return FR_OK;
    case CHUNK_DATA_LF:
        if (c != '\n') return FR_E_MALFORMED;
        b->state = CHUNK_SIZE;
        return FR_OK;
    case TRAILER_START:
        if (c == '\r') {
            b->state = TRAILER_END_LF;
            return FR_OK;
        }
        b->state = TRAILER_LINE;
        return c == ' ' || c == '\t' ? FR_E_MALFORMED
                                     : skipped_byte(b, c, TRAILER_LF, TRAILERS_MAX);
    case TRAILER_LINE: return skipped_byte(b, c, TRAILER_LF, TRAILERS_MAX);
    case TRAILER_LF:
        if (c != '\n') return FR_E_MALFORMED;
        b->state = TRAILER_START;
        return FR_OK;
    case TRAILER_END_LF:
        if (c != '\n') return FR_E_MALFORMED;
        b->is_done = true;
        return FR_OK;
    }
    return FR_E_INTERNAL;
}

static enum fr_err read_chunks(struct fr_h1_body *b, struct fr_span in, struct fr_buf *out,
                               size_t *used)
{
    enum fr_err err = FR_OK;
    size_t at = 0;

    while (!err && at < in.n && !b->is_done) {
        if (b->state != CHUNK_DATA) {
            err = framing_byte(b, in.p[at++]);
            if (!err && b->state == CHUNK_DATA && !will_fit(b, out)) err = FR_E_LIMIT;
            continue;
        }
        size_t n = in.n - at < b->left ? in.n - at : (size_t)b->left;
        err = move(fr_span(in.p + at, n), out);
        at += n;
        b->left -= n;
        if (b->left == 0) b->state = CHUNK_DATA_CR;
    }
    *used = at;
    return err;
}

enum fr_err fr_h1_body_read(struct fr_h1_body *b, struct fr_span in, struct fr_buf *out,
                            size_t *used)
{
    size_t n = in.n;

    *used = 0;
    switch (b->framing) {
    case FR_H1_NO_BODY: return FR_OK;
    case FR_H1_CHUNKED: return read_chunks(b, in, out, used);
    case FR_H1_UNTIL_CLOSE: *used = n; return move(in, out);
    case FR_H1_LENGTH:
        if (!will_fit(b, out)) return FR_E_LIMIT;
        if (n > b->left) n = (size_t)b->left;
        *used = n;
        b->left -= n;
        b->is_done = b->left == 0;
        return move(fr_span(in.p, n), out);
    }
    return FR_E_INTERNAL;
}
