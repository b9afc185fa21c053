#include "net.h"

#include "resolver/turns.h"
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

/* A handle with a loop of its own, in real time, over scripted brokers: one descriptor, and threads. */

static enum fr_err make(void *data, const struct fr_federation_opt *f, struct fr_loop *loop,
                        struct fr_link **out)
{
    ((struct net *)data)->loop = loop;
    return net_make(data, f, loop, out);
}

static void start(struct net *net, int64_t delay_ms)
{
    struct fedroam_options *o = net_options(2, 1);
    const struct fr_link_maker maker = {make, net};
    *net = (struct net){0};
    for (int i = 0; i < 2; i++) net->brokers[i][0].delay_ms = delay_ms;
    assert_int_equal(fr_resolver_open_own(o, &maker, &net->f), FR_OK);
    fedroam_options_free(o);
}

static void test_one_descriptor(void **state)
{
    (void)state;
    struct net net;
    struct asked a = {.net = &net};
    start(&net, 5);
    assert_true(fedroam_fd(net.f) >= 0);
    assert_int_equal(fedroam_timeout_ms(net.f), -1);
    assert_int_equal(fedroam_lookup_device(net.f, NULL, D1, 5000, on_answer, &a, NULL), 0);
    while (a.ends == 0) {
        struct pollfd fd = {.fd = fedroam_fd(net.f), .events = POLLIN};
        int64_t wait_ms = fedroam_timeout_ms(net.f);
        assert_in_range(wait_ms, 0, 5000);
        (void)poll(&fd, 1, (int)wait_ms);
        fedroam_process(net.f);
    }
    expect(&a, FEDROAM_FOUND, FEDROAM_FRESH);
    done(&a);
    fedroam_free(net.f);
}

static void ask_inside(void *data, const struct fedroam_answer *answer)
{
    struct asked *a = data;
    struct fedroam_answer *other = NULL;
    (void)answer;
    a->ends++;
    /* Looking up is fine, waiting is not. */
    assert_int_equal(fedroam_wait_device(a->net->f, NULL, D2, 0, &other), FEDROAM_E_STATE);
    fedroam_process(a->net->f);
    assert_int_equal(fedroam_lookup_device(a->net->f, NULL, D2, 0, on_answer, a, NULL), 0);
}

static void test_inside_a_call_back(void **state)
{
    (void)state;
    struct net net;
    struct asked a = {.net = &net};
    struct fedroam_answer *answer = NULL;
    start(&net, 1);
    assert_int_equal(fedroam_lookup_device(net.f, NULL, D1, 5000, ask_inside, &a, NULL), 0);
    while (a.ends < 2) { /* other look-ups drive these */
        assert_int_equal(fedroam_wait_device(net.f, NULL, STRANGER, 5000, &answer), FEDROAM_OK);
        fedroam_answer_free(answer);
    }
    done(&a);
    fedroam_free(net.f);
}

enum { THREADS = 8, EACH = 100 };

struct worker {
    struct net *net;
    unsigned number, found, unknown;
    unsigned ends; /* of its look-ups with a call-back, which may run on any of the threads */
};

static void count_end(void *data, const struct fedroam_answer *answer)
{
    (void)answer;
    (*(unsigned *)data)++;
}

static void *work(void *data)
{
    struct worker *w = data;
    for (unsigned i = 0; i < EACH; i++) {
        struct fedroam_answer *a = NULL;
        /* The same names in all threads, and names of its own. */
        uint64_t eui = i % 4 == 0   ? D1
                       : i % 4 == 1 ? DB
                       : i % 4 == 2 ? STRANGER + i
                                    : STRANGER + w->number * 1000u + i;
        if (i % 10 == 0 &&
            fedroam_lookup_device(w->net->f, NULL, eui, 60000, count_end, &w->ends, NULL))
            return "start";
        if (fedroam_wait_device(w->net->f, NULL, eui, 20000, &a)) return "wait";
        if (fedroam_answer_id(a) != eui) return "another's answer";
        w->found += fedroam_answer_result(a) == FEDROAM_FOUND;
        w->unknown += fedroam_answer_result(a) == FEDROAM_UNKNOWN;
        fedroam_answer_free(a);
        (void)fedroam_count(w->net->f, FEDROAM_COUNT_LOOKUPS);
        if (i == 50 && fedroam_flush(w->net->f, "fed.test")) return "flush";
    }
    return NULL;
}

static void test_threads_wait_together(void **state)
{
    (void)state;
    struct net net;
    struct worker workers[THREADS] = {0};
    pthread_t threads[THREADS];
    start(&net, 2);
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.net = &net, .number = i};
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        void *fault = NULL;
        assert_int_equal(pthread_join(threads[i], &fault), 0);
        if (fault) fail_msg("%s", (const char *)fault);
        assert_int_equal(workers[i].found, EACH / 2);
        assert_int_equal(workers[i].unknown, EACH / 2);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        while (workers[i].ends < EACH / 10) fedroam_process(net.f);
        assert_int_equal(workers[i].ends, EACH / 10);
    }
    fedroam_free(net.f);
}

/* One thread waits long; another's short look-up is not held up by it. */
static void *wait_long(void *data)
{
    struct net *net = data;
    struct fedroam_answer *a = NULL;
    if (fedroam_wait_device(net->f, "other.test", D1, 1500, &a)) return "wait";
    const char *fault = fedroam_answer_result(a) == FEDROAM_NO_BROKER ? NULL : "result";
    fedroam_answer_free(a);
    return (void *)(uintptr_t)fault;
}

static void test_a_long_wait_holds_nobody_up(void **state)
{
    (void)state;
    struct net net;
    pthread_t thread;
    void *fault = NULL;
    struct fedroam_answer *a = NULL;
    start(&net, 2);
    net.brokers[1][0].does = SILENT;
    assert_int_equal(pthread_create(&thread, NULL, wait_long, &net), 0);
    int64_t began_ms = fr_clock_mono_ms(fr_clock_system());
    for (uint64_t i = 0; i < 50; i++) {
        assert_int_equal(fedroam_wait_device(net.f, "fed.test", STRANGER + i, 0, &a), FEDROAM_OK);
        assert_int_equal(fedroam_answer_result(a), FEDROAM_UNKNOWN);
        fedroam_answer_free(a);
    }
    assert_in_range(fr_clock_mono_ms(fr_clock_system()) - began_ms, 50, 1400);
    assert_int_equal(pthread_join(thread, &fault), 0);
    if (fault) fail_msg("%s", (const char *)fault);
    fedroam_free(net.f);
}

static void test_no_loop_of_its_own(void **state)
{
    (void)state;
    struct net net;
    net_start(&net, 1, 1);
    assert_int_equal(fedroam_fd(net.f), -1);
    assert_int_equal(fedroam_timeout_ms(net.f), -1);
    fedroam_process(net.f);
    net_stop(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_descriptor),
        cmocka_unit_test(test_inside_a_call_back),
        cmocka_unit_test(test_threads_wait_together),
        cmocka_unit_test(test_a_long_wait_holds_nobody_up),
        cmocka_unit_test(test_no_loop_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
