#include "resolver/link_http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
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
#include "resolver/handle.h"
#include "resolver/open.h"
#include "support/loopback.h"

/* A link over real TLS to the loopback server, whose paths stand for what a broker does. */
struct scene {
    struct lb lb;
    struct test_ca *ca;
    char folder[64], paths[3][96]; /* CA, chain, key */
    struct fedroam_options *o;
    struct fedroam f; /* a link needs options and counts of its handle, nothing else */
    struct fr_link *link;
};

static void put_file(const char *path, const char *text)
{
    assert_int_equal(fr_file_write(path, 0600, fr_span_str(text), NULL), FR_OK);
}

static void put_identity(struct scene *s, struct test_ca *issuer)
{
    struct test_id id;
    struct test_leaf leaf = {.cn = "acme", .names = {"acme.member.fed.test"}};
    test_issue(issuer, &leaf, &id);
    put_file(s->paths[1], id.chain);
    put_file(s->paths[2], id.key);
    test_id_free(&id);
}

static void start(struct scene *s, const char *path)
{
    static const char *const names[] = {"ca.pem", "me.chain.pem", "me.key"};
    struct test_leaf leaf = {.cn = "broker", .names = {"broker.fed.test"}};
    struct test_id server;
    char url[128];
    const char *address = "127.0.0.1";
    *s = (struct scene){.folder = "/tmp/fr-link-XXXXXX"};
    assert_non_null(mkdtemp(s->folder));
    for (int i = 0; i < 3; i++)
        snprintf(s->paths[i], sizeof s->paths[i], "%s/%s", s->folder, names[i]);
    s->ca = test_ca_new("fed.test");
    test_issue(s->ca, &leaf, &server);
    lb_start(&s->lb, NULL);
    s->lb.services[0] = (struct lb_service){"broker.fed.test", lb_server_ctx(&server, s->ca),
                                            FR_TLS_CERT_REQUIRE, "one"};
    lb_listen_tls(&s->lb);
    test_id_free(&server);
    put_file(s->paths[0], test_ca_pem(s->ca));
    put_identity(s, s->ca);

    s->o = fedroam_options_new();
    assert_non_null(s->o);
    snprintf(url, sizeof url, "https://broker.fed.test:%u%s",
             fr_http_listener_addr(s->lb.listener)->port, path);
    assert_int_equal(
        fedroam_options_add_federation(s->o, "fed.test", s->paths[0], s->paths[1], s->paths[2]),
        FEDROAM_OK);
    assert_int_equal(fedroam_options_add_broker(s->o, "fed.test", url, &address, 1), FEDROAM_OK);
    s->f.options = s->o;
    assert_int_equal(fr_link_http_make(&s->f, s->o->federations[0], s->lb.loop, &s->link), FR_OK);
}

static void stop(struct scene *s)
{
    s->link->ops->free(s->link);
    fedroam_options_free(s->o);
    lb_stop(&s->lb);
    test_ca_free(s->ca);
    for (int i = 0; i < 3; i++) unlink(s->paths[i]);
    rmdir(s->folder);
}

struct got {
    bool is_done;
    enum fr_link_end end;
    unsigned status;
    char text[256], alert[64], body[256];
};

static void on_done(void *data, const struct fr_link_result *r)
{
    struct got *g = data;
    assert_false(g->is_done);
    g->is_done = true;
    g->end = r->end;
    g->status = r->status;
    snprintf(g->text, sizeof g->text, "%s", r->text);
    snprintf(g->alert, sizeof g->alert, "%s", r->alert);
    snprintf(g->body, sizeof g->body, "%.*s", (int)r->body.n, (const char *)r->body.p);
}

static struct fr_link_call *ask(struct scene *s, struct got *g, uint32_t within_ms)
{
    struct fr_link_call *call = NULL;
    struct fr_diag diag = {0};
    *g = (struct got){0};
    if (s->link->ops->ask(s->link, FR_SPAN_LIT("question"), within_ms, on_done, g, &diag, &call))
        fail_msg("%s", diag.what);
    assert_false(g->is_done);
    return call;
}

static void test_one_kept_connection_and_post(void **state)
{
    (void)state;
    struct scene s;
    struct got g;
    struct fr_resolver_traffic sum = {0};
    start(&s, "/echo?x");
    for (int i = 0; i < 3; i++) {
        ask(&s, &g, 5000);
        lb_until(&s.lb, &g.is_done);
        assert_int_equal(g.end, FR_LINK_ANSWERED);
        assert_int_equal(g.status, 200);
        assert_string_equal(g.body, "POST /echo?x question");
    }
    s.link->ops->add_traffic(s.link, &sum);
    assert_int_equal(sum.exchanges, 3);
    assert_int_equal(sum.connects, 1);
    assert_int_equal(sum.handshakes, 1);
    assert_true(sum.bytes_in > 0 && sum.bytes_out > 0);
    stop(&s);
}

