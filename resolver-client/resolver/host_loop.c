#include "resolver/host_loop.h"

#include "base/mem.h"

struct host_loop {
    struct fr_loop base;
    struct fedroam_host host;
    void *data;
    const struct fr_clock *clock;
    struct fr_watch *watches;
    struct fr_watch *cursor;              /* next watch to serve in fr_host_loop_fd */
    struct fr_timer *timers, *last_timer; /* by due time */
    int64_t armed_ms;                     /* what the host was told; -1: nothing */
    bool is_serving;                      /* the host is told once, at the end */
};

struct watch_priv {
    struct fr_watch *prev, *next;
};

struct timer_priv {
    struct fr_timer *prev, *next;
};

_Static_assert(sizeof(struct watch_priv) <= FR_LOOP_PRIV, "priv too small");
_Static_assert(sizeof(struct timer_priv) <= FR_LOOP_PRIV, "priv too small");
_Static_assert((int)FR_LOOP_READ == (int)FEDROAM_READ && (int)FR_LOOP_WRITE == (int)FEDROAM_WRITE,
               "the events are passed through");

static struct watch_priv *watch_priv(struct fr_watch *w)
{
    return (struct watch_priv *)w->priv;
}

static struct timer_priv *timer_priv(struct fr_timer *t)
{
    return (struct timer_priv *)t->priv;
}

static int64_t host_now_ms(struct fr_loop *loop)
{
    return fr_clock_mono_ms(((struct host_loop *)loop)->clock);
}

static int64_t host_real_s(struct fr_loop *loop)
{
    return fr_clock_real_s(((struct host_loop *)loop)->clock);
}

static void unlink_watch(struct host_loop *h, struct fr_watch *w)
{
    struct watch_priv *p = watch_priv(w);
    if (h->cursor == w) h->cursor = p->next;
    if (p->prev)
        watch_priv(p->prev)->next = p->next;
    else
        h->watches = p->next;
    if (p->next) watch_priv(p->next)->prev = p->prev;
}

static void link_watch(struct host_loop *h, struct fr_watch *w)
{
    *watch_priv(w) = (struct watch_priv){.next = h->watches};
    if (h->watches) watch_priv(h->watches)->prev = w;
    h->watches = w;
}

static enum fr_err host_watch(struct fr_loop *loop, struct fr_watch *w, unsigned want)
{
    struct host_loop *h = (struct host_loop *)loop;
    unsigned all = want;
    for (struct fr_watch *o = h->watches; o; o = watch_priv(o)->next)
        if (o != w && o->fd == w->fd) all |= o->want;
    if (h->host.watch(h->data, w->fd, all) != 0 && want != 0) return FR_E_IO;
    if (w->want == 0)
        link_watch(h, w);
    else if (want == 0)
        unlink_watch(h, w);
    return FR_OK;
}

/* Tells the host when it is to call next, if that changed. */
static void arm(struct host_loop *h)
{
    if (h->is_serving) return;
    int64_t due_ms = h->timers ? h->timers->due_ms : -1;
    if (fr_loop_has_deferred(&h->base)) due_ms = host_now_ms(&h->base);
    if (due_ms == h->armed_ms) return;
    h->armed_ms = due_ms;
    int64_t delay_ms = due_ms < 0 ? -1 : due_ms - host_now_ms(&h->base);
    h->host.timer(h->data, due_ms >= 0 && delay_ms < 0 ? 0 : delay_ms);
}

static void host_timer_start(struct fr_loop *loop, struct fr_timer *t)
{
    struct host_loop *h = (struct host_loop *)loop;
    struct fr_timer *before =
        h->last_timer; /* most timers are for later than those that are there */
    while (before && before->due_ms > t->due_ms) before = timer_priv(before)->prev;
    struct fr_timer *after = before ? timer_priv(before)->next : h->timers;
    *timer_priv(t) = (struct timer_priv){.prev = before, .next = after};
    if (before)
        timer_priv(before)->next = t;
    else
        h->timers = t;
    if (after)
        timer_priv(after)->prev = t;
    else
        h->last_timer = t;
    arm(h);
}

static void host_timer_stop(struct fr_loop *loop, struct fr_timer *t)
{
    struct host_loop *h = (struct host_loop *)loop;
    struct timer_priv *p = timer_priv(t);
    if (p->prev)
        timer_priv(p->prev)->next = p->next;
    else
        h->timers = p->next;
    if (p->next)
        timer_priv(p->next)->prev = p->prev;
    else
        h->last_timer = p->prev;
    arm(h);
}

static void host_wake_deferred(struct fr_loop *loop)
{
    arm((struct host_loop *)loop);
}

static const struct fr_loop_ops host_ops = {
    .watch = host_watch,
    .timer_start = host_timer_start,
    .timer_stop = host_timer_stop,
    .wake_deferred = host_wake_deferred,
    .now_ms = host_now_ms,
    .real_s = host_real_s,
};

enum fr_err fr_host_loop_new(const struct fedroam_host *host, void *data,
                             const struct fr_clock *clock, struct fr_loop **out)
{
    struct host_loop *h = fr_calloc(1, sizeof *h);
    if (!h) return FR_E_NOMEM;
    h->host = *host;
    h->data = data;
    h->clock = clock;
    h->armed_ms = -1;
    fr_loop_init(&h->base, &host_ops);
    *out = &h->base;
    return FR_OK;
}

void fr_host_loop_free(struct fr_loop *loop)
{
    if (!loop) return;
    struct host_loop *h = (struct host_loop *)loop;
    fr_loop_deinit(loop);
    if (h->armed_ms >= 0) h->host.timer(h->data, -1);
    fr_free(h);
}

static void run_due(struct host_loop *h)
{
    int64_t now_ms = host_now_ms(&h->base);
    while (h->timers && h->timers->due_ms <= now_ms) {
        struct fr_timer *t = h->timers;
        fr_timer_stop(t);
        t->fn(t);
    }
}

/* After every report: deferred work, then the host learns what is next. */
static void end_turn(struct host_loop *h)
{
    (void)fr_loop_run_deferred(&h->base); /* what is left is in arm()'s reckoning */
    h->is_serving = false;
    arm(h);
}

void fr_host_loop_fd(struct fr_loop *loop, int fd, unsigned events)
{
    struct host_loop *h = (struct host_loop *)loop;
    h->is_serving = true;
    for (h->cursor = h->watches; h->cursor;) {
        struct fr_watch *w = h->cursor;
        h->cursor = watch_priv(w)->next;
        if (w->fd == fd && (events & w->want)) w->fn(w, events & w->want);
    }
    end_turn(h);
}

void fr_host_loop_timer(struct fr_loop *loop)
{
    struct host_loop *h = (struct host_loop *)loop;
    h->is_serving = true;
    h->armed_ms = -1; /* the host's timer fired and is gone */
    run_due(h);
    end_turn(h);
}
