#pragma once
/* What a handle remembers over restarts and forgets on request: the cache's file, flush, save.
 *
 * Model: the file (if the options name one) is read when the handle starts, written when it ends and
 *   every 15 minutes if anything changed. A file that cannot be used is as good as none.
 * Threads: the loop's; reading and writing block. See cache_image.h for what is in the file. */

#include "resolver/handle.h"

enum { FR_SAVE_EVERY_MS = 900000 };

/* What the options allow the cache. */
struct fr_cache_limits fr_memory_cache_limits(const struct fedroam_options *o);

void fr_memory_start(struct fedroam *f);
void fr_memory_end(struct fedroam *f);

/* The options changed: other limits of the cache, another file. */
void fr_memory_limits(struct fedroam *f);
