#include "transport/loop_poll.h"

#include <poll.h>
#include <string.h>

#include "base/mem.h"

/* Watches and timers in plain arrays. A watch remembers its place in priv; stopping during dispatch leaves a hole (NULL) that
 * the end of the turn closes, so no callback runs for a watch that was stopped in the same turn. */
struct fr_loop_poll {
    struct fr_loop base;
    const struct fr_clock *clock;
    struct fr_watch **watches;
    struct pollfd *fds;
    size_t n_watches, cap_watches;
    struct fr_timer *timers; /* unsorted list, linked through priv */
    bool has_holes;
};

struct watch_priv {
    size_t at;
};

struct timer_priv {
    struct fr_timer *prev, *next;
};

_Static_assert(sizeof(struct timer_priv) <= FR_LOOP_PRIV, "priv too small");

static struct watch_priv *watch_priv(struct fr_watch *w)
{
    return (struct watch_priv *)w->priv;
}

static struct timer_priv *timer_priv(struct fr_timer *t)
{
    return (struct timer_priv *)t->priv;
}

static enum fr_err grow(struct fr_loop_poll *p)
{
    size_t cap = p->cap_watches ? p->cap_watches * 2 : 8;
    struct fr_watch **watches = fr_reallocarray(p->watches, cap, sizeof *watches);

    if (!watches) return FR_E_NOMEM;
    p->watches = watches;

    struct pollfd *fds = fr_reallocarray(p->fds, cap, sizeof *fds);
    if (!fds) return FR_E_NOMEM;
    p->fds = fds;
    p->cap_watches = cap;
    return FR_OK;
}

static short poll_events(unsigned want)
{
    int events = 0;

    if (want & FR_LOOP_READ) events |= POLLIN;
    if (want & FR_LOOP_WRITE) events |= POLLOUT;
    return (short)events;
}

static enum fr_err poll_watch(struct fr_loop *loop, struct fr_watch *w, unsigned want)
{
    struct fr_loop_poll *p = (struct fr_loop_poll *)loop;

    if (want == 0) {
        size_t at = watch_priv(w)->at;

        p->watches[at] = NULL;
        p->fds[at] = (struct pollfd){.fd = -1};
        p->has_holes = true;
        return FR_OK;
    }
    if (w->want == 0) {
        if (p->n_watches == p->cap_watches) {
            enum fr_err err = grow(p);
            if (err) return err;
        }
        watch_priv(w)->at = p->n_watches;
        p->watches[p->n_watches] = w;
        p->fds[p->n_watches] = (struct pollfd){.fd = w->fd};
        p->n_watches++;
    }
    p->fds[watch_priv(w)->at].events = poll_events(want);
    return FR_OK;
}

static void poll_timer_start(struct fr_loop *loop, struct fr_timer *t)
{
    struct fr_loop_poll *p = (struct fr_loop_poll *)loop;

    *timer_priv(t) = (struct timer_priv){.next = p->timers};
    if (p->timers) timer_priv(p->timers)->prev = t;
    p->timers = t;
}

static void poll_timer_stop(struct fr_loop *loop, struct fr_timer *t)
{
    struct fr_loop_poll *p = (struct fr_loop_poll *)loop;
    struct timer_priv *link = timer_priv(t);

    if (link->prev)
        timer_priv(link->prev)->next = link->next;
    else
        p->timers = link->next;
    if (link->next) timer_priv(link->next)->prev = link->prev;
}

static int64_t poll_now_ms(struct fr_loop *loop)
{
    return fr_clock_mono_ms(((struct fr_loop_poll *)loop)->clock);
}

static int64_t poll_real_s(struct fr_loop *loop)
{
    return fr_clock_real_s(((struct fr_loop_poll *)loop)->clock);
}

static void poll_wake_deferred(struct fr_loop *loop)
{
    (void)loop; /* every turn looks at the list */
}

