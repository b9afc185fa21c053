#include <fedroam/ares.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <ev.h>
#include <fedroam/ev.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "dns/message.h"
#include "resolver/public_dns.h"
#include "support/test_pki.h"
#include "transport/loop_poll.h"

/* The adapter against a name server of the test's on a loopback port: UDP, and TCP for what does not fit. */
struct scene {
    struct fr_loop *loop;
    int udp, tcp, accepted;
    char address[32];
    unsigned asked;
    bool is_silent, is_long;
    struct fedroam_options *o;
    struct fr_public_dns *dns;
};

static void bind_both(struct scene *s)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    for (int i = 0; i < 100; i++) { /* one number for both */
        at.sin_port = 0;
        s->udp = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        assert_int_equal(bind(s->udp, (struct sockaddr *)&at, sizeof at), 0);
        assert_int_equal(getsockname(s->udp, (struct sockaddr *)&at, &n), 0);
        s->tcp = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (bind(s->tcp, (struct sockaddr *)&at, sizeof at) == 0) break;
        close(s->udp);
        close(s->tcp);
    }
    assert_int_equal(listen(s->tcp, 4), 0);
    snprintf(s->address, sizeof s->address, "127.0.0.1:%u", ntohs(at.sin_port));
}

static void start(struct scene *s)
{
    *s = (struct scene){.accepted = -1};
    bind_both(s);
    const char *servers[] = {s->address};
    assert_int_equal(fr_loop_poll_new(NULL, &s->loop), FR_OK);
    s->o = fedroam_options_new();
    assert_non_null(s->o);
    assert_int_equal(fedroam_ares_use(s->o, servers, 1), FEDROAM_OK);
    assert_int_equal(fr_public_dns_new(s->loop, &s->dns), FR_OK);
    assert_int_equal(fr_public_dns_set(s->dns, s->o, s->o), FR_OK);
}

static void stop(struct scene *s)
{
    fr_public_dns_free(s->dns);
    fedroam_options_free(s->o);
    fr_loop_poll_free(s->loop);
    close(s->udp);
    close(s->tcp);
    if (s->accepted >= 0) close(s->accepted);
}

/* "gone…" is NXDOMAIN, "broken…" SERVFAIL; everything else has an address, or many TXT records. */
static size_t answer(const struct scene *s, struct fr_span query, bool is_udp, uint8_t *out,
                     size_t max)
{
    struct fr_dns_query q;
    struct fr_dns_writer w;
    struct fr_rr rr = {.type = FR_DNS_A, .class = FR_DNS_IN, .ttl = 60, .data.a = {192, 0, 2, 7}};
    char name[FR_DNAME_TEXT];
    assert_int_equal(fr_dns_query_read(query, &q), FR_OK);
    assert_true(q.edns.present);
    fr_dname_print(fr_dname_span(&q.name), name);
    unsigned rcode = strncmp(name, "gone", 4) == 0     ? FR_DNS_NXDOMAIN
                     : strncmp(name, "broken", 6) == 0 ? FR_DNS_SERVFAIL
                                                       : FR_DNS_NOERROR;
    uint16_t flags = (uint16_t)(FR_DNS_QR | FR_DNS_RA | rcode);
    if (s->is_long && is_udp) flags |= FR_DNS_TC;
    fr_dns_writer_init(&w, out, max, q.id, flags);
    assert_int_equal(fr_dns_write_question(&w, &q.name, q.type, FR_DNS_IN), FR_OK);
    rr.owner = q.name;
    if (s->is_long) {
        rr.type = FR_DNS_TXT;
        rr.data.txt = (struct fr_txt){0};
        for (int i = 0; i < 3; i++)
            assert_int_equal(fr_txt_add(&rr.data.txt, "a text of some length"), FR_OK);
    }
    for (int i = 0; rcode == FR_DNS_NOERROR && i < (s->is_long && !is_udp ? 40 : 1); i++)
        assert_int_equal(fr_dns_write_rr(&w, FR_DNS_ANSWER, &rr), FR_OK);
    return fr_dns_writer_finish(&w).n;
}

static void serve_udp(struct scene *s)
{
    uint8_t in[1500], out[1500];
    struct sockaddr_storage from;
    socklen_t from_n = sizeof from;
    ssize_t n = recvfrom(s->udp, in, sizeof in, 0, (struct sockaddr *)&from, &from_n);
    if (n <= 0) return;
    s->asked++;
    if (s->is_silent) return;
    size_t m = answer(s, fr_span(in, (size_t)n), true, out, sizeof out);
    assert_int_equal(sendto(s->udp, out, m, 0, (struct sockaddr *)&from, from_n), m);
}

