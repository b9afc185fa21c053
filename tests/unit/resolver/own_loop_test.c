#include "resolver/own_loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

static int64_t now_ms;

static int64_t mono(void *data)
{
    (void)data;
    return now_ms;
}

static const struct fr_clock CLOCK = {.mono_ms = mono, .real_ms = mono};

static struct fr_own_loop *own_loop(void)
{
    struct fr_own_loop *o = NULL;
    now_ms = 1000;
    assert_int_equal(fr_own_loop_new(&CLOCK, &o), FR_OK);
    return o;
}

static bool is_readable(const struct fr_own_loop *o)
{
    struct pollfd fd = {.fd = fr_own_loop_fd(o), .events = POLLIN};
    return poll(&fd, 1, 0) == 1;
}

static void on_timer(struct fr_timer *t)
{
    (*(int *)t->data)++;
}

static void on_defer(struct fr_defer *d)
{
    (*(int *)d->data)++;
}

static void test_times(void **state)
{
    (void)state;
    struct fr_own_loop *o = own_loop();
    struct fr_timer t[3];
    struct fr_defer d;
    int fired = 0, deferred = 0;
    assert_int_equal(fr_own_loop_wait_ms(o), -1);
    static const int64_t delays[] = {50, 20, 90};
    for (int i = 0; i < 3; i++) {
        fr_timer_init(&t[i], on_timer, &fired);
        fr_timer_start(fr_own_loop(o), &t[i], delays[i]);
    }
    assert_int_equal(fr_own_loop_wait_ms(o), 20);
    now_ms += 20;
    assert_int_equal(fr_own_loop_wait_ms(o), 0);
    fr_own_loop_process(o);
    assert_int_equal(fired, 1);
    assert_int_equal(fr_own_loop_wait_ms(o), 30);
    fr_timer_stop(&t[2]);
    now_ms += 100;
    fr_own_loop_process(o);
    assert_int_equal(fired, 2);
    assert_int_equal(fr_own_loop_wait_ms(o), -1);
    fr_defer_init(&d, on_defer, &deferred);
    fr_loop_defer(fr_own_loop(o), &d);
    assert_int_equal(fr_own_loop_wait_ms(o), 0);
    fr_own_loop_process(o);
    assert_int_equal(deferred, 1);
    fr_own_loop_free(o);
}

struct side {
    struct fr_watch watch;
    unsigned seen;
};

static void on_watch(struct fr_watch *w, unsigned events)
{
    char byte;
    ((struct side *)w->data)->seen |= events;
    if (events & FR_LOOP_READ) (void)!read(w->fd, &byte, 1);
    if (events & FR_LOOP_WRITE) assert_int_equal(fr_watch_start(w->loop, w, FR_LOOP_READ), FR_OK);
}

static void test_descriptors(void **state)
{
    (void)state;
    struct fr_own_loop *o = own_loop();
    struct side s = {0};
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    fr_watch_init(&s.watch, pair[0], on_watch, &s);
    assert_int_equal(fr_watch_start(fr_own_loop(o), &s.watch, FR_LOOP_READ | FR_LOOP_WRITE), FR_OK);
    assert_true(is_readable(o));
    fr_own_loop_process(o);
    assert_int_equal(s.seen, FR_LOOP_WRITE);
    assert_false(is_readable(o));
    assert_int_equal(write(pair[1], "x", 1), 1);
    assert_true(is_readable(o));
    fr_own_loop_process(o);
    assert_int_equal(s.seen, FR_LOOP_READ | FR_LOOP_WRITE);
    assert_false(is_readable(o));
    fr_watch_stop(&s.watch);
    assert_int_equal(write(pair[1], "x", 1), 1);
    assert_false(is_readable(o));
    close(pair[0]);
    close(pair[1]);
    fr_own_loop_free(o);
}

static void test_a_wake(void **state)
{
    (void)state;
    struct fr_own_loop *o = own_loop();
    assert_false(is_readable(o));
    fr_own_loop_wake(o);
    fr_own_loop_wake(o);
    assert_true(is_readable(o));
    fr_own_loop_process(o);
    assert_false(is_readable(o));
    fr_own_loop_free(o);
    fr_own_loop_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_descriptors),
        cmocka_unit_test(test_a_wake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
