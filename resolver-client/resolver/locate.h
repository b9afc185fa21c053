#pragma once
/* Where a broker is, found and waited for: for programs that look at brokers one by one. Handles do the same beside
 * their look-ups (link_http.c).
 *
 * Owns: nothing that outlives the call. Threads: any; it blocks. Errors: FR_E_NOMEM, FR_E_IO (loop, public DNS). That nothing
 *   is found is no error: there are no ways then.
 * Units and limits: ms. Trust: as discovery.h. */

#include "resolver/discovery.h"

/* The ways to a broker of these options, which have not been copied by a handle. */
enum fr_err fr_locate(const struct fedroam_options *options, const struct fr_broker_opt *broker,
                      uint32_t within_ms, struct fr_ways *out);
