#pragma once
/* The cache as bytes that survive a restart.
 *
 * Model: devices, unknown devices, networks and Join Servers of federations with what is left of
 *   their times, in the order of their use; DNS messages and what public trees said are left out. Times in an image are seconds before and after
 *   the moment it was made, which stands in it by the wall clock. A hash over all tells a damaged
 *   image from a whole one; it is no protection against somebody who means harm: the file's
 *   permissions are.
 * Owns: nothing. Threads: the cache's. Errors: FR_E_MALFORMED for an image that is damaged or made
 *   in the future: nothing of it is used; FR_E_NOMEM; that of the buffer.
 * Limits: no entry lives longer than it would have without the restart; federations are found again
 *   by name, entries of others are left out.
 * Trust: the bytes are a file's, read with bounds and checked like a broker's answer. */

#include "base/buf.h"
#include "resolver/cache.h"

struct fedroam_options;

/* The two clocks at one moment. */
struct fr_cache_moment {
    int64_t mono_ms, real_s;
};

enum fr_err fr_cache_image_write(const struct fr_cache *c, const struct fedroam_options *names,
                                 struct fr_cache_moment now, struct fr_buf *out);
enum fr_err fr_cache_image_read(struct fr_cache *c, const struct fedroam_options *names,
                                struct fr_cache_moment now, struct fr_span image);
