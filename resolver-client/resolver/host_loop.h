#pragma once
/* The loop interface of the house on the call-backs of a host (<fedroam/loop.h>).
 *
 * Model: watches of one descriptor are told to the host as one interest; of all timers and
 *   deferred work the host knows only when the next is due.
 * Owns: nothing of the host's. Threads: the host's one. Limits: linear in watches (a few) and in
 *   armed timers. */

#include "base/clock.h"
#include "transport/loop.h"
#include <fedroam/loop.h>

/* The host is copied. FR_E_NOMEM. */
enum fr_err fr_host_loop_new(const struct fedroam_host *host, void *data,
                             const struct fr_clock *clock, struct fr_loop **out);
void fr_host_loop_free(struct fr_loop *loop);

/* What the host reports. */
void fr_host_loop_fd(struct fr_loop *loop, int fd, unsigned events);
void fr_host_loop_timer(struct fr_loop *loop);
