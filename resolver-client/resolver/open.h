#pragma once
/* Making a resolver handle on a loop of the house: for our own programs, which have a struct
 * fr_loop already. Hosts outside use fedroam_new(). Everything else (look-ups, answers) is the
 * public interface, <fedroam/fedroam.h>.
 *
 * Owns: the handle is freed by fedroam_free() before the loop. Threads: the loop's. Errors:
 *   FR_E_NOMEM; FR_E_INVALID with a diag for options without a federation, or a federation
 *   without a broker. */

#include "base/diag.h"
#include <stdint.h>

struct fedroam;
struct fedroam_options;
struct fr_loop;

/* `options` is copied; the host set in it is not used. */
enum fr_err fr_resolver_open(const struct fedroam_options *options, struct fr_loop *loop,
                             struct fr_diag *diag, struct fedroam **out);

/* Bytes and round trips of all connections to brokers so far, for reports. */
struct fr_resolver_traffic {
    uint64_t exchanges;
    uint64_t connects, handshakes, handshakes_resumed;
    uint64_t bytes_in, bytes_out; /* on the sockets: TLS records */
    uint64_t segments_in, segments_out;
    uint64_t round_trips;
};
void fr_resolver_traffic(struct fedroam *f, struct fr_resolver_traffic *out);
