#pragma once
/* Header lists that a peer sends again and again, differing in the path alone. Inside transport only.
 *
 * Model:   a block that changes no table means the same for as long as nothing else does. It is kept with what it said; the next
 *          one with the same octets around its :path is that list with another path, and is neither decoded nor checked but for
 *          the path. A client's look-ups are of this kind: GET differs in the path, POST in nothing.
 * Owns:    nothing: a plain value of its connection, good until the peer's table changes. Threads: the loop's.
 * Limits:  blocks and texts up to the sizes below; others are not kept. Trust: a peer's bytes; only lists that were decoded and
 *          passed every check are kept. See: RFC 7541 §6. */

#include "transport/h2_fields.h"
#include "transport/h2_huffman.h"
#include "transport/http_conn.h"

#define FR_H2_REPEAT_BLOCK 256
#define FR_H2_REPEAT_TEXT 384
#define FR_H2_REPEAT_FIELDS 8
#define FR_H2_REPEAT_PATH 40

struct fr_h2_repeat {
    bool is_kept;
    bool has_path;           /* the block has a literal :path, between `before` and `behind` */
    uint16_t before, behind; /* octets of `block` */
    uint16_t text_n, n;
    struct fr_h2_fields fields;
    struct fr_head_mark method, path,
        authority; /* in `text`; path: when the block has none of its own */
    struct fr_head_mark names[FR_H2_REPEAT_FIELDS], values[FR_H2_REPEAT_FIELDS];
    uint8_t block[FR_H2_REPEAT_BLOCK], text[FR_H2_REPEAT_TEXT];
    uint16_t octets_n,
        path_n; /* the last path, when it is short: its octets in the block and what they say; 0: not kept */
    uint8_t octets[FR_H2_REPEAT_PATH], path_text[FR_H2_REPEAT_PATH];
};

/* What a whole block does to the table, and where its :path is. */
struct fr_h2_block {
    bool is_lasting;    /* changes nothing */
    bool has_path;      /* has a literal :path, named by the static table and not to be indexed */
    size_t before, end; /* … whose value stands from before to end */
};

struct fr_h2_block fr_h2_block_scan(struct fr_span block);

/* Keeps the list of x, whose head was checked; *r is empty when that cannot be. */
void fr_h2_repeat_keep(struct fr_h2_repeat *r, struct fr_span block,
                       const struct fr_h2_fields *fields, const struct fr_exchange *x);

/* Is it the list that was kept, but for its path? The head of x, which is empty, becomes it. False: not, and x is as before. */
bool fr_h2_repeat_take(const struct fr_h2_repeat *r, struct fr_span block,
                       const struct fr_h2_huffman *huffman, const struct fr_http_server_conf *conf,
                       struct fr_exchange *x);
