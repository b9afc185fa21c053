#pragma once
/* An event loop as an interface: watch a descriptor, arm a one-shot timer, run something after this
 * turn, post from another thread.
 *
 * Model:   a *turn* is one round of events. Watches, timers, defers and posts are members of their
 * owner's structs; only the owner starts and stops them. An implementation is an ops table: loop_ev
 * (libev), loop_poll (poll(2), blocking calls and tests), or whatever a host program already runs.
 * Owns:    nothing; the loop keeps pointers to started watches, timers and defers until they are
 * stopped or have run. Threads: a loop belongs to one thread. fr_loop_post() alone may be called
 * from any thread. Errors:  starting a watch can fail (FR_E_NOMEM, FR_E_IO); stopping never does.
 * Stopping what is not started is legal. Units:   milliseconds on a monotonic clock for timers;
 * seconds since 1970 for the wall clock. Trust:   no peer bytes here.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct fr_loop;
struct fr_watch;
struct fr_timer;
struct fr_defer;
struct fr_post;

enum fr_loop_events { FR_LOOP_READ = 1, FR_LOOP_WRITE = 2 };

typedef void (*fr_watch_fn)(struct fr_watch *w, unsigned events);
typedef void (*fr_timer_fn)(struct fr_timer *t);
typedef void (*fr_defer_fn)(struct fr_defer *d);
typedef void (*fr_post_fn)(struct fr_post *p);

/* Room for the implementation's own watcher inside ours (an ev_io or ev_timer fits; checked at
 * compile time). */
#define FR_LOOP_PRIV 64

/* Watches one descriptor, level-triggered. Initialise with fr_watch_init(); fields are read-only
 * for the owner but data. */
struct fr_watch {
    struct fr_loop *loop;
    fr_watch_fn fn;
    void *data;
    int fd;
    unsigned want; /* enum fr_loop_events or'ed; 0 when not started */
    _Alignas(16) unsigned char priv[FR_LOOP_PRIV];
};

/* Fires once, at or after its delay. May be started again from its own callback. */
struct fr_timer {
    struct fr_loop *loop;
    fr_timer_fn fn;
    void *data;
    bool is_armed;
    int64_t due_ms; /* fr_loop_now_ms() at which it fires */
    _Alignas(16) unsigned char priv[FR_LOOP_PRIV];
};

/* Runs once after the current turn, before the loop sleeps again. Deferring twice before it ran
 * runs it once. */
struct fr_defer {
    fr_defer_fn fn;
    void *data;
    struct fr_defer *prev, *next;
    bool is_queued;
};

/* Carries one message to the loop's thread. The sender owns it until fn runs on the loop's thread;
 * from then on fn does. */
struct fr_post {
    fr_post_fn fn;
    void *data;
    struct fr_post *next;
};

/* What an implementation provides. Every function is called on the loop's thread. */
struct fr_loop_ops {
    /* Starts, changes or (want = 0) stops watching; w->want holds the old interest during the call.
     */
    enum fr_err (*watch)(struct fr_loop *loop, struct fr_watch *w, unsigned want);
    /* (Re)arms for t->due_ms. */
    void (*timer_start)(struct fr_loop *loop, struct fr_timer *t);
    void (*timer_stop)(struct fr_loop *loop, struct fr_timer *t);
    /* Makes the implementation call fr_loop_run_deferred() once, at the end of this turn. NULL: a
     * zero timer is used. */
    void (*wake_deferred)(struct fr_loop *loop);
    /* Monotonic milliseconds; may be cached for the turn. */
    int64_t (*now_ms)(struct fr_loop *loop);
    /* Seconds since 1970. */
    int64_t (*real_s)(struct fr_loop *loop);
};

/* The part every implementation embeds as its first member. Initialise with fr_loop_init(). */
struct fr_loop {
    const struct fr_loop_ops *ops;
    struct fr_defer deferred;       /* list head */
    struct fr_timer deferred_timer; /* when ops->wake_deferred is NULL */
    struct fr_watch post_watch;     /* an eventfd, opened by fr_loop_enable_posts() */
    struct fr_post *posted;         /* newest first; under post_lock */
    pthread_mutex_t post_lock;
};

/* For implementations: prepares / tears down the common part. Deinit runs nothing that is still
 * queued. */
void fr_loop_init(struct fr_loop *loop, const struct fr_loop_ops *ops);
void fr_loop_deinit(struct fr_loop *loop);

/* For implementations: runs what was deferred up to now (what those defer in turn runs next turn).
 * True if some are left. */
bool fr_loop_run_deferred(struct fr_loop *loop);

/* True while something waits for the end of the turn, so that the implementation does not sleep. */
bool fr_loop_has_deferred(const struct fr_loop *loop);

int64_t fr_loop_now_ms(struct fr_loop *loop);
int64_t fr_loop_real_s(struct fr_loop *loop);

/* Prepares a watch, a timer, a defer; starts nothing. */
void fr_watch_init(struct fr_watch *w, int fd, fr_watch_fn fn, void *data);
void fr_timer_init(struct fr_timer *t, fr_timer_fn fn, void *data);
void fr_defer_init(struct fr_defer *d, fr_defer_fn fn, void *data);

/* Watches for `want`, replacing the earlier interest; 0 is fr_watch_stop(). On failure the earlier
 * interest stands. */
enum fr_err fr_watch_start(struct fr_loop *loop, struct fr_watch *w, unsigned want);

/* Stops before the descriptor is closed. No callback comes after this, even for an event of this
 * turn. */
void fr_watch_stop(struct fr_watch *w);

/* Fires once in delay_ms (0: next turn); restarts when armed already. */
void fr_timer_start(struct fr_loop *loop, struct fr_timer *t, int64_t delay_ms);
void fr_timer_stop(struct fr_timer *t);

void fr_loop_defer(struct fr_loop *loop, struct fr_defer *d);
void fr_defer_cancel(struct fr_defer *d);

/* Opens the descriptor that posts need; call on the loop's thread before another thread posts.
 * FR_E_IO. */
enum fr_err fr_loop_enable_posts(struct fr_loop *loop);

/* From any thread: p->fn runs on the loop's thread, in posting order. The loop must outlive every
 * poster. */
void fr_loop_post(struct fr_loop *loop, struct fr_post *p, fr_post_fn fn, void *data);
