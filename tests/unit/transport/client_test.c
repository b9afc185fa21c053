#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/loopback.h"
#include "support/unit.h"

/* A server that says canned bytes, for what ours would never say. */
struct canned {
    struct fr_loop *loop;
    struct fr_watch listen;
    struct fr_watch conns[8];
    unsigned n_conns, n_reads;
    const char *answers[8]; /* to the n-th read; NULL: closes without a word; "-": stays silent */
};

static void canned_read(struct fr_watch *w, unsigned events)
{
    struct canned *s = w->data;
    char buf[4096];

    (void)events;
    if (read(w->fd, buf, sizeof buf) <= 0) {
        fr_watch_stop(w);
        close(w->fd);
        w->fd = -1;
        return;
    }
    const char *answer = s->n_reads < COUNT(s->answers) ? s->answers[s->n_reads] : NULL;
    s->n_reads++;
    if (answer && strcmp(answer, "-") == 0) return;
    if (answer) (void)!write(w->fd, answer, strlen(answer));
    if (answer && !strstr(answer, "EOF")) return;
    fr_watch_stop(w);
    close(w->fd);
    w->fd = -1;
}

static void canned_accept(struct fr_watch *w, unsigned events)
{
    struct canned *s = w->data;
    struct fr_addr peer;
    int fd = -1;

    (void)events;
    assert_int_equal(fr_socket_accept(w->fd, &fd, &peer), FR_OK);
    if (fd < 0) return;
    assert_true(s->n_conns < COUNT(s->conns));
    struct fr_watch *c = &s->conns[s->n_conns++];
    fr_watch_init(c, fd, canned_read, s);
    assert_int_equal(fr_watch_start(s->loop, c, FR_LOOP_READ), FR_OK);
}

static struct fr_addr canned_start(struct canned *s, struct fr_loop *loop)
{
    struct fr_addr at = {.ip = {.family = 4, .b = {127, 0, 0, 1}}};
    int fd = -1;

    s->loop = loop;
    assert_int_equal(fr_socket_listen(&at, false, NULL, &fd), FR_OK);
    assert_int_equal(fr_socket_local(fd, &at), FR_OK);
    fr_watch_init(&s->listen, fd, canned_accept, s);
    assert_int_equal(fr_watch_start(loop, &s->listen, FR_LOOP_READ), FR_OK);
    return at;
}

static void canned_stop(struct canned *s)
{
    fr_watch_stop(&s->listen);
    close(s->listen.fd);
    for (unsigned i = 0; i < s->n_conns; i++) {
        if (s->conns[i].fd < 0) continue;
        fr_watch_stop(&s->conns[i]);
        close(s->conns[i].fd);
    }
}

static struct fr_http_client *plain_client(struct lb *lb, const struct fr_addr *addrs, size_t n,
                                           struct fr_http_client_conf *conf)
{
    struct fr_http_client *client = NULL;

    conf->host = "h.test";
    conf->addrs = addrs;
    conf->n_addrs = n;
    conf->port = addrs[0].port;
    assert_int_equal(fr_http_client_new(lb->loop, conf, &client), FR_OK);
    return client;
}

/* An address on which nobody listens: bound, so that nobody else takes it, but not listening. */
static struct fr_addr dead_addr(int *out_fd)
{
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct fr_addr at;

    *out_fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(*out_fd, (struct sockaddr *)&sa, sizeof sa), 0);
    assert_int_equal(fr_socket_local(*out_fd, &at), FR_OK);
    return at;
}

