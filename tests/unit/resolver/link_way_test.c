#include "resolver/link_way.h"

#include "public.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "resolver/handle.h"
#include "resolver/link_http.h"
#include "resolver/public_dns.h"
#include "support/loopback.h"

/* A link whose broker is found in public DNS, over real TLS: two servers, of which each test says who they
 * are, and a port where nobody listens. */
struct scene {
    struct lb lbs[2];
    struct test_ca *ca, *stranger;
    char folder[64], paths[3][96]; /* CA, chain, key */
    uint16_t dead;
    struct public_dns theirs;
    struct test_svcb records[3];
    struct fedroam_options *o;
    struct fedroam f; /* a link needs options, counts and public DNS of its handle, nothing else */
    struct fr_link *link;
};

/* Who serves at each of the two. */
enum who { NOBODY, BROKER, ANOTHER_NAME, ANOTHER_CA };

static void put_file(const char *path, const char *text)
{
    assert_int_equal(fr_file_write(path, 0600, fr_span_str(text), NULL), FR_OK);
}

static void put_files(struct scene *s)
{
    static const char *const names[] = {"ca.pem", "me.chain.pem", "me.key"};
    struct test_leaf leaf = {.cn = "acme", .names = {"acme.member.fed.test"}};
    struct test_id id;
    assert_non_null(mkdtemp(s->folder));
    for (int i = 0; i < 3; i++)
        snprintf(s->paths[i], sizeof s->paths[i], "%s/%s", s->folder, names[i]);
    test_issue(s->ca, &leaf, &id);
    put_file(s->paths[0], test_ca_pem(s->ca));
    put_file(s->paths[1], id.chain);
    put_file(s->paths[2], id.key);
    test_id_free(&id);
}

static void serve(struct scene *s, struct lb *lb, enum who who)
{
    struct test_leaf leaf = {.cn = "broker",
                             .names = {who == ANOTHER_NAME ? "other.fed.test" : "broker.fed.test"}};
    struct test_ca *ca = who == ANOTHER_CA ? s->stranger : s->ca;
    struct test_id id;
    test_issue(ca, &leaf, &id);
    lb_start(lb, NULL);
    lb->services[0] =
        (struct lb_service){"broker.fed.test", lb_server_ctx(&id, ca), FR_TLS_CERT_REQUIRE, "one"};
    lb_listen_tls(lb);
    test_id_free(&id);
}

static uint16_t dead_port(void)
{
    struct sockaddr_storage sa;
    struct fr_addr addr = {.ip = {.family = 4, .b = {127, 0, 0, 1}}};
    socklen_t n = (socklen_t)fr_addr_to_sockaddr(&addr, &sa);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&sa, n), 0);
    n = sizeof sa;
    assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &n), 0);
    assert_int_equal(fr_addr_from_sockaddr((const struct sockaddr *)&sa, &addr), FR_OK);
    close(fd);
    return addr.port;
}

static uint16_t port_of(struct scene *s, int i)
{
    return fr_http_listener_addr(s->lbs[i].listener)->port;
}

/* The configuration says `port` with the path /echo?conf; records are the test's. */
static void start(struct scene *s, enum who first, enum who second)
{
    *s = (struct scene){.folder = "/tmp/fr-way-XXXXXX"};
    s->ca = test_ca_new("fed.test");
    s->stranger = test_ca_new("other.test");
    put_files(s);
    serve(s, &s->lbs[0], first);
    serve(s, &s->lbs[1], second);
    s->dead = dead_port();
    s->theirs.answers_inside = true; /* the clock of this loop is the system's */
}

static void say_address(struct scene *s, const char *name, const char *text)
{
    s->theirs.rows[s->theirs.n_rows++] =
        (struct public_row){.name = name, .type = FR_DNS_A, .answer = text};
}

static void open_link(struct scene *s, uint16_t port, bool has_address, bool discover)
{
    const char *address = "127.0.0.1";
    char url[128];
    size_t n = 0;
    while (s->records[n].target) n++;
    s->theirs.rows[s->theirs.n_rows++] = (struct public_row){
        .name = "_dns.broker.fed.test", .type = FR_DNS_SVCB, .svcb = s->records, .n_svcb = n};
    say_address(s, "here.test", "here.test. 60 A 127.0.0.1");
    s->o = fedroam_options_new();
    snprintf(url, sizeof url, "https://broker.fed.test:%u/echo?conf", port);
    public_use(&s->theirs, s->o);
    assert_int_equal(
        fedroam_options_add_federation(s->o, "fed.test", s->paths[0], s->paths[1], s->paths[2]),
        FEDROAM_OK);
    assert_int_equal(fedroam_options_add_broker(s->o, "fed.test", url, &address, has_address),
                     FEDROAM_OK);
    if (discover)
        assert_int_equal(fedroam_options_discover_broker(s->o, "fed.test", url), FEDROAM_OK);
    s->f.options = s->o;
    assert_int_equal(fr_public_dns_new(s->lbs[0].loop, &s->f.public_dns), FR_OK);
    assert_int_equal(fr_public_dns_set(s->f.public_dns, s->o, s->o), FR_OK);
    assert_int_equal(fr_link_http_make(&s->f, s->o->federations[0], s->lbs[0].loop, &s->link),
                     FR_OK);
}

