#pragma once
/* HPACK's Huffman code, read quickly. Inside transport only.
 *
 * Model:   ten bits at a time are looked up in a table; the few longer codes are found by their length, because the code is
 *          canonical. Owns: nothing: a plain value. Threads: read-only once made. Trust: a peer's bytes.
 * See:     RFC 7541 §5.2, appendix B. */

#include "base/buf.h"

#define FR_H2_HUFFMAN_BITS 10
#define FR_H2_HUFFMAN_SYMBOLS 257 /* the octets and EOS */
#define FR_H2_HUFFMAN_LONGEST 30

struct fr_h2_huffman {
    uint16_t quick[1 << FR_H2_HUFFMAN_BITS]; /* length << 8 | octet; 0: a longer code */
    uint16_t sorted[FR_H2_HUFFMAN_SYMBOLS];  /* by code */
    uint32_t first[FR_H2_HUFFMAN_LONGEST +
                   1]; /* code of a length, left-aligned; the next one bounds it */
    uint16_t at[FR_H2_HUFFMAN_LONGEST + 1]; /* of that code in `sorted` */
};

void fr_h2_huffman_init(struct fr_h2_huffman *huffman);

/* Appends what `in` stands for. FR_E_MALFORMED: it is not padded as it must be, or has EOS in it;
 * FR_E_NOMEM, FR_E_LIMIT: the buffer's. */
enum fr_err fr_h2_huffman_read(const struct fr_h2_huffman *huffman, struct fr_span in,
                               struct fr_buf *out);
