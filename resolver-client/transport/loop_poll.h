#pragma once
/* The loop interface on poll(2): for blocking calls and for tests.
 *
 * Model:   fr_loop_poll_turn() runs one turn. A clock may be given, so that a test moves time by
 * hand. Owns:    its arrays. Threads: as loop.h. Limits: descriptors and timers up to memory;
 * linear cost, meant for a few dozen.
 */
#include "base/clock.h"
#include "transport/loop.h"

/* clock NULL: the system's. It is borrowed until the loop is freed. FR_E_NOMEM. */
enum fr_err fr_loop_poll_new(const struct fr_clock *clock, struct fr_loop **out);
void fr_loop_poll_free(struct fr_loop *loop);

/* Waits for events up to max_wait_ms (0: does not wait; less when a timer is due earlier), runs
 * them, then what was deferred. True if anything ran. */
bool fr_loop_poll_turn(struct fr_loop *loop, int max_wait_ms);