static void test_the_type_of_a_question(void **state)
{
    (void)state;
    struct scene s;
    struct got g;
    start(&s, "/fields");
    ask(&s, &g, 5000);
    lb_until(&s.lb, &g.is_done);
    assert_non_null(strstr(g.body, "content-type=application/dns-message"));
    assert_non_null(strstr(g.body, "accept=application/dns-message"));
    assert_non_null(strstr(g.body, "content-length=8"));
    stop(&s);
}

static void test_a_silent_broker(void **state)
{
    (void)state;
    struct scene s;
    struct got g;
    start(&s, "/later");
    ask(&s, &g, 100);
    lb_until(&s.lb, &g.is_done);
    assert_int_equal(g.end, FR_LINK_DOWN);
    assert_string_not_equal(g.text, "");
    assert_non_null(s.lb.later);
    fr_http_reply(s.lb.later, 200, NULL, 0, FR_SPAN_LIT("too late"));
    lb_turns(&s.lb, 5);
    stop(&s);
}

static void test_cancelled_questions_stay_silent(void **state)
{
    (void)state;
    struct scene s;
    struct got g, other;
    start(&s, "/echo");
    struct fr_link_call *call = ask(&s, &g, 5000);
    s.link->ops->cancel(s.link, call); /* while connecting */
    ask(&s, &other, 5000);
    lb_until(&s.lb, &other.is_done);
    call = ask(&s, &g, 5000);
    lb_turns(&s.lb, 1);
    if (!g.is_done)
        s.link->ops->cancel(s.link, call); /* while the answer is under way */
    else
        g.is_done = false;
    lb_turns(&s.lb, 50);
    assert_false(g.is_done);
    stop(&s);
}

static void test_a_certificate_that_the_broker_refuses(void **state)
{
    (void)state;
    struct scene s;
    struct got g;
    start(&s, "/echo");
    struct test_ca *stranger = test_ca_new("other.test");
    put_identity(&s, stranger);
    ask(&s, &g, 5000);
    lb_until(&s.lb, &g.is_done);
    assert_int_equal(g.end, FR_LINK_ALERT);
    assert_string_not_equal(g.alert, "");
    test_ca_free(stranger);
    stop(&s);
}

static void test_a_broker_that_we_do_not_trust(void **state)
{
    (void)state;
    struct scene s;
    struct got g;
    start(&s, "/echo");
    struct test_ca *stranger = test_ca_new("fed.test");
    put_file(s.paths[0], test_ca_pem(stranger));
    ask(&s, &g, 5000);
    lb_until(&s.lb, &g.is_done);
    assert_int_equal(g.end, FR_LINK_DOWN);
    assert_int_equal(s.lb.requests, 0); /* it was told nothing */
    test_ca_free(stranger);
    stop(&s);
}

static void test_renewed_files_make_a_new_connection(void **state)
{
    (void)state;
    struct scene s;
    struct got g;
    struct fr_resolver_traffic sum = {0};
    start(&s, "/peer");
    ask(&s, &g, 5000);
    lb_until(&s.lb, &g.is_done);
    put_identity(&s, s.ca);
    s.lb.skew_ms += 1000;
    ask(&s, &g, 5000);
    lb_until(&s.lb, &g.is_done);
    assert_int_equal(g.status, 200);
    assert_non_null(strstr(g.body, "full")); /* the old session is not resumed */
    assert_int_equal(s.f.counts[FEDROAM_COUNT_RELOADS], 1);
    s.link->ops->add_traffic(s.link, &sum);
    assert_int_equal(sum.handshakes, 2);
    stop(&s);
}

static void on_lost(void *data)
{
    (*(unsigned *)data)++;
}

static void pass(struct scene *s, int64_t ms)
{
    s->lb.skew_ms += ms;
    lb_turns(&s->lb, 30);
}

/* An idle connection is pinged; one that nobody answers on any more is noticed before the next
 * question, which goes over a new one. */
static void test_an_idle_connection_is_watched(void **state)
{
    (void)state;
    struct scene s;
    struct got g;
    struct fr_resolver_traffic sum = {0};
    unsigned lost = 0;
    start(&s, "/echo");
    s.link->on_lost = on_lost;
    s.link->lost_data = &lost;
    ask(&s, &g, 5000);
    lb_until(&s.lb, &g.is_done);
    lb_turns(&s.lb, 30);
    for (int i = 0; i < 3; i++) pass(&s, 30001), pass(&s, 2001); /* pings are answered */
    assert_int_equal(lost, 0);
    s.link->ops->add_traffic(s.link, &sum);
    assert_int_equal(sum.connects, 1);
    pass(&s, 600000); /* longer than the server keeps an idle connection */
    pass(&s, 30000);
    assert_int_equal(lost, 1);
    ask(&s, &g, 5000);
    lb_until(&s.lb, &g.is_done);
    assert_int_equal(g.end, FR_LINK_ANSWERED);
    stop(&s);
}