static void serve_tcp(struct scene *s)
{
    uint8_t in[1500], out[8000];
    if (s->accepted < 0) s->accepted = accept4(s->tcp, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (s->accepted < 0) return;
    ssize_t n = recv(s->accepted, in, sizeof in, 0); /* loopback: in one piece */
    if (n <= 2) return;
    s->asked++;
    size_t m = answer(s, fr_span(in + 2, (size_t)n - 2), false, out + 2, sizeof out - 2);
    out[0] = (uint8_t)(m >> 8);
    out[1] = (uint8_t)m;
    assert_int_equal(send(s->accepted, out, m + 2, MSG_NOSIGNAL), m + 2);
}

struct end {
    unsigned times, records, rcode;
    bool has_response;
    char why[128];
};

static void on_end(void *data, const struct fr_dns_response *r, const char *why)
{
    struct end *e = data;
    e->times++;
    e->has_response = r;
    if (r) e->records = r->count[0];
    if (r) e->rcode = r->rcode;
    snprintf(e->why, sizeof e->why, "%s", why);
}

static struct fr_public_question *ask(struct scene *s, const char *name, struct end *e)
{
    struct fr_public_question *q = NULL;
    struct fr_dname n;
    *e = (struct end){0};
    assert_int_equal(fr_dname_parse(fr_span_str(name), &n), FR_OK);
    assert_int_equal(fr_public_ask(s->dns, &n, FR_DNS_A, on_end, e, &q), FR_OK);
    return q;
}

static void run(struct scene *s, const struct end *e)
{
    for (int i = 0; i < 3000 && e->times == 0; i++) {
        serve_udp(s);
        serve_tcp(s);
        (void)fr_loop_poll_turn(s->loop, 10);
    }
    assert_int_equal(e->times, 1);
}

static void test_answers(void **state)
{
    (void)state;
    struct scene s;
    struct end e;
    start(&s);
    ask(&s, "broker.fed.test", &e);
    run(&s, &e);
    assert_true(e.has_response);
    assert_int_equal(e.records, 1);
    ask(&s, "gone.fed.test", &e);
    run(&s, &e);
    assert_true(e.has_response);
    assert_int_equal(e.rcode, FR_DNS_NXDOMAIN);
    ask(&s, "broken.fed.test", &e);
    run(&s, &e);
    assert_false(e.has_response);
    assert_string_not_equal(e.why, "");
    stop(&s);
}

static void test_long_answers_come_by_tcp(void **state)
{
    (void)state;
    struct scene s;
    struct end e;
    start(&s);
    s.is_long = true;
    ask(&s, "long.fed.test", &e);
    run(&s, &e);
    assert_true(e.has_response);
    assert_int_equal(e.records, 40);
    assert_true(s.accepted >= 0);
    stop(&s);
}

static void test_a_silent_server(void **state)
{
    (void)state;
    struct scene s;
    struct end e;
    start(&s);
    s.is_silent = true;
    ask(&s, "broker.fed.test", &e);
    run(&s, &e);
    assert_false(e.has_response);
    assert_true(s.asked >= 2); /* it was asked again */
    stop(&s);
}

static void test_cancelled_and_closed_under_way(void **state)
{
    (void)state;
    struct scene s;
    struct end given_up, other, open;
    start(&s);
    struct fr_public_question *q = ask(&s, "a.fed.test", &given_up);
    ask(&s, "b.fed.test", &other);
    fr_public_cancel(q);
    run(&s, &other);
    assert_true(other.has_response);
    assert_int_equal(given_up.times, 0);
    s.is_silent = true;
    ask(&s, "c.fed.test", &open);
    stop(&s);
    assert_int_equal(open.times, 0);
}

/* A host's loop, libev by the other adapter: the host watches descriptors of both libraries. */
struct hosted {
    struct scene s;
    struct ev_loop *loop;
    struct ev_io server;
    char folder[64], paths[3][96];
    char reason[256];
};

static void on_query(struct ev_loop *loop, struct ev_io *io, int events)
{
    (void)loop;
    (void)events;
    serve_udp(io->data);
}

static void on_looked_up(void *data, const struct fedroam_answer *a)
{
    struct hosted *h = data;
    snprintf(h->reason, sizeof h->reason, "%s", fedroam_answer_reason(a));
    ev_break(h->loop, EVBREAK_ALL);
}

static void put_files(struct hosted *h)
{
    struct test_ca *ca = test_ca_new("fed.test");
    struct test_leaf leaf = {.cn = "acme", .names = {"acme.member.fed.test"}};
    struct test_id id;
    test_issue(ca, &leaf, &id);
    const char *texts[] = {test_ca_pem(ca), id.chain, id.key};
    assert_non_null(mkdtemp(h->folder));
    for (int i = 0; i < 3; i++) {
        snprintf(h->paths[i], sizeof h->paths[i], "%s/%d", h->folder, i);
        assert_int_equal(fr_file_write(h->paths[i], 0600, fr_span_str(texts[i]), NULL), FR_OK);
    }
    test_id_free(&id);
    test_ca_free(ca);
}

static void test_on_the_loop_of_a_host(void **state)
{
    (void)state;
    struct hosted h = {.loop = ev_loop_new(0), .folder = "/tmp/fr-ares-XXXXXX"};
    struct fedroam_ev *ev = NULL;
    put_files(&h);
    start(&h.s);
    assert_int_equal(
        fedroam_options_add_federation(h.s.o, "fed.test", h.paths[0], h.paths[1], h.paths[2]),
        FEDROAM_OK);
    assert_int_equal(
        fedroam_options_add_broker(h.s.o, "fed.test", "https://gone.fed.test/q", NULL, 0),
        FEDROAM_OK);
    assert_int_equal(fedroam_ev_new(h.loop, h.s.o, &ev), FEDROAM_OK);
    ev_io_init(&h.server, on_query, h.s.udp, EV_READ);
    h.server.data = &h.s;
    ev_io_start(h.loop, &h.server);
    assert_int_equal(
        fedroam_lookup_device(fedroam_ev_handle(ev), NULL, 1, 20000, on_looked_up, &h, NULL),
        FEDROAM_OK);
    ev_run(h.loop, 0);
    assert_string_equal(h.reason, "gone.fed.test is not found in public DNS");
    assert_int_equal(fedroam_count(fedroam_ev_handle(ev), FEDROAM_COUNT_PUBLIC_DNS), 2);
    fedroam_ev_free(ev);
    ev_io_stop(h.loop, &h.server);
    ev_loop_destroy(h.loop);
    stop(&h.s);
    for (int i = 0; i < 3; i++) unlink(h.paths[i]);
    rmdir(h.folder);
}

static void test_servers_that_are_none(void **state)
{
    (void)state;
    static const char *const bad[] = {"ns.example", "", "192.0.2.1:0", "192.0.2.1:x", "[::1"};
    static const char *const good[] = {"192.0.2.1", "[2001:db8::1]:5353", "2001:db8::1"};
    static const char *const many[] = {"::1", "::1", "::1", "::1", "::1",
                                       "::1", "::1", "::1", "::1"};
    struct fedroam_options *o = fedroam_options_new();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(fedroam_ares_use(o, &bad[i], 1), FEDROAM_E_ARGUMENT);
    assert_int_equal(fedroam_ares_use(o, many, 9), FEDROAM_E_ARGUMENT);
    assert_false(o->has_public_dns);
    assert_int_equal(fedroam_ares_use(o, good, 3), FEDROAM_OK);
    assert_int_equal(fedroam_ares_use(o, NULL, 0), FEDROAM_OK); /* in its place */
    assert_true(o->has_public_dns);
    fedroam_options_free(o);
}

static void test_without_memory(void **state)
{
    (void)state;
    struct scene s;
    start(&s);
    for (unsigned long n = 1;; n++) {
        struct fedroam_options *o = fedroam_options_new();
        fr_mem_fail_nth(n);
        enum fedroam_err use = fedroam_ares_use(o, NULL, 0);
        enum fr_err set = use == FEDROAM_OK ? fr_public_dns_set(s.dns, o, s.o) : FR_E_NOMEM;
        bool has_failed = fr_mem_failed();
        fr_mem_fail_nth(0);
        fedroam_options_free(o);
        assert_int_equal(set, has_failed ? FR_E_NOMEM : FR_OK);
        if (!has_failed) break;
    }
    stop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_long_answers_come_by_tcp),
        cmocka_unit_test(test_a_silent_server),
        cmocka_unit_test(test_cancelled_and_closed_under_way),
        cmocka_unit_test(test_on_the_loop_of_a_host),
        cmocka_unit_test(test_servers_that_are_none),
        cmocka_unit_test(test_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
