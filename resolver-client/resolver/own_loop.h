#pragma once
/* The library's own loop behind one descriptor: an epoll that a program without a loop blocks on, and
 * that any other loop can watch.
 *
 * Model: a host loop (host_loop.h) whose host is this file: watched descriptors are in the epoll, the
 *   one timer is a number. The descriptor becomes readable when something is to be done at once or a
 *   watched descriptor is ready; the timer is the caller's to mind (fr_own_loop_wait_ms).
 * Owns: the epoll and an eventfd. Threads: one at a time; but waiting on the descriptor and
 *   fr_own_loop_wake() may happen beside everything else. Errors: FR_E_NOMEM, FR_E_IO. */

#include "base/clock.h"
#include "transport/loop.h"
#include <fedroam/loop.h>

struct fr_own_loop;

enum fr_err fr_own_loop_new(const struct fr_clock *clock, struct fr_own_loop **out);
void fr_own_loop_free(struct fr_own_loop *o);

/* What timers, watches and defers are started on. */
struct fr_loop *fr_own_loop(struct fr_own_loop *o);

int fr_own_loop_fd(const struct fr_own_loop *o);

/* Until there is something to do though the descriptor is silent: 0 now, -1 never. */
int64_t fr_own_loop_wait_ms(const struct fr_own_loop *o);

/* Does all that is due, without waiting. */
void fr_own_loop_process(struct fr_own_loop *o);

/* From any thread: makes the descriptor readable once. */
void fr_own_loop_wake(struct fr_own_loop *o);
