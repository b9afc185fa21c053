#pragma once
/* The loop interface on libev. Its own target (fr_transport_ev), so that libfedroam.so needs no
 * libev; loop_ev.c is the only file of the house that includes ev.h.
 *
 * Model:   one struct fr_loop per libev loop; fr_loop_ev_new() makes both, fr_loop_ev_attach()
 * borrows the host's loop. Owns:    the libev loop it created. Threads: as loop.h, except
 * fr_loop_ev_signal(), which main's thread calls.
 */
#include "transport/loop.h"

struct ev_loop;
struct fr_ev_signal;

typedef void (*fr_signal_fn)(void *data, int signum);

/* A new libev loop (epoll where there is). FR_E_NOMEM, FR_E_IO. */
enum fr_err fr_loop_ev_new(struct fr_loop **out);

/* On the host's own libev loop, which must outlive it. */
enum fr_err fr_loop_ev_attach(struct ev_loop *host, struct fr_loop **out);

/* Everything started on it must be stopped first. NULL is legal. */
void fr_loop_ev_free(struct fr_loop *loop);

/* Runs until fr_loop_ev_stop() is called on the same thread (from another one: post a message that
 * does). */
void fr_loop_ev_run(struct fr_loop *loop);
void fr_loop_ev_stop(struct fr_loop *loop);

/* Calls fn on the loop's thread for each `signum`. For main programs; the handle is freed before
 * the loop. */
enum fr_err fr_loop_ev_signal(struct fr_loop *loop, int signum, fr_signal_fn fn, void *data,
                              struct fr_ev_signal **out);
void fr_loop_ev_signal_free(struct fr_ev_signal *s);
