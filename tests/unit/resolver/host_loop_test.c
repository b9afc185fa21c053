#include "resolver/host_loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* A host that only writes down what it is told; the descriptors are just numbers. */
struct host {
    int64_t now_ms;
    unsigned events[8]; /* by descriptor */
    bool refuses;
    int64_t delay_ms; /* -1: disarmed */
    unsigned timers;  /* times it was told */
    struct fr_clock clock;
    struct fr_loop *loop;
};

static int on_watch(void *data, int fd, unsigned events)
{
    struct host *h = data;
    if (h->refuses) return -1;
    h->events[fd] = events;
    return 0;
}

static void on_arm(void *data, int64_t delay_ms)
{
    struct host *h = data;
    h->delay_ms = delay_ms;
    h->timers++;
}

static int64_t mono(void *data)
{
    return ((struct host *)data)->now_ms;
}

static void start(struct host *h)
{
    static const struct fedroam_host call_backs = {sizeof call_backs, on_watch, on_arm};
    *h = (struct host){.now_ms = 100, .delay_ms = -1};
    h->clock = (struct fr_clock){mono, mono, h};
    assert_int_equal(fr_host_loop_new(&call_backs, h, &h->clock, &h->loop), FR_OK);
}

struct seen {
    unsigned times, events;
    struct fr_watch *stops;
};

static void on_ready(struct fr_watch *w, unsigned events)
{
    struct seen *s = w->data;
    s->times++;
    s->events = events;
    if (s->stops) fr_watch_stop(s->stops);
}

static void test_watches(void **state)
{
    (void)state;
    struct host h;
    struct seen a = {0}, b = {0};
    struct fr_watch wa, wb;
    start(&h);
    fr_watch_init(&wa, 3, on_ready, &a);
    fr_watch_init(&wb, 3, on_ready, &b);
    assert_int_equal(fr_watch_start(h.loop, &wa, FR_LOOP_READ), FR_OK);
    assert_int_equal(h.events[3], FEDROAM_READ);
    assert_int_equal(fr_watch_start(h.loop, &wb, FR_LOOP_WRITE), FR_OK); /* the same descriptor */
    assert_int_equal(h.events[3], FEDROAM_READ | FEDROAM_WRITE);
    fr_host_loop_fd(h.loop, 3, FEDROAM_READ);
    assert_int_equal(a.times, 1);
    assert_int_equal(b.times, 0);
    fr_host_loop_fd(h.loop, 3, FEDROAM_READ | FEDROAM_WRITE);
    assert_int_equal(a.events, FR_LOOP_READ); /* only what it asked for */
    assert_int_equal(b.times, 1);
    fr_host_loop_fd(h.loop, 4, FEDROAM_READ); /* nobody's */
    assert_int_equal(a.times, 2);
    fr_watch_stop(&wa);
    assert_int_equal(h.events[3], FEDROAM_WRITE);
    fr_watch_stop(&wb);
    assert_int_equal(h.events[3], 0);
    fr_host_loop_fd(h.loop, 3, FEDROAM_READ); /* a late event */
    assert_int_equal(a.times, 2);
    fr_host_loop_free(h.loop);
}

static void test_a_watch_stopped_meanwhile_is_not_called(void **state)
{
    (void)state;
    for (int order = 0; order < 2; order++) {
        struct host h;
        struct seen a = {0}, b = {0};
        struct fr_watch wa, wb;
        start(&h);
        fr_watch_init(&wa, 3, on_ready, &a);
        fr_watch_init(&wb, 3, on_ready, &b);
        assert_int_equal(fr_watch_start(h.loop, order ? &wb : &wa, FR_LOOP_READ), FR_OK);
        assert_int_equal(fr_watch_start(h.loop, order ? &wa : &wb, FR_LOOP_READ), FR_OK);
        a.stops = &wb;
        b.stops = &wa;
        fr_host_loop_fd(h.loop, 3, FEDROAM_READ);
        assert_int_equal(a.times + b.times, 1); /* whoever came first stopped the other */
        fr_watch_stop(&wa);
        fr_watch_stop(&wb);
        fr_host_loop_free(h.loop);
    }
}

static void test_a_host_that_cannot_watch(void **state)
{
    (void)state;
    struct host h;
    struct seen a = {0};
    struct fr_watch w;
    start(&h);
    h.refuses = true;
    fr_watch_init(&w, 3, on_ready, &a);
    assert_int_equal(fr_watch_start(h.loop, &w, FR_LOOP_READ), FR_E_IO);
    h.refuses = false;
    fr_host_loop_fd(h.loop, 3, FEDROAM_READ);
    assert_int_equal(a.times, 0);
    fr_host_loop_free(h.loop);
}

static void on_due(struct fr_timer *t)
{
    unsigned *n = t->data;
    ++*n;
}

static void test_timers(void **state)
{
    (void)state;
    struct host h;
    struct fr_timer a, b, c;
    unsigned na = 0, nb = 0, nc = 0;
    start(&h);
    fr_timer_init(&a, on_due, &na);
    fr_timer_init(&b, on_due, &nb);
    fr_timer_init(&c, on_due, &nc);
    fr_timer_start(h.loop, &b, 50);
    assert_int_equal(h.delay_ms, 50);
    fr_timer_start(h.loop, &a, 20); /* earlier: the host is told */
    assert_int_equal(h.delay_ms, 20);
    unsigned told = h.timers;
    fr_timer_start(h.loop, &c, 90); /* later: it is not */
    assert_int_equal(h.timers, told);
    h.now_ms += 10;
    fr_host_loop_timer(h.loop); /* too early */
    assert_int_equal(na, 0);
    assert_int_equal(h.delay_ms, 10);
    h.now_ms += 45;
    fr_host_loop_timer(h.loop);
    assert_int_equal(na, 1);
    assert_int_equal(nb, 1);
    assert_int_equal(nc, 0);
    assert_int_equal(h.delay_ms, 35);
    fr_timer_stop(&c);
    assert_int_equal(h.delay_ms, -1);
    fr_host_loop_free(h.loop);
}

struct work {
    struct fr_defer defer;
    struct fr_loop *loop;
    unsigned runs;
};

static void on_work(struct fr_defer *d)
{
    struct work *w = d->data;
    if (++w->runs < 3) fr_loop_defer(w->loop, d);
}

static void test_deferred_work_wakes_the_host(void **state)
{
    (void)state;
    struct host h;
    start(&h);
    struct work w = {.loop = h.loop};
    fr_defer_init(&w.defer, on_work, &w);
    fr_loop_defer(h.loop, &w.defer);
    assert_int_equal(h.delay_ms, 0);
    for (unsigned i = 1; i <= 3; i++) {
        h.delay_ms = -1; /* it fired */
        fr_host_loop_timer(h.loop);
        assert_int_equal(w.runs, i);
        assert_int_equal(h.delay_ms, i < 3 ? 0 : -1);
    }
    unsigned told = h.timers;
    fr_host_loop_timer(h.loop);
    assert_int_equal(h.timers, told); /* nothing to tell */
    assert_int_equal(w.runs, 3);
    fr_host_loop_free(h.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_watches),
        cmocka_unit_test(test_a_watch_stopped_meanwhile_is_not_called),
        cmocka_unit_test(test_a_host_that_cannot_watch),
        cmocka_unit_test(test_timers),
        cmocka_unit_test(test_deferred_work_wakes_the_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