static void reads_what_servers_say(void **state)
{
    static const struct {
        const char *label, *answer;
        enum fr_http_fault fault;
        unsigned status;
        const char *body;
    } rows[] = {
        {"length", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", FR_HTTP_OK, 200, "ab"},
        {"chunked",
         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n",
         FR_HTTP_OK, 200, "ab"},
        {"until close", "HTTP/1.1 200 OK\r\n\r\nab EOF", FR_HTTP_OK, 200, "ab EOF"},
        {"1.0", "HTTP/1.0 404 Not Found\r\n\r\nEOF", FR_HTTP_OK, 404, "EOF"},
        {"after 100",
         "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n",
         FR_HTTP_OK, 201, ""},
        {"204", "HTTP/1.1 204 No Content\r\n\r\n", FR_HTTP_OK, 204, ""},
        {"too large by length", "HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n",
         FR_HTTP_TOO_LARGE, 0, ""},
        {"too large by chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n",
         FR_HTTP_TOO_LARGE, 0, ""},
        {"closed in the body", "HTTP/1.1 200 OK\r\nX: EOF\r\nContent-Length: 100\r\n\r\nab",
         FR_HTTP_CLOSED, 0, ""},
        {"closed in the head", "HTTP/1.1 200 EOF", FR_HTTP_CLOSED, 0, ""},
        {"closed at once", NULL, FR_HTTP_CLOSED, 0, ""},
        {"garbage", "hello\r\n\r\n", FR_HTTP_PROTOCOL, 0, ""},
        {"bare LF", "HTTP/1.1 200 OK\n\n", FR_HTTP_PROTOCOL, 0, ""},
        {"switching", "HTTP/1.1 101 Switching Protocols\r\n\r\n", FR_HTTP_PROTOCOL, 0, ""},
        {"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nab",
         FR_HTTP_PROTOCOL, 0, ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fr_http_client_conf conf = fr_http_client_conf_default();
        struct canned server = {.answers = {rows[i].answer}};
        struct lb lb;
        struct lb_answer a;

        conf.body_bytes = 1000;
        lb_start(&lb, NULL);
        struct fr_addr at = canned_start(&server, lb.loop);
        struct fr_http_client *client = plain_client(&lb, &at, 1, &conf);
        lb_call(&lb, client, "GET", "/", "", &a);
        if (a.fault != rows[i].fault || a.status != rows[i].status ||
            strcmp(a.body, rows[i].body) != 0)
            fail_msg("%s: %s \"%s\" %u \"%s\"", rows[i].label, fr_http_fault_word(a.fault), a.text,
                     a.status, a.body);
        CHECK_ROW(rows[i].label, (a.fault == FR_HTTP_OK) == (a.text[0] == '\0'));
        CHECK_ROW(rows[i].label, server.n_reads == 1); /* nothing was sent twice */
        fr_http_client_free(client);
        canned_stop(&server);
        lb_stop(&lb);
    }
}

static void a_stale_connection_is_replaced_once(void **state)
{
    static const char good[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    static const struct {
        const char *label;
        bool is_retryable;
        const char *second, *third;
        enum fr_http_fault fault;
        unsigned reads;
    } rows[] = {
        {"retried", true, NULL, good, FR_HTTP_OK, 3},
        {"not allowed to", false, NULL, good, FR_HTTP_CLOSED, 2},
        {"once only", true, NULL, NULL, FR_HTTP_CLOSED, 3},
        {"an answer had begun", true, "HTTP/1.1 200 EOF", good, FR_HTTP_CLOSED, 2},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct canned server = {.answers = {good, rows[i].second, rows[i].third}};
        struct fr_http_client_conf conf = fr_http_client_conf_default();
        struct lb lb;
        struct lb_answer a;

        lb_start(&lb, NULL);
        struct fr_addr at = canned_start(&server, lb.loop);
        struct fr_http_client *client = plain_client(&lb, &at, 1, &conf);
        lb_call(&lb, client, "GET", "/", "", &a);
        CHECK_ROW(rows[i].label, a.fault == FR_HTTP_OK);
        if (rows[i].is_retryable) {
            lb_call(&lb, client, "GET", "/", "", &a);
        } else {
            const struct fr_http_request req = {
                .method = "POST", .target = "/", .body = fr_span_str("x")};

            lb_send_once(client, &req, &a);
            lb_until(&lb, &a.is_done);
        }
        if (a.fault != rows[i].fault) fail_msg("%s: %s", rows[i].label, a.text);
        CHECK_ROW(rows[i].label, server.n_reads == rows[i].reads);
        fr_http_client_free(client);
        canned_stop(&server);
        lb_stop(&lb);
    }
}

static void addresses_are_tried_in_order(void **state)
{
    struct fr_http_client_conf conf = fr_http_client_conf_default();
    struct fr_addr addrs[3];
    struct lb lb;
    struct lb_answer a;
    int dead[2];

    (void)state;
    lb_start(&lb, NULL);
    lb_listen(&lb);
    addrs[0] = dead_addr(&dead[0]);
    addrs[1] = dead_addr(&dead[1]);
    addrs[2] = *fr_http_listener_addr(lb.listener);
    struct fr_http_client *client = plain_client(&lb, addrs, 3, &conf);
    lb_call(&lb, client, "GET", "/echo", "", &a);
    assert_int_equal(a.fault, FR_HTTP_OK);
    assert_int_equal(fr_http_client_counters(client)->connects_failed, 2);

    /* the one that worked is tried first next time */
    fr_http_client_close_idle(client);
    lb_call(&lb, client, "GET", "/echo", "", &a);
    assert_int_equal(a.fault, FR_HTTP_OK);
    assert_int_equal(fr_http_client_counters(client)->connects_failed, 2);
    fr_http_client_free(client);

    client = plain_client(&lb, addrs, 2, &conf);
    lb_call(&lb, client, "GET", "/echo", "", &a);
    assert_int_equal(a.fault, FR_HTTP_REFUSED);
    assert_non_null(strstr(a.text, "Connection refused"));
    assert_non_null(strstr(a.text, "h.test"));

    /* and with other addresses it works again */
    assert_int_equal(fr_http_client_set_addrs(client, &addrs[2], 1), FR_OK);
    lb_call(&lb, client, "GET", "/echo", "", &a);
    assert_int_equal(a.fault, FR_HTTP_OK);
    fr_http_client_free(client);
    close(dead[0]);
    close(dead[1]);
    lb_stop(&lb);
}

static void a_silent_server_is_given_up(void **state)
{
    struct fr_http_client_conf conf = fr_http_client_conf_default();
    struct canned server = {.answers = {"-", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"}};
    struct lb lb;
    struct lb_answer a;

    (void)state;
    lb_start(&lb, NULL);
    struct fr_addr at = canned_start(&server, lb.loop);
    struct fr_http_client *client = plain_client(&lb, &at, 1, &conf);
    lb_send(client, "GET", "/", "", &a);
    for (int i = 0; i < 100 && server.n_reads == 0; i++) lb_turns(&lb, 1);
    lb.skew_ms += 4900;
    lb_turns(&lb, 3);
    assert_false(a.is_done);
    lb.skew_ms += 200;
    lb_until(&lb, &a.is_done);
    assert_int_equal(a.fault, FR_HTTP_TIMEOUT);
    assert_non_null(strstr(a.text, "did not answer within 5000 ms"));

    lb_call(&lb, client, "GET", "/", "", &a); /* on a connection of its own */
    assert_int_equal(a.fault, FR_HTTP_OK);
    assert_int_equal(server.n_conns, 2);
    fr_http_client_free(client);
    canned_stop(&server);
    lb_stop(&lb);
}

static void a_server_that_does_not_accept_is_unreachable(void **state)
{
    struct fr_http_client_conf conf = fr_http_client_conf_default();
    struct lb lb;
    struct lb_answer a;
    struct test_ca *ca = test_ca_new("CA");
    struct fr_tls_ctx *tls = lb_client_ctx(NULL, ca);
    struct canned server = {.answers = {"-"}};
    struct fr_http_client *client = NULL;

    (void)state;
    lb_start(&lb, NULL);
    struct fr_addr at = canned_start(&server, lb.loop);
    conf.host = "h.test";
    conf.addrs = &at;
    conf.n_addrs = 1;
    conf.tls = tls;
    assert_int_equal(fr_http_client_new(lb.loop, &conf, &client), FR_OK);
    lb_send(client, "GET", "/", "", &a);
    for (int i = 0; i < 100 && server.n_reads == 0; i++) lb_turns(&lb, 1);
    lb.skew_ms += 3100; /* connect_ms covers TLS too */
    lb_until(&lb, &a.is_done);
    assert_int_equal(a.fault, FR_HTTP_TIMEOUT);
    assert_non_null(strstr(a.text, "no TLS connection"));
    fr_http_client_free(client);
    canned_stop(&server);
    fr_tls_ctx_unref(tls);
    test_ca_free(ca);
    lb_stop(&lb);
}

static void the_queue_is_bounded(void **state)
{
    struct fr_http_client_conf conf = fr_http_client_conf_default();
    const struct fr_http_request req = {.method = "GET", .target = "/echo"};
    struct lb_answer answers[3];
    struct lb lb;

    (void)state;
    conf.queue = 3;
    lb_start(&lb, NULL);
    lb_listen(&lb);
    struct fr_http_client *client = lb_client(&lb, "h", NULL, &conf);
    for (int i = 0; i < 3; i++) lb_send(client, "GET", "/echo", "", &answers[i]);
    assert_int_equal(fr_http_send(client, &req, 100, NULL, NULL, NULL), FR_E_LIMIT);
    for (int i = 0; i < 3; i++) lb_until(&lb, &answers[i].is_done);
    for (int i = 0; i < 3; i++) assert_int_equal(answers[i].fault, FR_HTTP_OK);
    assert_int_equal(fr_http_client_counters(client)->connects, 1);
    fr_http_client_free(client);
    lb_stop(&lb);
}

static void http1_may_use_a_few_connections(void **state)
{
    struct fr_http_client_conf conf = fr_http_client_conf_default();
    struct lb_answer slow, quick;
    struct lb lb;

    (void)state;
    conf.max_connections = 2;
    lb_start(&lb, NULL);
    lb_listen(&lb);
    struct fr_http_client *client = lb_client(&lb, "h", NULL, &conf);
    lb_send(client, "GET", "/later", "", &slow);
    lb_send(client, "GET", "/echo", "", &quick);
    lb_until(&lb, &quick.is_done); /* did not wait for the slow one */
    assert_false(slow.is_done);
    assert_int_equal(fr_http_client_counters(client)->connects, 2);
    fr_http_reply(lb.later, 200, NULL, 0, fr_span_str("x"));
    lb_until(&lb, &slow.is_done);
    fr_http_client_free(client);
    lb_stop(&lb);
}

static void waiting_for_a_connection_ends_too(void **state)
{
    struct lb_answer slow, waiting;
    struct lb lb;

    (void)state;
    lb_start(&lb, NULL);
    lb_listen(&lb);
    struct fr_http_client *client = lb_client(&lb, "h", NULL, NULL);
    lb_send(client, "GET", "/later", "", &slow);
    lb_send(client, "GET", "/echo", "", &waiting);
    for (int i = 0; i < 100 && !lb.later; i++) lb_turns(&lb, 1);
    lb.skew_ms += 5100;
    lb_until(&lb, &waiting.is_done);
    assert_int_equal(slow.fault, FR_HTTP_TIMEOUT);
    assert_int_equal(waiting.fault, FR_HTTP_BUSY);
    assert_int_equal(lb.requests, 1);
    fr_http_drop(lb.later);
    fr_http_client_free(client);
    lb_stop(&lb);
}

static void cancelling_calls_back_and_spares_the_others(void **state)
{
    struct lb_answer first, second, third;
    struct lb lb;

    (void)state;
    lb_start(&lb, NULL);
    lb_listen(&lb);
    struct fr_http_client *client = lb_client(&lb, "h", NULL, NULL);
    lb_send(client, "GET", "/later", "", &first);
    lb_send(client, "GET", "/echo?2", "", &second);
    lb_send(client, "GET", "/echo?3", "", &third);
    for (int i = 0; i < 100 && !lb.later; i++) lb_turns(&lb, 1);
    fr_http_cancel(second.call);
    assert_true(second.is_done);
    assert_int_equal(second.fault, FR_HTTP_CANCELLED);
    fr_http_cancel(first.call);
    assert_int_equal(first.fault, FR_HTTP_CANCELLED);
    lb_until(&lb, &third.is_done);
    assert_int_equal(third.fault, FR_HTTP_OK);
    assert_string_equal(third.body, "GET /echo?3 ");
    fr_http_reply(lb.later, 200, NULL, 0, fr_span_str("nobody waits"));
    fr_http_client_free(client);
    lb_stop(&lb);
}

struct freeing {
    struct fr_http_client *client;
    unsigned done;
};

static void free_in_callback(void *data, const struct fr_http_result *r)
{
    struct freeing *f = data;

    (void)r;
    f->done++;
    fr_http_client_free(f->client);
}

static void a_callback_may_free_the_client(void **state)
{
    const struct fr_http_request req = {.method = "GET", .target = "/echo"};
    struct freeing f = {0};
    struct lb lb;

    (void)state;
    lb_start(&lb, NULL);
    lb_listen(&lb);
    f.client = lb_client(&lb, "h", NULL, NULL);
    for (int i = 0; i < 3; i++)
        assert_int_equal(fr_http_send(f.client, &req, 5000, free_in_callback, &f, NULL), FR_OK);
    for (int i = 0; i < 100 && f.done < 3; i++) lb_turns(&lb, 1);
    assert_int_equal(f.done, 3);
    lb_stop(&lb);
}

static void freeing_ends_every_call(void **state)
{
    struct lb_answer sent, waiting;
    struct lb lb;

    (void)state;
    lb_start(&lb, NULL);
    lb_listen(&lb);
    struct fr_http_client *client = lb_client(&lb, "h", NULL, NULL);
    lb_send(client, "GET", "/later", "", &sent);
    lb_send(client, "GET", "/echo", "", &waiting);
    for (int i = 0; i < 100 && !lb.later; i++) lb_turns(&lb, 1);
    fr_http_client_free(client);
    assert_int_equal(sent.fault, FR_HTTP_CANCELLED);
    assert_int_equal(waiting.fault, FR_HTTP_CANCELLED);
    fr_http_drop(lb.later);
    lb_stop(&lb);
}

static void idle_connections_are_closed(void **state)
{
    struct fr_http_client_conf conf = fr_http_client_conf_default();
    struct lb_answer a;
    struct lb lb;

    (void)state;
    conf.idle_ms = 1000;
    lb_start(&lb, NULL);
    lb_listen(&lb);
    struct fr_http_client *client = lb_client(&lb, "h", NULL, &conf);
    lb_call(&lb, client, "GET", "/echo", "", &a);
    lb_turns(&lb, 3);
    assert_int_equal(fr_http_server_counters(lb.server)->open, 1);
    lb.skew_ms += 1100;
    lb_turns(&lb, 5);
    assert_int_equal(fr_http_server_counters(lb.server)->open, 0);
    fr_http_client_free(client);

    conf.idle_ms = 0; /* no keeping at all */
    client = lb_client(&lb, "h", NULL, &conf);
    lb_call(&lb, client, "GET", "/echo", "", &a);
    lb_turns(&lb, 5);
    assert_int_equal(fr_http_server_counters(lb.server)->open, 0);
    fr_http_client_free(client);
    lb_stop(&lb);
}

static void requests_carry_what_they_should(void **state)
{
    const struct fr_http_field fields[] = {FR_HTTP_FIELD("content-type", "application/json"),
                                           FR_HTTP_FIELD("x-a", "b")};
    const struct fr_http_request req = {.method = "POST",
                                        .target = "/fields",
                                        .fields = fields,
                                        .n_fields = 2,
                                        .body = fr_span_str("{}")};
    struct lb_answer a = {0};
    struct lb lb;
    char want[200];

    (void)state;
    lb_start(&lb, NULL);
    lb_listen(&lb);
    struct fr_http_client *client = lb_client(&lb, "h.test", NULL, NULL);
    lb_send_once(client, &req, &a);
    lb_until(&lb, &a.is_done);
    snprintf(want, sizeof want,
             "host=h.test:%u\ncontent-length=2\ncontent-type=application/json\nx-a=b\n",
             fr_http_listener_addr(lb.listener)->port);
    assert_string_equal(a.body, want);
    fr_http_client_free(client);
    lb_stop(&lb);
}

static void nonsense_is_refused(void **state)
{
    struct fr_http_client_conf conf = fr_http_client_conf_default();
    struct fr_http_request req = {.method = "GET", .target = "no-slash"};
    struct fr_http_client *client = NULL;
    struct lb lb;

    (void)state;
    lb_start(&lb, NULL);
    lb_listen(&lb);
    assert_int_equal(fr_http_client_new(lb.loop, &conf, &client), FR_E_INVALID);
    conf.host = "h";
    assert_int_equal(fr_http_client_new(lb.loop, &conf, &client), FR_E_INVALID);
    conf.addrs = fr_http_listener_addr(lb.listener);
    conf.n_addrs = 1;
    conf.has_h1 = false;
    assert_int_equal(fr_http_client_new(lb.loop, &conf, &client), FR_E_INVALID);
    client = lb_client(&lb, "h", NULL, NULL);
    assert_int_equal(fr_http_send(client, &req, 100, NULL, NULL, NULL), FR_E_INVALID);
    req.target = "/a b";
    assert_int_equal(fr_http_send(client, &req, 100, NULL, NULL, NULL), FR_E_INVALID);
    fr_http_client_free(client);
    lb_stop(&lb);
}

static void ipv6_is_spoken(void **state)
{
    struct fr_http_listen how = {.at = {.ip = {.family = 6, .b = {[15] = 1}}}};
    struct fr_http_client_conf conf = fr_http_client_conf_default();
    struct fr_diag diag = {0};
    struct lb_answer a;
    struct lb lb;
    char want[64];

    (void)state;
    lb_start(&lb, NULL);
    if (fr_http_server_listen(lb.server, &how, &diag, &lb.listener) != FR_OK)
        fail_msg("%s", diag.what);
    conf.host = "::1";
    conf.addrs = fr_http_listener_addr(lb.listener);
    conf.n_addrs = 1;
    conf.port = conf.addrs->port;
    struct fr_http_client *client = NULL;
    assert_int_equal(fr_http_client_new(lb.loop, &conf, &client), FR_OK);
    lb_call(&lb, client, "GET", "/fields", "", &a);
    snprintf(want, sizeof want, "host=[::1]:%u\n", conf.port);
    assert_string_equal(a.body, want);
    fr_http_client_free(client);
    lb_stop(&lb);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_servers_say),
        cmocka_unit_test(a_stale_connection_is_replaced_once),
        cmocka_unit_test(addresses_are_tried_in_order),
        cmocka_unit_test(a_silent_server_is_given_up),
        cmocka_unit_test(a_server_that_does_not_accept_is_unreachable),
        cmocka_unit_test(the_queue_is_bounded),
        cmocka_unit_test(http1_may_use_a_few_connections),
        cmocka_unit_test(waiting_for_a_connection_ends_too),
        cmocka_unit_test(cancelling_calls_back_and_spares_the_others),
        cmocka_unit_test(a_callback_may_free_the_client),
        cmocka_unit_test(freeing_ends_every_call),
        cmocka_unit_test(idle_connections_are_closed),
        cmocka_unit_test(requests_carry_what_they_should),
        cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(ipv6_is_spoken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
