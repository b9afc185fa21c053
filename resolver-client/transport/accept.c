#include "transport/accept.h"

#include <unistd.h>

#include "transport/socket.h"

#define ACCEPTS_PER_TURN 64
#define PAUSE_MS 100

static void on_acceptable(struct fr_watch *w, unsigned events)
{
    struct fr_accept *a = w->data;

    (void)events;
    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        struct fr_addr peer;
        int fd = -1;
        enum fr_err err = fr_socket_accept(w->fd, &fd, &peer);

        if (err == FR_E_LIMIT) {
            struct fr_loop *loop = w->loop;
            fr_watch_stop(w);
            fr_timer_start(loop, &a->pause, PAUSE_MS);
        }
        if (err || fd < 0) return;
        a->accepted(a->data, fd, &peer);
    }
}

static void on_pause_end(struct fr_timer *t)
{
    struct fr_accept *a = t->data;

    if (fr_watch_start(t->loop, &a->watch, FR_LOOP_READ)) fr_timer_start(t->loop, t, PAUSE_MS);
}

void fr_accept_init(struct fr_accept *a, fr_accepted_fn accepted, void *data)
{
    a->accepted = accepted;
    a->data = data;
    fr_watch_init(&a->watch, -1, on_acceptable, a);
    fr_timer_init(&a->pause, on_pause_end, a);
}

enum fr_err fr_accept_start(struct fr_accept *a, struct fr_loop *loop, int fd)
{
    fr_watch_init(&a->watch, fd, on_acceptable, a);
    enum fr_err err = fr_watch_start(loop, &a->watch, FR_LOOP_READ);
    if (err) fr_accept_close(a);
    return err;
}

void fr_accept_close(struct fr_accept *a)
{
    fr_watch_stop(&a->watch);
    fr_timer_stop(&a->pause);
    if (a->watch.fd >= 0) (void)close(a->watch.fd);
    a->watch.fd = -1;
}
