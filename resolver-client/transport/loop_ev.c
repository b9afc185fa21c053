#include "transport/loop_ev.h"

#include <ev.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

/* How many batches of deferred work run before the descriptors get their turn again. */
#define DEFER_ROUNDS 4

struct fr_loop_ev {
    struct fr_loop base;
    struct ev_loop *ev;
    bool is_ours;
    int64_t now_ms;     /* of this turn, when is_ours */
    ev_check check;     /* looks at the clock, first thing in a turn */
    ev_prepare prepare; /* runs what was deferred, before libev sleeps */
    ev_idle idle;       /* keeps libev from sleeping while some is left */
};

struct fr_ev_signal {
    struct fr_loop_ev *loop;
    ev_signal ev;
    fr_signal_fn fn;
    void *data;
};

_Static_assert(sizeof(ev_io) <= FR_LOOP_PRIV && sizeof(ev_timer) <= FR_LOOP_PRIV,
               "FR_LOOP_PRIV is too small for libev's watchers");

static struct ev_loop *ev_of(struct fr_loop *loop)
{
    return ((struct fr_loop_ev *)loop)->ev;
}

static int ev_events(unsigned want)
{
    return (want & FR_LOOP_READ ? EV_READ : 0) | (want & FR_LOOP_WRITE ? EV_WRITE : 0);
}

static void on_io(struct ev_loop *ev, ev_io *io, int revents)
{
    struct fr_watch *w = io->data;
    unsigned events = 0;

    (void)ev;
    if (revents & (EV_READ | EV_ERROR)) events |= FR_LOOP_READ;
    if (revents & (EV_WRITE | EV_ERROR)) events |= FR_LOOP_WRITE;
    events &= w->want;
    if (events) w->fn(w, events);
}

static enum fr_err ev_watch(struct fr_loop *loop, struct fr_watch *w, unsigned want)
{
    ev_io *io = (ev_io *)w->priv;

    if (w->want != 0) ev_io_stop(ev_of(loop), io);
    if (want == 0) return FR_OK;
    ev_io_init(io, on_io, w->fd, ev_events(want));
    io->data = w;
    ev_io_start(ev_of(loop), io);
    return FR_OK;
}

static void on_timer(struct ev_loop *ev, ev_timer *timer, int revents)
{
    struct fr_timer *t = timer->data;

    (void)ev;
    (void)revents;
    t->is_armed = false;
    t->fn(t);
}

static void read_clock(struct fr_loop_ev *l)
{
    l->now_ms = fr_clock_mono_ms(fr_clock_system());
}

static int64_t ev_mono_ms(struct fr_loop *loop)
{
    struct fr_loop_ev *l = (struct fr_loop_ev *)loop;

    /* Of a host's loop we do not know what ran before us in this turn; outside ev_run() there is no turn. */
    if (!l->is_ours || ev_depth(l->ev) == 0) read_clock(l);
    return l->now_ms;
}

static void on_check(struct ev_loop *ev, ev_check *check, int revents)
{
    (void)ev;
    (void)revents;
    read_clock(check->data);
}

static void ev_timer_arm(struct fr_loop *loop, struct fr_timer *t)
{
    ev_timer *timer = (ev_timer *)t->priv;
    ev_tstamp after = (ev_tstamp)(t->due_ms - ev_mono_ms(loop)) / 1e3;

    /* libev counts from the start of its turn, which may lie behind us by as long as this turn took. */
    after += ev_time() - ev_now(ev_of(loop));
    ev_timer_init(timer, on_timer, after > 0. ? after : 0., 0.);
    timer->data = t;
    ev_timer_start(ev_of(loop), timer);
}

static void ev_timer_disarm(struct fr_loop *loop, struct fr_timer *t)
{
    ev_timer_stop(ev_of(loop), (ev_timer *)t->priv);
}

static void ev_wake_deferred(struct fr_loop *loop)
{
    (void)loop; /* prepare looks at the list before every sleep */
}

static int64_t ev_real_s(struct fr_loop *loop)
{
    return (int64_t)ev_now(ev_of(loop));
}

