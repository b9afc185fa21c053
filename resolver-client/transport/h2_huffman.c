#include "transport/h2_huffman.h"

#define SHORTEST 5
#define EOS 256

/* How many bits each octet has; EOS has 30. The code follows: it is canonical. RFC 7541 appendix B */
static const uint8_t LENGTHS[FR_H2_HUFFMAN_SYMBOLS] = {
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28,
    28, 28, 28, 28, 28, 28, 28, 28, 6,  10, 10, 12, 13, 6,  8,  11, 10, 10, 8,  11, 8,  6,  6,  6,
    5,  5,  5,  6,  6,  6,  6,  6,  6,  6,  7,  8,  15, 6,  12, 10, 13, 6,  7,  7,  7,  7,  7,  7,
    7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  8,  7,  8,  13, 19, 13, 14, 6,
    15, 5,  6,  5,  6,  5,  6,  6,  6,  5,  7,  7,  6,  6,  6,  5,  6,  7,  6,  5,  5,  6,  7,  7,
    7,  7,  7,  15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
    24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22, 23, 23, 21,
    23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24,
    21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30,
};

/* Codes of one length are in the order of their octets; each length goes on where the last one ended. */
void fr_h2_huffman_init(struct fr_h2_huffman *h)
{
    uint64_t code = 0; /* left-aligned; the last one ends at 2^32 */
    uint16_t at = 0;

    *h = (struct fr_h2_huffman){0};
    for (unsigned n = SHORTEST; n <= FR_H2_HUFFMAN_LONGEST; n++) {
        h->first[n] = (uint32_t)code;
        h->at[n] = at;
        for (unsigned symbol = 0; symbol < FR_H2_HUFFMAN_SYMBOLS; symbol++) {
            if (LENGTHS[symbol] != n) continue;
            h->sorted[at++] = (uint16_t)symbol;
            unsigned from = (unsigned)(code >> (32 - FR_H2_HUFFMAN_BITS));
            if (n <= FR_H2_HUFFMAN_BITS)
                for (unsigned i = 0; i < 1u << (FR_H2_HUFFMAN_BITS - n); i++)
                    h->quick[from + i] = (uint16_t)(n << 8 | symbol);
            code += 1ull << (32 - n);
        }
    }
}

/* The length of the code that the 32 bits begin with; it is longer than ten. */
static unsigned long_length(const struct fr_h2_huffman *h, uint32_t bits)
{
    unsigned n = FR_H2_HUFFMAN_BITS + 1;

    while (n < FR_H2_HUFFMAN_LONGEST && h->first[n + 1] <= bits) n++;
    return n;
}

static unsigned long_symbol(const struct fr_h2_huffman *h, uint32_t bits, unsigned n)
{
    return h->sorted[h->at[n] + ((bits - h->first[n]) >> (32 - n))];
}

struct reader {
    uint64_t bits; /* left-aligned; `n` of them were read, behind them zeros */
    unsigned n;
};

static void refill(struct reader *r, struct fr_span *in)
{
    if (in->n >= 4) {
        uint32_t four = (uint32_t)in->p[0] << 24 | (uint32_t)in->p[1] << 16 |
                        (uint32_t)in->p[2] << 8 | in->p[3];

        r->bits |= (uint64_t)four << (32 - r->n);
        r->n += 32;
        *in = fr_span(in->p + 4, in->n - 4);
        return;
    }
    for (; in->n > 0; *in = fr_span(in->p + 1, in->n - 1), r->n += 8)
        r->bits |= (uint64_t)in->p[0] << (56 - r->n);
}

enum fr_err fr_h2_huffman_read(const struct fr_h2_huffman *h, struct fr_span in, struct fr_buf *out)
{
    uint8_t *p = fr_buf_reserve(out, in.n * 8 / SHORTEST + 1);
    struct reader r = {0};
    size_t put = 0;

    if (!p) return fr_buf_err(out);
    for (;;) {
        if (r.n < 32) refill(&r, &in);
        unsigned found = h->quick[r.bits >> (64 - FR_H2_HUFFMAN_BITS)], length = found >> 8;
        unsigned symbol = found & 0xff;
        if (found == 0) {
            length = long_length(h, (uint32_t)(r.bits >> 32));
            symbol = long_symbol(h, (uint32_t)(r.bits >> 32), length);
        }
        if (length > r.n) break; /* padding, at most */
        if (symbol == EOS) return FR_E_MALFORMED;
        p[put++] = (uint8_t)symbol;
        r.bits <<= length;
        r.n -= length;
    }
    /* what is left are the first bits of EOS, ones, and less than an octet of them */
    if (r.n > 7 || (r.n > 0 && r.bits >> (64 - r.n) != (1u << r.n) - 1)) return FR_E_MALFORMED;
    fr_buf_commit(out, put);
    return FR_OK;
}