static const struct fr_loop_ops poll_ops = {
    .watch = poll_watch,
    .timer_start = poll_timer_start,
    .timer_stop = poll_timer_stop,
    .wake_deferred = poll_wake_deferred,
    .now_ms = poll_now_ms,
    .real_s = poll_real_s,
};

enum fr_err fr_loop_poll_new(const struct fr_clock *clock, struct fr_loop **out)
{
    struct fr_loop_poll *p = fr_calloc(1, sizeof *p);

    if (!p) return FR_E_NOMEM;
    p->clock = clock ? clock : fr_clock_system();
    fr_loop_init(&p->base, &poll_ops);
    *out = &p->base;
    return FR_OK;
}

void fr_loop_poll_free(struct fr_loop *loop)
{
    if (!loop) return;

    struct fr_loop_poll *p = (struct fr_loop_poll *)loop;

    fr_loop_deinit(loop);
    fr_free(p->watches);
    fr_free(p->fds);
    fr_free(p);
}

/* The timer due first; NULL: none. */
static struct fr_timer *first_timer(struct fr_loop_poll *p)
{
    struct fr_timer *first = NULL;

    for (struct fr_timer *t = p->timers; t; t = timer_priv(t)->next)
        if (!first || t->due_ms < first->due_ms) first = t;
    return first;
}

static int wait_ms(struct fr_loop_poll *p, int max_wait_ms)
{
    struct fr_timer *first = first_timer(p);

    if (fr_loop_has_deferred(&p->base)) return 0;
    if (!first) return max_wait_ms;

    int64_t left = first->due_ms - poll_now_ms(&p->base);
    if (left <= 0) return 0;
    return left < max_wait_ms ? (int)left : max_wait_ms;
}

/* Timers due at the start of the turn; those that they arm wait for the next. */
static bool run_timers(struct fr_loop_poll *p)
{
    int64_t now = poll_now_ms(&p->base);
    bool has_run = false;

    for (size_t guard = 0; guard < 1024; guard++) {
        struct fr_timer *t = first_timer(p);

        if (!t || t->due_ms > now) break;
        fr_timer_stop(t);
        t->fn(t);
        has_run = true;
    }
    return has_run;
}

static bool run_watches(struct fr_loop_poll *p, size_t n)
{
    bool has_run = false;

    for (size_t i = 0; i < n; i++) {
        struct fr_watch *w = p->watches[i];
        unsigned events = 0;

        if (!w || p->fds[i].revents == 0) continue;
        if (p->fds[i].revents & (POLLIN | POLLHUP | POLLERR)) events |= FR_LOOP_READ;
        if (p->fds[i].revents & (POLLOUT | POLLHUP | POLLERR)) events |= FR_LOOP_WRITE;
        events &= w->want;
        if (!events) continue;
        w->fn(w, events);
        has_run = true;
    }
    return has_run;
}

static void close_holes(struct fr_loop_poll *p)
{
    size_t kept = 0;

    for (size_t i = 0; i < p->n_watches; i++) {
        if (!p->watches[i]) continue;
        p->watches[kept] = p->watches[i];
        p->fds[kept] = p->fds[i];
        watch_priv(p->watches[kept])->at = kept;
        kept++;
    }
    p->n_watches = kept;
    p->has_holes = false;
}

bool fr_loop_poll_turn(struct fr_loop *loop, int max_wait_ms)
{
    struct fr_loop_poll *p = (struct fr_loop_poll *)loop;

    if (p->has_holes) close_holes(p);

    size_t n = p->n_watches;
    int ready = poll(p->fds, (nfds_t)n, wait_ms(p, max_wait_ms));
    bool has_run = ready > 0 && run_watches(p, n);

    if (run_timers(p)) has_run = true;
    if (fr_loop_has_deferred(loop)) {
        (void)fr_loop_run_deferred(loop); /* what is left makes the next turn not wait */
        has_run = true;
    }
    return has_run;
}