static const struct fr_loop_ops ev_ops = {
    .watch = ev_watch,
    .timer_start = ev_timer_arm,
    .timer_stop = ev_timer_disarm,
    .wake_deferred = ev_wake_deferred,
    .now_ms = ev_mono_ms,
    .real_s = ev_real_s,
};

static void on_prepare(struct ev_loop *ev, ev_prepare *prepare, int revents)
{
    struct fr_loop_ev *l = prepare->data;

    (void)revents;
    read_clock(l);
    for (int i = 0; i < DEFER_ROUNDS && fr_loop_has_deferred(&l->base); i++)
        (void)fr_loop_run_deferred(&l->base); /* asked again below */
    if (fr_loop_has_deferred(&l->base))
        ev_idle_start(ev, &l->idle);
    else
        ev_idle_stop(ev, &l->idle);
}

static void on_idle(struct ev_loop *ev, ev_idle *idle, int revents)
{
    (void)ev;
    (void)idle;
    (void)revents; /* only its presence matters */
}

static enum fr_err attach(struct ev_loop *ev, bool is_ours, struct fr_loop **out)
{
    struct fr_loop_ev *l = fr_calloc(1, sizeof *l);

    if (!l) return FR_E_NOMEM;
    fr_loop_init(&l->base, &ev_ops);
    l->ev = ev;
    l->is_ours = is_ours;
    ev_prepare_init(&l->prepare, on_prepare);
    l->prepare.data = l;
    ev_idle_init(&l->idle, on_idle);
    ev_prepare_start(ev, &l->prepare);
    ev_check_init(&l->check, on_check);
    ev_set_priority(&l->check, EV_MAXPRI);
    l->check.data = l;
    if (is_ours)
        ev_check_start(ev, &l->check);
    else
        ev_unref(ev); /* a host's loop ends when the host has nothing left */
    *out = &l->base;
    return FR_OK;
}

enum fr_err fr_loop_ev_new(struct fr_loop **out)
{
    struct ev_loop *ev = ev_loop_new(EVFLAG_NOENV);

    if (!ev) return FR_E_NOMEM;

    enum fr_err err = attach(ev, true, out);
    if (err) ev_loop_destroy(ev);
    return err;
}

enum fr_err fr_loop_ev_attach(struct ev_loop *host, struct fr_loop **out)
{
    return attach(host, false, out);
}

void fr_loop_ev_free(struct fr_loop *loop)
{
    if (!loop) return;

    struct fr_loop_ev *l = (struct fr_loop_ev *)loop;

    fr_loop_deinit(loop);
    ev_idle_stop(l->ev, &l->idle);
    ev_check_stop(l->ev, &l->check);
    if (!l->is_ours) ev_ref(l->ev);
    ev_prepare_stop(l->ev, &l->prepare);
    if (l->is_ours) ev_loop_destroy(l->ev);
    fr_free(l);
}

void fr_loop_ev_run(struct fr_loop *loop)
{
    ev_run(ev_of(loop), 0);
}

void fr_loop_ev_stop(struct fr_loop *loop)
{
    ev_break(ev_of(loop), EVBREAK_ALL);
}

static void on_signal(struct ev_loop *ev, ev_signal *sig, int revents)
{
    struct fr_ev_signal *s = sig->data;

    (void)ev;
    (void)revents;
    s->fn(s->data, sig->signum);
}

enum fr_err fr_loop_ev_signal(struct fr_loop *loop, int signum, fr_signal_fn fn, void *data,
                              struct fr_ev_signal **out)
{
    struct fr_ev_signal *s = fr_calloc(1, sizeof *s);

    if (!s) return FR_E_NOMEM;
    s->loop = (struct fr_loop_ev *)loop;
    s->fn = fn;
    s->data = data;
    ev_signal_init(&s->ev, on_signal, signum);
    s->ev.data = s;
    ev_signal_start(s->loop->ev, &s->ev);
    *out = s;
    return FR_OK;
}

void fr_loop_ev_signal_free(struct fr_ev_signal *s)
{
    if (!s) return;
    ev_signal_stop(s->loop->ev, &s->ev);
    fr_free(s);
}
