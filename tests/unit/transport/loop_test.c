#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/unit.h"
#include "transport/loop_ev.h"
#include "transport/loop_poll.h"

/* Both loops keep the same promises: every test runs on each. */

struct maker {
    const char *name;
    enum fr_err (*make)(struct fr_loop **out);
    void (*turn)(struct fr_loop *loop, const bool *until);
    void (*free)(struct fr_loop *loop);
};

static enum fr_err make_poll(struct fr_loop **out)
{
    return fr_loop_poll_new(NULL, out);
}

static void turn_poll(struct fr_loop *loop, const bool *until)
{
    for (int i = 0; i < 500 && !*until; i++) (void)fr_loop_poll_turn(loop, 10);
}

struct stopper {
    struct fr_timer timer;
    const bool *until;
    int left;
};

static void on_stopper(struct fr_timer *t)
{
    struct stopper *s = t->data;

    if (*s->until || --s->left == 0)
        fr_loop_ev_stop(t->loop);
    else
        fr_timer_start(t->loop, t, 2);
}

static void turn_ev(struct fr_loop *loop, const bool *until)
{
    struct stopper s = {.until = until, .left = 1000};

    fr_timer_init(&s.timer, on_stopper, &s);
    fr_timer_start(loop, &s.timer, 1);
    fr_loop_ev_run(loop);
    fr_timer_stop(&s.timer);
}

static const struct maker LOOPS[] = {
    {"poll", make_poll, turn_poll, fr_loop_poll_free},
    {"ev", fr_loop_ev_new, turn_ev, fr_loop_ev_free},
};

struct seen {
    char order[64];
    size_t n;
    bool is_done;
    struct fr_loop *loop;
    struct fr_timer timers[3];
    struct fr_defer defers[3];
    struct fr_watch watches[2];
    struct fr_post posts[4];
};

static void note(struct seen *s, char c)
{
    if (s->n < sizeof s->order - 1) s->order[s->n++] = c;
}

static void on_timer_letter(struct fr_timer *t)
{
    struct seen *s = t->data;

    note(s, (char)('a' + (t - s->timers)));
    if (t == &s->timers[2]) s->is_done = true;
}

static void timers_fire_in_order_and_only_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(LOOPS); i++) {
        struct seen s = {0};
        struct fr_loop *loop = NULL;

        assert_int_equal(LOOPS[i].make(&loop), FR_OK);
        for (int k = 0; k < 3; k++) fr_timer_init(&s.timers[k], on_timer_letter, &s);
        fr_timer_start(loop, &s.timers[2], 30);
        fr_timer_start(loop, &s.timers[0], 1);
        fr_timer_start(loop, &s.timers[1], 500);
        fr_timer_start(loop, &s.timers[1], 15); /* moved */
        LOOPS[i].turn(loop, &s.is_done);
        CHECK_ROW(LOOPS[i].name, strcmp(s.order, "abc") == 0);
        CHECK_ROW(LOOPS[i].name, !s.timers[0].is_armed && !s.timers[2].is_armed);
        fr_timer_start(loop, &s.timers[0], 1000);
        fr_timer_stop(&s.timers[0]);
        fr_timer_stop(&s.timers[0]);
        LOOPS[i].free(loop);
    }
}

static void on_defer(struct fr_defer *d)
{
    struct seen *s = d->data;

    note(s, (char)('0' + (d - s->defers)));
    if (d == &s->defers[0]) fr_loop_defer(s->loop, &s->defers[2]); /* after those already waiting */
    s->is_done = d == &s->defers[2];
}

static void on_timer_defers(struct fr_timer *t)
{
    struct seen *s = t->data;

    fr_loop_defer(s->loop, &s->defers[0]);
    fr_loop_defer(s->loop, &s->defers[1]);
    fr_loop_defer(s->loop, &s->defers[0]); /* once is enough */
    note(s, 't');
}