static void stop(struct scene *s)
{
    s->link->ops->free(s->link);
    fr_public_dns_free(s->f.public_dns);
    fedroam_options_free(s->o);
    for (int i = 0; i < 2; i++) lb_stop(&s->lbs[i]);
    test_ca_free(s->ca);
    test_ca_free(s->stranger);
    for (int i = 0; i < 3; i++) unlink(s->paths[i]);
    rmdir(s->folder);
}

struct got {
    bool is_done;
    enum fr_link_end end;
    char text[256], body[256];
};

static void on_done(void *data, const struct fr_link_result *r)
{
    struct got *g = data;
    assert_false(g->is_done);
    g->is_done = true;
    g->end = r->end;
    snprintf(g->text, sizeof g->text, "%s", r->text);
    snprintf(g->body, sizeof g->body, "%.*s", (int)r->body.n, (const char *)r->body.p);
}

static void both(struct scene *s)
{
    lb_turns(&s->lbs[0], 1);
    lb_turns(&s->lbs[1], 1);
}

static struct fr_link_call *ask(struct scene *s, struct got *g)
{
    struct fr_link_call *call = NULL;
    struct fr_diag diag = {0};
    *g = (struct got){0};
    if (s->link->ops->ask(s->link, FR_SPAN_LIT("question"), 10000, on_done, g, &diag, &call))
        fail_msg("%s", diag.what);
    assert_false(g->is_done);
    return call;
}

static void answer(struct scene *s, struct got *g)
{
    ask(s, g);
    for (int i = 0; i < 20000 && !g->is_done; i++) both(s);
    assert_true(g->is_done);
}

static void expect(const struct got *g, const char *body)
{
    if (g->end != FR_LINK_ANSWERED) fail_msg("%s", g->text);
    assert_string_equal(g->body, body);
}

static void pass(struct scene *s, int64_t ms)
{
    s->lbs[0].skew_ms += ms;
    for (int i = 0; i < 30; i++) both(s);
}

static struct test_svcb record(uint16_t priority, uint16_t port, const char *path)
{
    return (struct test_svcb){
        .priority = priority, .target = "here.test", .alpn = "h2", .port = port, .path = path};
}

static unsigned connects(struct scene *s)
{
    struct fr_resolver_traffic sum = {0};
    s->link->ops->add_traffic(s->link, &sum);
    return (unsigned)sum.handshakes;
}

static void test_what_is_discovered_comes_first(void **state)
{
    (void)state;
    struct scene s;
    struct got g;
    start(&s, BROKER, BROKER);
    s.records[0] = record(1, port_of(&s, 1), "/echo{?dns}");
    open_link(&s, port_of(&s, 0), true, true);
    for (int i = 0; i < 3; i++) {
        answer(&s, &g);
        expect(&g, "POST /echo question");
    }
    assert_int_equal(s.lbs[1].requests, 3);
    assert_int_equal(s.lbs[0].requests, 0);
    assert_int_equal(connects(&s), 1);
    assert_int_equal(s.theirs.asked, 3); /* SVCB, AAAA, A: once */
    stop(&s);
}

/* The services in order, each with its path; then the configuration. All in the time of one question. */
static void test_dead_ways_are_passed(void **state)
{
    (void)state;
    struct scene s;
    struct got g;
    start(&s, BROKER, BROKER);
    s.records[0] = record(2, port_of(&s, 1), "/echo?second{&dns}");
    s.records[1] = record(1, s.dead, "/echo{?dns}");
    open_link(&s, port_of(&s, 0), true, true);
    answer(&s, &g);
    expect(&g, "POST /echo?second question");
    s.records[0] = record(2, s.dead, "/echo?second{&dns}");
    pass(&s, 61000);
    answer(&s, &g);
    expect(&g, "POST /echo?conf question");
    stop(&s);
}

/* A server that public DNS leads to and that is not the broker is told nothing: the question goes where the
 * configuration says. */
static void test_a_stranger_in_public_dns(void **state)
{
    (void)state;
    static const enum who strangers[] = {ANOTHER_NAME, ANOTHER_CA};
    for (int i = 0; i < 2; i++) {
        struct scene s;
        struct got g;
        start(&s, BROKER, strangers[i]);
        s.records[0] = record(1, port_of(&s, 1), "/peer{?dns}");
        open_link(&s, port_of(&s, 0), true, true);
        answer(&s, &g);
        expect(&g, "POST /echo?conf question");
        assert_int_equal(s.lbs[1].requests, 0);
        assert_int_equal(s.lbs[1].refusals, 1);
        assert_null(strstr(s.lbs[1].refusal, "certificate required"));
        stop(&s);
    }
}

