#pragma once
/* What the HTTP/2 connections of one server share. Inside transport only.
 *
 * Model:   memory for HPACK's tables (h2_pool.h), the heads of the last answers (h2_head.h), the table of Huffman's code, and an output buffer that goes
 *          from connection to connection, so that idle ones hold none.
 * Owns:    all of it; connections must be gone before deinit. Threads: the server's. */

#include "base/buf.h"
#include "transport/h2_head.h"
#include "transport/h2_huffman.h"
#include "transport/h2_pool.h"

struct fr_h2_shared {
    struct fr_h2_pool pool;
    nghttp2_mem mem; /* of the pool; sessions keep its address */
    struct fr_h2_heads heads;
    struct fr_h2_huffman huffman;
    struct fr_buf spare;
};

enum fr_err fr_h2_shared_new(struct fr_h2_shared **out);
void fr_h2_shared_free(struct fr_h2_shared *shared);
