#pragma once
/* Threads on one handle: calls that block take turns at driving the handle's own loop.
 *
 * Model: everything in a handle with a loop of its own is under one lock. A thread that waits for an
 *   answer drives the loop when nobody does: it lets go of the lock while it waits for the
 *   descriptor, and does what is due under it again. The others sleep until it has had a turn. Who
 *   starts something meanwhile wakes the driver. The lock is recursive, for call-backs that call the
 *   library. A handle with a host, or on a loop of the house, is one thread's and has no lock.
 * Threads: any. Errors: none. */

#include "resolver/handle.h"

/* FR_E_IO: the system has no lock to give. */
enum fr_err fr_turns_init(struct fedroam *f);
void fr_turns_deinit(struct fedroam *f);

/* Around everything that touches the handle. */
void fr_enter(struct fedroam *f);
void fr_leave(struct fedroam *f);

/* Inside, one level deep: lets time pass, at most a second, and does what is due; then *is_over may
 * have become true. */
void fr_turns_wait(struct fedroam *f, const bool *is_over);

/* Inside: is this a call-back? It cannot wait for what only the turn that called it can do. */
bool fr_turns_is_calling_back(const struct fedroam *f);
