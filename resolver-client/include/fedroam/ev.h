#pragma once

#include <fedroam/fedroam.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * libfedroam on a libev loop (library libfedroam-ev).
 *
 * Model:   holds the watchers of one handle on the loop given.
 * Owns:    the handle and the watchers; the loop stays the caller's and must outlive this.
 * Threads: the loop's.
 */
struct ev_loop;
struct fedroam_ev;

/* Makes a handle whose host is this loop, which it sets as the host in `options`. */
FEDROAM_API enum fedroam_err fedroam_ev_new(struct ev_loop *loop, struct fedroam_options *options,
                                            struct fedroam_ev **out);

/* The handle to look things up with: valid until fedroam_ev_free(), which frees it too. */
FEDROAM_API struct fedroam *fedroam_ev_handle(struct fedroam_ev *ev);

/* Stops the watchers and frees the handle. Not from inside a call-back. NULL is allowed. */
FEDROAM_API void fedroam_ev_free(struct fedroam_ev *ev);

#ifdef __cplusplus
}
#endif