static void deferred_work_runs_after_the_turn(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(LOOPS); i++) {
        struct seen s = {0};

        assert_int_equal(LOOPS[i].make(&s.loop), FR_OK);
        for (int k = 0; k < 3; k++) fr_defer_init(&s.defers[k], on_defer, &s);
        fr_timer_init(&s.timers[0], on_timer_defers, &s);
        fr_timer_start(s.loop, &s.timers[0], 1);
        LOOPS[i].turn(s.loop, &s.is_done);
        CHECK_ROW(LOOPS[i].name, strcmp(s.order, "t012") == 0);
        fr_loop_defer(s.loop, &s.defers[0]);
        fr_defer_cancel(&s.defers[0]);
        CHECK_ROW(LOOPS[i].name, !fr_loop_has_deferred(s.loop));
        LOOPS[i].free(s.loop);
    }
}

static void on_pair(struct fr_watch *w, unsigned events)
{
    struct seen *s = w->data;

    note(s, events & FR_LOOP_READ ? 'r' : 'w');
    fr_watch_stop(&s->watches[0]);
    fr_watch_stop(&s->watches[1]);
    s->is_done = true;
}

static void a_stopped_watch_is_silent_even_in_the_same_turn(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(LOOPS); i++) {
        struct seen s = {0};
        int fds[2];

        assert_int_equal(LOOPS[i].make(&s.loop), FR_OK);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
        for (int k = 0; k < 2; k++) {
            fr_watch_init(&s.watches[k], fds[k], on_pair, &s);
            assert_int_equal(write(fds[k], "x", 1), 1);
            assert_int_equal(fr_watch_start(s.loop, &s.watches[k], FR_LOOP_READ), FR_OK);
        }
        LOOPS[i].turn(s.loop, &s.is_done);
        CHECK_ROW(LOOPS[i].name, strcmp(s.order, "r") == 0);
        close(fds[0]);
        close(fds[1]);
        LOOPS[i].free(s.loop);
    }
}

static void on_post(struct fr_post *p)
{
    struct seen *s = p->data;

    note(s, (char)('0' + (p - s->posts)));
    s->is_done = p == &s->posts[3];
}

static void *poster(void *data)
{
    struct seen *s = data;

    for (int i = 0; i < 4; i++) fr_loop_post(s->loop, &s->posts[i], on_post, s);
    return NULL;
}

static void posts_of_another_thread_arrive_in_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(LOOPS); i++) {
        struct seen s = {0};
        pthread_t thread;

        assert_int_equal(LOOPS[i].make(&s.loop), FR_OK);
        assert_int_equal(fr_loop_enable_posts(s.loop), FR_OK);
        assert_int_equal(pthread_create(&thread, NULL, poster, &s), 0);
        LOOPS[i].turn(s.loop, &s.is_done);
        pthread_join(thread, NULL);
        CHECK_ROW(LOOPS[i].name, strcmp(s.order, "0123") == 0);
        LOOPS[i].free(s.loop);
    }
}

static void on_signal(void *data, int signum)
{
    struct seen *s = data;

    s->is_done = signum == SIGUSR1;
}

static void signals_arrive_on_the_loop(void **state)
{
    struct seen s = {0};
    struct fr_ev_signal *sig = NULL;

    (void)state;
    assert_int_equal(fr_loop_ev_new(&s.loop), FR_OK);
    assert_int_equal(fr_loop_ev_signal(s.loop, SIGUSR1, on_signal, &s, &sig), FR_OK);
    raise(SIGUSR1);
    turn_ev(s.loop, &s.is_done);
    assert_true(s.is_done);
    fr_loop_ev_signal_free(sig);
    fr_loop_ev_free(s.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_fire_in_order_and_only_once),
        cmocka_unit_test(deferred_work_runs_after_the_turn),
        cmocka_unit_test(a_stopped_watch_is_silent_even_in_the_same_turn),
        cmocka_unit_test(posts_of_another_thread_arrive_in_order),
        cmocka_unit_test(signals_arrive_on_the_loop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
