#pragma once
/*
 * Taking in connections: a listening descriptor on a loop.
 *
 * Model:   `accepted` is called for each connection, at most ACCEPTS_PER_TURN times a turn. When the process is out of descriptors
 *          it rests for a moment: the kernel would wake us at once, again and again, for what cannot be taken.
 * Owns:    the descriptor, from a start that succeeded to fr_accept_close(). The connection's is the call-back's.
 * Threads: the loop's.
 */
#include "base/addr.h"
#include "transport/loop.h"

typedef void (*fr_accepted_fn)(void *data, int fd, const struct fr_addr *peer);

struct fr_accept {
    struct fr_watch watch;
    struct fr_timer pause;
    fr_accepted_fn accepted;
    void *data;
};

void fr_accept_init(struct fr_accept *a, fr_accepted_fn accepted, void *data);

/* FR_E_NOMEM, FR_E_IO: the descriptor is closed. */
enum fr_err fr_accept_start(struct fr_accept *a, struct fr_loop *loop, int fd);

/* Not from within `accepted`. Legal before a start. */
void fr_accept_close(struct fr_accept *a);