static void test_nothing_but_strangers(void **state)
{
    (void)state;
    struct scene s;
    struct got g;
    start(&s, BROKER, ANOTHER_CA);
    s.records[0] = record(1, port_of(&s, 1), "/peer{?dns}");
    open_link(&s, s.dead, true, true);
    answer(&s, &g);
    assert_int_equal(g.end, FR_LINK_DOWN);
    assert_int_equal(s.lbs[1].requests, 0);
    stop(&s);
}

static void test_changed_records_are_followed(void **state)
{
    (void)state;
    struct scene s;
    struct got g;
    start(&s, BROKER, BROKER);
    s.records[0] = record(1, port_of(&s, 1), "/echo{?dns}");
    open_link(&s, s.dead, true, true);
    answer(&s, &g);
    expect(&g, "POST /echo question");
    s.records[0] = record(1, port_of(&s, 0), "/echo?new{&dns}");
    pass(&s, 50000);
    answer(&s, &g); /* within the TTL, and not in its last tenth */
    expect(&g, "POST /echo question");
    pass(&s, 10001);
    answer(&s, &g);
    expect(&g, "POST /echo?new question");
    for (int i = 0; i < 100 && s.lbs[1].closes == 0; i++) both(&s);
    assert_int_equal(s.lbs[1].closes, 1); /* the old connection is gone */
    assert_int_equal(connects(&s), 2);    /* and still counted */
    stop(&s);
}

/* The same place again: the connection stays. */
static void test_the_same_records_again(void **state)
{
    (void)state;
    struct scene s;
    struct got g;
    start(&s, BROKER, BROKER);
    s.records[0] = record(1, port_of(&s, 1), "/echo{?dns}");
    open_link(&s, s.dead, true, true);
    for (int i = 0; i < 3; i++) {
        answer(&s, &g);
        expect(&g, "POST /echo question");
        pass(&s, 20000);
        pass(&s, 20000);
        pass(&s, 20001); /* pings are answered meanwhile */
    }
    assert_int_equal(connects(&s), 1);
    assert_true(s.theirs.asked > 3);
    stop(&s);
}

static void test_a_host_without_addresses(void **state)
{
    (void)state;
    struct scene s;
    struct got g;
    start(&s, BROKER, BROKER);
    open_link(&s, port_of(&s, 1), false, false);
    answer(&s, &g);
    assert_int_equal(g.end, FR_LINK_DOWN);
    assert_string_equal(g.text, "broker.fed.test is not found in public DNS");
    say_address(&s, "broker.fed.test", "broker.fed.test. 600 A 127.0.0.1");
    pass(&s, FR_DISCOVERY_FAST_MS);
    answer(&s, &g);
    expect(&g, "POST /echo?conf question");
    stop(&s);
}

/* It moved, long before its TTL ends: a connection that fails has it looked up again. */
static void test_a_host_that_moved(void **state)
{
    (void)state;
    struct scene s;
    struct got g;
    start(&s, BROKER, BROKER);
    say_address(&s, "broker.fed.test", "broker.fed.test. 86000 A 127.0.0.9");
    open_link(&s, port_of(&s, 1), false, false);
    answer(&s, &g);
    assert_int_equal(g.end, FR_LINK_DOWN); /* nobody listens there */
    s.theirs.rows[0].answer = "broker.fed.test. 86000 A 127.0.0.1";
    pass(&s, FR_DISCOVERY_FAST_MS);
    answer(&s, &g);
    expect(&g, "POST /echo?conf question");
    stop(&s);
}

static void test_cancelled_and_freed_while_it_is_looked_for(void **state)
{
    (void)state;
    struct scene s;
    struct got g, other;
    start(&s, BROKER, BROKER);
    s.theirs.answers_inside = false;
    s.theirs.is_silent = true;
    open_link(&s, port_of(&s, 0), true, true);
    struct fr_link_call *call = ask(&s, &g);
    struct fr_link_call *second = ask(&s, &other);
    s.link->ops->cancel(s.link, call);
    for (int i = 0; i < 10; i++) both(&s);
    assert_false(other.is_done);
    s.lbs[0].skew_ms += 1001; /* patience ends before the name server's silence does */
    for (int i = 0; i < 20000 && !other.is_done; i++) both(&s);
    expect(&other, "POST /echo?conf question");
    assert_false(g.is_done);
    ask(&s, &other); /* the name server is still silent: nobody waits for it again */
    for (int i = 0; i < 200 && !other.is_done; i++) both(&s);
    assert_true(other.is_done);
    second = ask(&s, &other);
    s.link->ops->cancel(s.link, second);
    stop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_discovered_comes_first),
        cmocka_unit_test(test_dead_ways_are_passed),
        cmocka_unit_test(test_a_stranger_in_public_dns),
        cmocka_unit_test(test_nothing_but_strangers),
        cmocka_unit_test(test_changed_records_are_followed),
        cmocka_unit_test(test_the_same_records_again),
        cmocka_unit_test(test_a_host_without_addresses),
        cmocka_unit_test(test_a_host_that_moved),
        cmocka_unit_test(test_cancelled_and_freed_while_it_is_looked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
