#include "resolver/own_loop.h"

#include "base/mem.h"
#include "resolver/host_loop.h"
#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { READY_MAX = 256 }; /* descriptors served before the caller has its turn */

struct fr_own_loop {
    struct fr_loop *loop;
    const struct fr_clock *clock;
    int epoll_fd, wake_fd;
    int64_t due_ms; /* -1: nothing armed */
};

static int watch(void *data, int fd, unsigned events)
{
    const struct fr_own_loop *o = data;
    struct epoll_event e = {.data.fd = fd};
    if (events == 0) {
        (void)epoll_ctl(o->epoll_fd, EPOLL_CTL_DEL, fd, NULL); /* it is closed next in any case */
        return 0;
    }
    if (events & FEDROAM_READ) e.events |= EPOLLIN;
    if (events & FEDROAM_WRITE) e.events |= EPOLLOUT;
    if (epoll_ctl(o->epoll_fd, EPOLL_CTL_MOD, fd, &e) == 0) return 0;
    return errno == ENOENT ? epoll_ctl(o->epoll_fd, EPOLL_CTL_ADD, fd, &e) : -1;
}

static void arm(void *data, int64_t delay_ms)
{
    struct fr_own_loop *o = data;
    o->due_ms = delay_ms < 0 ? -1 : fr_clock_mono_ms(o->clock) + delay_ms;
}

enum fr_err fr_own_loop_new(const struct fr_clock *clock, struct fr_own_loop **out)
{
    static const struct fedroam_host host = {.size = sizeof host, .watch = watch, .timer = arm};
    struct fr_own_loop *o = fr_calloc(1, sizeof *o);
    if (!o) return FR_E_NOMEM;
    o->clock = clock;
    o->due_ms = -1;
    o->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    o->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    enum fr_err err = o->epoll_fd < 0 || o->wake_fd < 0 ? FR_E_IO : FR_OK;
    if (!err && watch(o, o->wake_fd, FEDROAM_READ) != 0) err = FR_E_IO;
    if (!err) err = fr_host_loop_new(&host, o, clock, &o->loop);
    if (err) {
        fr_own_loop_free(o);
        return err;
    }
    *out = o;
    return FR_OK;
}

void fr_own_loop_free(struct fr_own_loop *o)
{
    if (!o) return;
    fr_host_loop_free(o->loop);
    if (o->epoll_fd >= 0) close(o->epoll_fd);
    if (o->wake_fd >= 0) close(o->wake_fd);
    fr_free(o);
}

struct fr_loop *fr_own_loop(struct fr_own_loop *o)
{
    return o->loop;
}

int fr_own_loop_fd(const struct fr_own_loop *o)
{
    return o->epoll_fd;
}

int64_t fr_own_loop_wait_ms(const struct fr_own_loop *o)
{
    if (o->due_ms < 0) return -1;
    int64_t left_ms = o->due_ms - fr_clock_mono_ms(o->clock);
    return left_ms > 0 ? left_ms : 0;
}

void fr_own_loop_process(struct fr_own_loop *o)
{
    struct epoll_event e;
    /* One at a time: what is done for a descriptor may close another and give its number to a third,
     * and an event fetched before would be taken for that one's. The kernel takes turns. */
    for (int i = 0; i < READY_MAX && epoll_wait(o->epoll_fd, &e, 1, 0) == 1; i++) {
        unsigned events = 0;
        uint64_t n;
        if (e.data.fd == o->wake_fd) {
            (void)!read(o->wake_fd, &n, sizeof n); /* it did its work by being readable */
            continue;
        }
        if (e.events & (EPOLLIN | EPOLLHUP | EPOLLERR)) events |= FEDROAM_READ;
        if (e.events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) events |= FEDROAM_WRITE;
        fr_host_loop_fd(o->loop, e.data.fd, events);
    }
    if (fr_own_loop_wait_ms(o) != 0) return;
    o->due_ms = -1; /* it fires once */
    fr_host_loop_timer(o->loop);
}

void fr_own_loop_wake(struct fr_own_loop *o)
{
    const uint64_t one = 1;
    (void)!write(o->wake_fd, &one, sizeof one); /* full: it is readable already */
}
