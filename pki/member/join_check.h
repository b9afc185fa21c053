/* Is what was joined of use: look-ups with the new certificate, and what they tell.
 *
 * Owns     Nothing. Threads: one; blocks for the time of a look-up.
 * Errors   FR_E_NET, FR_E_DENIED, FR_E_CONFIG …: the look-up's, with its reason; FR_E_NOT_FOUND: the
 *          federation does not know the network.
 * Trust    Answers are a broker's, checked by the resolver. */
#pragma once

#include "base/diag.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

#define FR_JOIN_ENDPOINT 64

struct fr_join_seen {
    bool has_network; /* it is published with an endpoint */
    char endpoint[FR_JOIN_ENDPOINT];
    uint16_t port;
    uint32_t ms; /* what the look-up took */
};

/* Opens the configuration `path` and looks a network up in the federation; netid 0: asks for a
 * device that nobody has, which shows that the broker answers us. */
enum fr_err fr_join_look_up(const char *path, const char *fed, uint32_t netid, struct fr_diag *diag,
                            struct fr_join_seen *out);
