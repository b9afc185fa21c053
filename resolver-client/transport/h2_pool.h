#pragma once
/* Memory for the HTTP/2 sessions of one server: what a request needs is taken from what the last ones gave back. Inside
 * transport only.
 *
 * Model:   blocks of a few sizes, a list of free ones for each; larger ones, and the first ones, come from base/mem. nghttp2
 *          takes six to eight blocks a request and gives them back within the turn, in bursts that overrun malloc's own
 *          short lists.
 * Owns:    the free blocks; sessions own the others and must be deleted before deinit. Threads: the server's.
 * Limits:  FR_H2_POOL_KEEP free blocks of each size, under 2 MiB in all. Errors: NULL, as malloc.
 */

#include <nghttp2/nghttp2.h>
#include <stddef.h>

#define FR_H2_POOL_SIZES 6 /* 32, 64, … 1,024 bytes */
#define FR_H2_POOL_KEEP 1024

struct fr_h2_block;

struct fr_h2_pool {
    struct fr_h2_block *free[FR_H2_POOL_SIZES];
    unsigned n[FR_H2_POOL_SIZES];
};

/* For nghttp2_session_server_new3(). The pool stays where it is. */
nghttp2_mem fr_h2_pool_mem(struct fr_h2_pool *pool);

void fr_h2_pool_deinit(struct fr_h2_pool *pool);
