#include "agent/guest.h"

bool fr_guests_has(const struct fr_guests *guests, const struct fr_addr *peer)
{
    if (peer->port == 0) return false;
    if (fr_ip_is_loopback(&peer->ip)) return true;
    for (size_t i = 0; i < guests->n_allow; i++) {
        if (fr_prefix_has(&guests->allow[i], &peer->ip)) return true;
    }
    return false;
}
