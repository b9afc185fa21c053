#include <fedroam/ev.h>

#include <arpa/inet.h>
#include <ev.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "support/test_pki.h"

/* The adapter on a real libev loop. The broker is a loopback listener that never speaks, or a
 * port where nobody listens. */
struct scene {
    struct ev_loop *loop;
    struct fedroam_options *o;
    struct fedroam_ev *ev;
    int listener;
    char folder[64], paths[3][96];
};

static void put_files(struct scene *s)
{
    static const char *const names[] = {"ca.pem", "me.chain.pem", "me.key"};
    struct test_ca *ca = test_ca_new("fed.test");
    struct test_leaf leaf = {.cn = "acme", .names = {"acme.member.fed.test"}};
    struct test_id id;
    test_issue(ca, &leaf, &id);
    const char *texts[] = {test_ca_pem(ca), id.chain, id.key};
    for (int i = 0; i < 3; i++) {
        snprintf(s->paths[i], sizeof s->paths[i], "%s/%s", s->folder, names[i]);
        assert_int_equal(fr_file_write(s->paths[i], 0600, fr_span_str(texts[i]), NULL), FR_OK);
    }
    test_id_free(&id);
    test_ca_free(ca);
}

static void start(struct scene *s, bool listens)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    char url[64];
    const char *address = "127.0.0.1";
    *s = (struct scene){.folder = "/tmp/fr-ev-XXXXXX"};
    assert_non_null(mkdtemp(s->folder));
    put_files(s);
    s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(s->listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(getsockname(s->listener, (struct sockaddr *)&at, &n), 0);
    if (listens) assert_int_equal(listen(s->listener, 8), 0);
    s->loop = ev_loop_new(0);
    s->o = fedroam_options_new();
    assert_true(s->loop && s->o);
    snprintf(url, sizeof url, "https://broker.fed.test:%u/dns-query", ntohs(at.sin_port));
    assert_int_equal(
        fedroam_options_add_federation(s->o, "fed.test", s->paths[0], s->paths[1], s->paths[2]),
        FEDROAM_OK);
    assert_int_equal(fedroam_options_add_broker(s->o, "fed.test", url, &address, 1), FEDROAM_OK);
    assert_int_equal(fedroam_ev_new(s->loop, s->o, &s->ev), FEDROAM_OK);
}

static void stop(struct scene *s)
{
    fedroam_ev_free(s->ev);
    ev_loop_destroy(s->loop);
    fedroam_options_free(s->o);
    close(s->listener);
    for (int i = 0; i < 3; i++) unlink(s->paths[i]);
    rmdir(s->folder);
}

struct end {
    struct ev_loop *loop;
    unsigned times;
    enum fedroam_result result;
    char reason[256];
};

static void on_end(void *data, const struct fedroam_answer *a)
{
    struct end *e = data;
    e->times++;
    e->result = fedroam_answer_result(a);
    snprintf(e->reason, sizeof e->reason, "%s", fedroam_answer_reason(a));
    ev_break(e->loop, EVBREAK_ALL);
}

static void test_a_port_where_nobody_listens(void **state)
{
    (void)state;
    struct scene s;
    start(&s, false);
    struct end e = {.loop = s.loop};
    assert_int_equal(
        fedroam_lookup_device(fedroam_ev_handle(s.ev), NULL, 1, 5000, on_end, &e, NULL),
        FEDROAM_OK);
    ev_run(s.loop, 0);
    assert_int_equal(e.times, 1);
    assert_int_equal(e.result, FEDROAM_NO_BROKER);
    assert_non_null(strstr(e.reason, "refused"));
    stop(&s);
}

static void test_a_deadline(void **state)
{
    (void)state;
    struct scene s;
    start(&s, true);
    struct end e = {.loop = s.loop};
    ev_tstamp from = ev_time();
    assert_int_equal(fedroam_lookup_device(fedroam_ev_handle(s.ev), NULL, 1, 50, on_end, &e, NULL),
                     FEDROAM_OK);
    ev_run(s.loop, 0);
    assert_int_equal(e.times, 1);
    assert_int_equal(e.result, FEDROAM_NO_BROKER);
    assert_true(ev_time() - from >= 0.045);
    stop(&s);
}

static void test_freed_with_a_look_up_under_way(void **state)
{
    (void)state;
    struct scene s;
    start(&s, true);
    struct end e = {.loop = s.loop};
    assert_int_equal(fedroam_lookup_device(fedroam_ev_handle(s.ev), NULL, 1, 0, on_end, &e, NULL),
                     FEDROAM_OK);
    for (int i = 0; i < 5; i++) ev_run(s.loop, EVRUN_NOWAIT);
    stop(&s);
    assert_int_equal(e.times, 0);
    fedroam_ev_free(NULL);
}

static void test_the_blocking_calls_are_for_handles_without_a_loop(void **state)
{
    (void)state;
    struct scene s;
    struct fedroam_answer *a = NULL;
    start(&s, false);
    assert_int_equal(fedroam_wait_device(fedroam_ev_handle(s.ev), NULL, 1, 0, &a), FEDROAM_E_STATE);
    assert_null(a);
    stop(&s);
}

static void test_without_memory(void **state)
{
    (void)state;
    struct scene s;
    start(&s, false);
    for (unsigned long n = 1;; n++) {
        struct fedroam_ev *ev = NULL;
        fr_mem_fail_nth(n);
        enum fedroam_err err = fedroam_ev_new(s.loop, s.o, &ev);
        bool has_failed = fr_mem_failed();
        fr_mem_fail_nth(0);
        fedroam_ev_free(ev);
        if (!has_failed) break;
        assert_int_equal(err, FEDROAM_E_MEMORY);
        assert_null(ev);
    }
    stop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_port_where_nobody_listens),
        cmocka_unit_test(test_a_deadline),
        cmocka_unit_test(test_freed_with_a_look_up_under_way),
        cmocka_unit_test(test_the_blocking_calls_are_for_handles_without_a_loop),
        cmocka_unit_test(test_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
