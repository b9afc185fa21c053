#include <fedroam/ev.h>

#include "base/mem.h"
#include <ev.h>

/* One ev_io for each descriptor the library watches, and one ev_timer. This file uses the
 * library's public interface alone, as any other host would. */

struct watcher {
    struct ev_io io;
    struct watcher *next;
    struct fedroam_ev *owner;
};

struct fedroam_ev {
    struct ev_loop *loop;
    struct fedroam *handle;
    struct watcher *watchers;
    struct ev_timer timer;
};

static void on_io(struct ev_loop *loop, struct ev_io *io, int revents)
{
    struct watcher *w = io->data;
    unsigned events = 0;
    (void)loop;
    if (revents & EV_READ) events |= FEDROAM_READ;
    if (revents & EV_WRITE) events |= FEDROAM_WRITE;
    fedroam_process_fd(w->owner->handle, io->fd, events);
}

static void on_timer(struct ev_loop *loop, struct ev_timer *timer, int revents)
{
    struct fedroam_ev *ev = timer->data;
    (void)loop;
    (void)revents;
    fedroam_process_timer(ev->handle);
}

static void forget(struct fedroam_ev *ev, struct watcher **at)
{
    struct watcher *w = *at;
    *at = w->next;
    ev_io_stop(ev->loop, &w->io);
    fr_free(w);
}

static int watch(void *data, int fd, unsigned events)
{
    struct fedroam_ev *ev = data;
    struct watcher **at = &ev->watchers;
    int wanted = (events & FEDROAM_READ ? EV_READ : 0) | (events & FEDROAM_WRITE ? EV_WRITE : 0);
    while (*at && (*at)->io.fd != fd) at = &(*at)->next;
    if (wanted == 0) {
        if (*at) forget(ev, at);
        return 0;
    }
    if (!*at) {
        struct watcher *w = fr_calloc(1, sizeof *w);
        if (!w) return -1;
        w->owner = ev;
        ev_init(&w->io, on_io);
        w->io.data = w;
        *at = w;
    }
    ev_io_stop(ev->loop, &(*at)->io);
    ev_io_set(&(*at)->io, fd, wanted);
    ev_io_start(ev->loop, &(*at)->io);
    return 0;
}

static void arm(void *data, int64_t delay_ms)
{
    struct fedroam_ev *ev = data;
    ev_timer_stop(ev->loop, &ev->timer);
    if (delay_ms < 0) return;
    ev_now_update(ev->loop); /* the call may come long after the loop last looked at its clock */
    ev_timer_set(&ev->timer, (double)delay_ms / 1000.0, 0.0);
    ev_timer_start(ev->loop, &ev->timer);
}

enum fedroam_err fedroam_ev_new(struct ev_loop *loop, struct fedroam_options *options,
                                struct fedroam_ev **out)
{
    static const struct fedroam_host host = {.size = sizeof host, .watch = watch, .timer = arm};
    struct fedroam_ev *ev = fr_calloc(1, sizeof *ev);
    if (!ev) return FEDROAM_E_MEMORY;
    ev->loop = loop;
    ev_init(&ev->timer, on_timer);
    ev->timer.data = ev;
    enum fedroam_err err = fedroam_options_set_host(options, &host, ev);
    if (err == FEDROAM_OK) err = fedroam_new(options, &ev->handle);
    if (err != FEDROAM_OK) {
        fr_free(ev);
        return err;
    }
    *out = ev;
    return FEDROAM_OK;
}

struct fedroam *fedroam_ev_handle(struct fedroam_ev *ev)
{
    return ev->handle;
}

void fedroam_ev_free(struct fedroam_ev *ev)
{
    if (!ev) return;
    fedroam_free(ev->handle); /* stops the watches */
    while (ev->watchers) forget(ev, &ev->watchers);
    ev_timer_stop(ev->loop, &ev->timer);
    fr_free(ev);
}