/* A firewall between the link and the server: carries bytes until it forgets the connection, and
 * then drops them in silence. */
struct firewall {
    struct fr_watch listener, sides[2]; /* client, server */
    struct fr_addr to;
    bool has_forgotten;
    unsigned accepted;
};

static void on_side(struct fr_watch *w, unsigned events)
{
    struct firewall *f = w->data;
    struct fr_watch *other = w == &f->sides[0] ? &f->sides[1] : &f->sides[0];
    uint8_t bytes[16384];
    (void)events;
    ssize_t n = recv(w->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (n <= 0) fr_watch_stop(w);
    if (n > 0 && !f->has_forgotten)
        assert_int_equal(send(other->fd, bytes, (size_t)n, MSG_NOSIGNAL), n);
}

static void forget(struct firewall *f)
{
    for (int i = 0; i < 2; i++) {
        fr_watch_stop(&f->sides[i]);
        if (f->sides[i].fd >= 0) close(f->sides[i].fd);
        f->sides[i].fd = -1;
    }
}

static void on_connection(struct fr_watch *w, unsigned events)
{
    struct firewall *f = w->data;
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(f->to.port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    (void)events;
    int client = accept(w->fd, NULL, NULL), server = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(client >= 0 && server >= 0);
    assert_int_equal(connect(server, (const struct sockaddr *)&to, sizeof to), 0);
    forget(f);
    f->has_forgotten = false;
    f->accepted++;
    fr_watch_init(&f->sides[0], client, on_side, f);
    fr_watch_init(&f->sides[1], server, on_side, f);
    for (int i = 0; i < 2; i++)
        assert_int_equal(fr_watch_start(w->loop, &f->sides[i], FR_LOOP_READ), FR_OK);
}

static void firewall_start(struct scene *s, struct firewall *f)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof any;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&any, sizeof any), 0);
    assert_int_equal(listen(fd, 4), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&any, &n), 0);
    *f = (struct firewall){.to = *fr_http_listener_addr(s->lb.listener)};
    fr_watch_init(&f->listener, fd, on_connection, f);
    fr_watch_init(&f->sides[0], -1, on_side, f);
    fr_watch_init(&f->sides[1], -1, on_side, f);
    assert_int_equal(fr_watch_start(s->lb.loop, &f->listener, FR_LOOP_READ), FR_OK);
    s->o->federations[0]->brokers[0].addresses[0].port = ntohs(any.sin_port);
    s->link->ops->free(s->link);
    assert_int_equal(fr_link_http_make(&s->f, s->o->federations[0], s->lb.loop, &s->link), FR_OK);
}

static void test_a_connection_that_a_firewall_forgot(void **state)
{
    (void)state;
    struct scene s;
    struct firewall f;
    struct got g;
    unsigned lost = 0;
    start(&s, "/echo");
    firewall_start(&s, &f);
    s.link->on_lost = on_lost;
    s.link->lost_data = &lost;
    ask(&s, &g, 5000);
    lb_until(&s.lb, &g.is_done);
    f.has_forgotten = true;
    pass(&s, 30001); /* a ping goes out */
    assert_int_equal(lost, 0);
    pass(&s, 2001); /* and nothing comes */
    assert_int_equal(lost, 1);
    ask(&s, &g, 5000);
    lb_until(&s.lb, &g.is_done);
    assert_int_equal(g.end, FR_LINK_ANSWERED);
    assert_int_equal(f.accepted, 2);
    forget(&f);
    fr_watch_stop(&f.listener);
    close(f.listener.fd);
    stop(&s);
}

static void test_files_that_are_missing_are_said_at_once(void **state)
{
    (void)state;
    struct scene s;
    struct fr_link_call *call = NULL;
    struct fr_diag diag = {0};
    struct got g = {0};
    start(&s, "/echo");
    unlink(s.paths[1]);
    assert_int_not_equal(s.link->ops->ask(s.link, FR_SPAN_LIT("q"), 100, on_done, &g, &diag, &call),
                         FR_OK);
    assert_non_null(strstr(diag.what, "me.chain.pem"));
    assert_null(call);
    stop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_kept_connection_and_post),
        cmocka_unit_test(test_the_type_of_a_question),
        cmocka_unit_test(test_a_silent_broker),
        cmocka_unit_test(test_cancelled_questions_stay_silent),
        cmocka_unit_test(test_a_certificate_that_the_broker_refuses),
        cmocka_unit_test(test_a_broker_that_we_do_not_trust),
        cmocka_unit_test(test_renewed_files_make_a_new_connection),
        cmocka_unit_test(test_an_idle_connection_is_watched),
        cmocka_unit_test(test_a_connection_that_a_firewall_forgot),
        cmocka_unit_test(test_files_that_are_missing_are_said_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
