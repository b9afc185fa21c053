#include "transport/loop.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Deferred and posted work: the same for every implementation, so an implementation knows only watches and timers. */

static void on_deferred_timer(struct fr_timer *t)
{
    struct fr_loop *loop = t->data;

    if (fr_loop_run_deferred(loop)) fr_timer_start(loop, t, 0);
}

void fr_loop_init(struct fr_loop *loop, const struct fr_loop_ops *ops)
{
    loop->ops = ops;
    loop->deferred.prev = loop->deferred.next = &loop->deferred;
    loop->posted = NULL;
    fr_watch_init(&loop->post_watch, -1, NULL, loop);
    fr_timer_init(&loop->deferred_timer, on_deferred_timer, loop);
    pthread_mutex_init(&loop->post_lock, NULL);
}

void fr_loop_deinit(struct fr_loop *loop)
{
    fr_timer_stop(&loop->deferred_timer);
    fr_watch_stop(&loop->post_watch);
    if (loop->post_watch.fd >= 0) close(loop->post_watch.fd);
    pthread_mutex_destroy(&loop->post_lock);
}

static void unlink_defer(struct fr_defer *d)
{
    d->prev->next = d->next;
    d->next->prev = d->prev;
    d->is_queued = false;
}

bool fr_loop_run_deferred(struct fr_loop *loop)
{
    /* A marker at the tail separates this turn's work from what it will queue itself. */
    struct fr_defer marker = {.prev = loop->deferred.prev, .next = &loop->deferred};

    marker.prev->next = &marker;
    marker.next->prev = &marker;
    while (loop->deferred.next != &marker) {
        struct fr_defer *d = loop->deferred.next;

        unlink_defer(d);
        d->fn(d);
    }
    unlink_defer(&marker);
    return fr_loop_has_deferred(loop);
}

bool fr_loop_has_deferred(const struct fr_loop *loop)
{
    return loop->deferred.next != &loop->deferred;
}

int64_t fr_loop_now_ms(struct fr_loop *loop)
{
    return loop->ops->now_ms(loop);
}

int64_t fr_loop_real_s(struct fr_loop *loop)
{
    return loop->ops->real_s(loop);
}

void fr_watch_init(struct fr_watch *w, int fd, fr_watch_fn fn, void *data)
{
    *w = (struct fr_watch){.fn = fn, .data = data, .fd = fd};
}

void fr_timer_init(struct fr_timer *t, fr_timer_fn fn, void *data)
{
    *t = (struct fr_timer){.fn = fn, .data = data};
}

void fr_defer_init(struct fr_defer *d, fr_defer_fn fn, void *data)
{
    *d = (struct fr_defer){.fn = fn, .data = data};
}

enum fr_err fr_watch_start(struct fr_loop *loop, struct fr_watch *w, unsigned want)
{
    if (want == w->want) return FR_OK;

    enum fr_err err = loop->ops->watch(loop, w, want);
    if (err) return err;
    w->loop = loop;
    w->want = want;
    return FR_OK;
}

void fr_watch_stop(struct fr_watch *w)
{
    if (w->want == 0) return;
    (void)w->loop->ops->watch(w->loop, w, 0); /* stopping does not fail */
    w->want = 0;
}

void fr_timer_start(struct fr_loop *loop, struct fr_timer *t, int64_t delay_ms)
{
    fr_timer_stop(t);
    t->loop = loop;
    t->due_ms = fr_loop_now_ms(loop) + (delay_ms > 0 ? delay_ms : 0);
    t->is_armed = true;
    loop->ops->timer_start(loop, t);
}

void fr_timer_stop(struct fr_timer *t)
{
    if (!t->is_armed) return;
    t->loop->ops->timer_stop(t->loop, t);
    t->is_armed = false;
}

void fr_loop_defer(struct fr_loop *loop, struct fr_defer *d)
{
    if (d->is_queued) return;

    bool was_empty = !fr_loop_has_deferred(loop);

    d->prev = loop->deferred.prev;
    d->next = &loop->deferred;
    d->prev->next = d;
    d->next->prev = d;
    d->is_queued = true;
    if (loop->ops->wake_deferred)
        loop->ops->wake_deferred(loop);
    else if (was_empty)
        fr_timer_start(loop, &loop->deferred_timer, 0);
}

void fr_defer_cancel(struct fr_defer *d)
{
    if (d->is_queued) unlink_defer(d);
}

static struct fr_post *take_posted(struct fr_loop *loop)
{
    struct fr_post *newest, *oldest = NULL;

    pthread_mutex_lock(&loop->post_lock);
    newest = loop->posted;
    loop->posted = NULL;
    pthread_mutex_unlock(&loop->post_lock);

    while (newest) {
        struct fr_post *next = newest->next;

        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    return oldest;
}

static void on_post_watch(struct fr_watch *w, unsigned events)
{
    uint64_t count;

    (void)events;
    (void)!read(w->fd, &count,
                sizeof count); /* EAGAIN: an earlier turn took the messages already */
    for (struct fr_post *p = take_posted(w->data); p;) {
        struct fr_post *next = p->next;

        p->fn(p);
        p = next;
    }
}

enum fr_err fr_loop_enable_posts(struct fr_loop *loop)
{
    if (loop->post_watch.fd >= 0) return FR_OK;

    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0) return fr_err_from_errno(errno);
    fr_watch_init(&loop->post_watch, fd, on_post_watch, loop);

    enum fr_err err = fr_watch_start(loop, &loop->post_watch, FR_LOOP_READ);
    if (err) {
        close(fd);
        loop->post_watch.fd = -1;
    }
    return err;
}

void fr_loop_post(struct fr_loop *loop, struct fr_post *p, fr_post_fn fn, void *data)
{
    const uint64_t one = 1;
    bool was_empty;

    p->fn = fn;
    p->data = data;
    pthread_mutex_lock(&loop->post_lock);
    was_empty = loop->posted == NULL;
    p->next = loop->posted;
    loop->posted = p;
    pthread_mutex_unlock(&loop->post_lock);
    if (was_empty)
        (void)!write(loop->post_watch.fd, &one, sizeof one); /* full counter: it wakes anyway */
}
