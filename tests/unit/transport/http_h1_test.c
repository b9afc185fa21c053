#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "support/loopback.h"
#include "support/unit.h"

/* The server as a client of HTTP/1 sees it: raw bytes over a loopback socket. */

static const char *ask(struct lb *lb, const char *text, bool *out_closed)
{
    return lb_raw(lb, text, strlen(text), 0, out_closed);
}

struct row {
    const char *label, *in, *begins, *has; /* the answer begins with, and has somewhere */
    bool is_closed;
};

static const struct row ROWS[] = {
    {"GET", "GET /echo?x HTTP/1.1\r\nHost: h\r\n\r\n",
     "HTTP/1.1 200 OK\r\nDate: ", "Content-Length: 12\r\n", false},
    {"canonical names", "GET /echo HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 200 OK",
     "\r\nContent-Type: text/x-echo\r\n", false},
    {"HEAD", "HEAD /echo HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 200 OK",
     "Content-Length: 11\r\nContent-Type: text/x-echo\r\n\r\n", false},
    {"body by length", "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc",
     "HTTP/1.1 200 OK", "POST /echo abc", false},
    {"body by chunks",
     "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
     "chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
     "HTTP/1.1 200 OK", "POST /echo abc", false},
    {"close asked for", "GET /echo HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
     "HTTP/1.1 200 OK", "Connection: close\r\n", true},
    {"HTTP/1.0", "GET /echo HTTP/1.0\r\n\r\n", "HTTP/1.1 200 OK", "Connection: close\r\n", true},
    {"HTTP/1.0 kept", "GET /echo HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "HTTP/1.1 200 OK",
     "Connection: keep-alive\r\n", false},
    {"the handler closes", "GET /close HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 200 OK",
     "Connection: close\r\n", true},
    {"an empty line before", "\r\nGET /echo HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 200 OK",
     "GET /echo", false},
    {"100-continue",
     "POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n",
     "HTTP/1.1 100 Continue\r\n\r\n", "", false},
    {"not found", "GET /nothing HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 404 Not Found",
     "no such path\n", false},
    {"garbage", "\x16\x03\x01\x02\x03\r\n\r\n", "HTTP/1.1 400 Bad Request", "Connection: close\r\n",
     true},
    {"bare LF", "GET /echo HTTP/1.1\nHost: h\n\n", "HTTP/1.1 400 ", "", true},
    {"length and chunked",
     "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: "
     "chunked\r\n\r\n0\r\n\r\n",
     "HTTP/1.1 400 ", "", true},
    {"bad chunk", "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
     "HTTP/1.1 400 ", "", true},
    {"too large by length", "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\n\r\n",
     "HTTP/1.1 413 Content Too Large", "", true},
    {"too large, expecting",
     "POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 1001\r\n\r\n",
     "HTTP/1.1 413 ", "", true},
    {"too large by chunk",
     "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n", "HTTP/1.1 413 ",
     "", true},
    {"dropped", "GET /drop HTTP/1.1\r\nHost: h\r\n\r\n", "", "", true},
};

static void answers_requests(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(ROWS); i++) {
        struct fr_http_server_conf conf = fr_http_server_conf_default();
        struct lb lb;
        bool is_closed;

        conf.body_bytes = 1000;
        lb_start(&lb, &conf);
        lb_listen(&lb);
        const char *answer = ask(&lb, ROWS[i].in, &is_closed);
        if (strncmp(answer, ROWS[i].begins, strlen(ROWS[i].begins)) != 0 ||
            !strstr(answer, ROWS[i].has) || is_closed != ROWS[i].is_closed)
            fail_msg("%s: closed %d: %s", ROWS[i].label, is_closed, answer);
        lb_stop(&lb);
    }
}

static size_t count(const char *text, const char *what)
{
    size_t n = 0;

    for (const char *p = text; (p = strstr(p, what)) != NULL; p++) n++;
    return n;
}

static void pipelined_requests_are_answered_in_order_however_they_are_cut(void **state)
{
    static const char text[] = "GET /echo?1 HTTP/1.1\r\nHost: h\r\n\r\n"
                               "POST /echo?2 HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"
                               "POST /echo?3 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
                               "chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
                               "GET /echo?4 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
                               "GET /echo?never HTTP/1.1\r\nHost: h\r\n\r\n";

    (void)state;
    for (size_t step = 0; step <= 64; step = step ? step * 2 : 1) {
        struct lb lb;
        bool is_closed;

        lb_start(&lb, NULL);
        lb_listen(&lb);
        const char *answer = lb_raw(&lb, text, sizeof text - 1, step, &is_closed);
        const char *one = strstr(answer, "GET /echo?1"),
                   *two = strstr(answer, "POST /echo?2 hello"),
                   *three = strstr(answer, "POST /echo?3 abc"),
                   *four = strstr(answer, "GET /echo?4");
        assert_true(one && two && three && four && one < two && two < three && three < four);
        assert_null(strstr(answer, "never"));
        assert_true(is_closed);
        assert_int_equal(lb.requests, 4);
        lb_stop(&lb);
    }
}

static void every_truncation_leaves_the_server_well(void **state)
{
    static const char text[] = "POST /echo?2 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
                               "chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    struct lb lb;
    bool is_closed;

    (void)state;
    lb_start(&lb, NULL);
    lb_listen(&lb);
    for (size_t cut = 0; cut < sizeof text - 1; cut++) {
        assert_string_equal(lb_raw(&lb, text, cut, 0, &is_closed), "");
        assert_int_equal(lb.requests, 0);
    }
    assert_non_null(strstr(lb_raw(&lb, text, sizeof text - 1, 0, &is_closed), "POST /echo?2 abc"));
    assert_int_equal(fr_http_server_counters(lb.server)->open, 0);
    lb_stop(&lb);
}

static void many_pipelined_requests_are_bounded_by_the_turn(void **state)
{
    struct fr_http_server_conf conf = fr_http_server_conf_default();
    struct fr_buf in = FR_BUF_INIT(1 << 20);
    struct lb lb;
    bool is_closed;

    (void)state;
    conf.requests_per_turn = 3;
    conf.backlog_bytes = 500;
    lb_start(&lb, &conf);
    lb_listen(&lb);
    for (int i = 0; i < 1000; i++) fr_buf_add_str(&in, "GET /echo HTTP/1.1\r\nHost: h\r\n\r\n");
    const char *answer = lb_raw(&lb, fr_buf_str(&in), in.n, 0, &is_closed);
    assert_int_equal(count(answer, "HTTP/1.1 200 OK"), 1000);
    assert_false(is_closed);
    fr_buf_deinit(&in);
    lb_stop(&lb);
}

static void large_answers_arrive_whole(void **state)
{
    static const size_t sizes[] = {0, 1, 16383, 16384, 16385, 100000, 700000};
    struct lb lb;
    bool is_closed;

    (void)state;
    lb_start(&lb, NULL);
    lb_listen(&lb);
    for (size_t i = 0; i < COUNT(sizes); i++) {
        char text[200], want[64];

        snprintf(
            text, sizeof text,
            "GET /big?%zu HTTP/1.1\r\nHost: h\r\n\r\nGET /echo?after HTTP/1.1\r\nHost: h\r\n\r\n",
            sizes[i]);
        snprintf(want, sizeof want, "Content-Length: %zu\r\n", sizes[i]);
        const char *answer = ask(&lb, text, &is_closed);
        const char *body = strstr(answer, "\r\n\r\n");
        assert_non_null(strstr(answer, want));
        for (size_t k = 0; k < sizes[i]; k++)
            if (body[4 + k] != (char)('a' + k % 26)) fail_msg("byte %zu of %zu", k, sizes[i]);
        assert_int_equal(strncmp(body + 4 + sizes[i], "HTTP/1.1 200 OK", 15), 0);
        assert_non_null(strstr(body, "GET /echo?after"));
    }
    lb_stop(&lb);
}

static void an_answer_may_come_later_or_too_late(void **state)
{
    struct lb lb;
    struct lb_answer a;
    bool is_closed;

    (void)state;
    lb_start(&lb, NULL);
    lb_listen(&lb);
    struct fr_http_client *client = lb_client(&lb, "h", NULL, NULL);
    lb_send(client, "GET", "/later", "", &a);
    for (int i = 0; i < 100 && !lb.later; i++) lb_turns(&lb, 1);
    assert_false(a.is_done);
    fr_http_reply(lb.later, 201, NULL, 0, fr_span_str("at last"));
    lb_until(&lb, &a.is_done);
    assert_int_equal(a.status, 201);
    assert_string_equal(a.body, "at last");

    /* The peer has gone: the exchange lives, its connection does not. */
    lb.later = NULL;
    ask(&lb, "GET /later HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", &is_closed);
    assert_non_null(lb.later);
    fr_http_reply(lb.later, 200, NULL, 0, fr_span_str("nobody listens"));
    lb_turns(&lb, 5);
    assert_int_equal(fr_http_server_counters(lb.server)->in_progress, 0);
    fr_http_client_free(client);
    lb_turns(&lb, 5);
    assert_int_equal(fr_http_server_counters(lb.server)->open, 0);

    /* The server has gone. */
    ask(&lb, "GET /later HTTP/1.1\r\nHost: h\r\n\r\n", &is_closed);
    struct fr_http_exchange *last = lb.later;
    lb_stop(&lb);
    assert_null(last->conn);
    fr_http_reply(last, 200, NULL, 0, fr_span_str("nobody at all"));
}

static void deadlines_close_slow_connections(void **state)
{
    static const struct {
        const char *label, *in;
        int64_t skew_ms;
        const char *begins;
    } rows[] = {
        {"no request", "", 5100, ""},
        {"half a first request", "GET /echo HT", 5100, "HTTP/1.1 408 Request Timeout"},
        {"half a second request", "GET /echo HTTP/1.1\r\nHost: h\r\n\r\nGET /ec", 10100,
         "HTTP/1.1 200 OK"},
        {"half a body", "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab", 10100,
         "HTTP/1.1 408 Request Timeout"},
        {"idle", "GET /echo HTTP/1.1\r\nHost: h\r\n\r\n", 121000, "HTTP/1.1 200 OK"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct fr_http_server_counters *n;
        char got[4096] = "";
        struct lb lb;
        int fd = -1, errnum;
        size_t at = 0;
        bool is_closed = false;

        lb_start(&lb, NULL);
        lb_listen(&lb);
        assert_int_equal(fr_socket_connect(fr_http_listener_addr(lb.listener), &fd, &errnum),
                         FR_OK);
        lb_turns(&lb, 3);
        (void)!write(fd, rows[i].in, strlen(rows[i].in));
        lb_turns(&lb, 5);
        assert_int_equal(fr_http_server_counters(lb.server)->open, 1);
        lb.skew_ms += rows[i].skew_ms;
        for (int k = 0; k < 10 && !is_closed; k++) {
            lb_turns(&lb, 1);
            ssize_t r = read(fd, got + at, sizeof got - 1 - at);
            if (r > 0) at += (size_t)r;
            is_closed = r == 0;
        }
        CHECK_ROW(rows[i].label, is_closed);
        CHECK_ROW(rows[i].label, strncmp(got, rows[i].begins, strlen(rows[i].begins)) == 0);
        n = fr_http_server_counters(lb.server);
        CHECK_ROW(rows[i].label, n->late_first_request + n->late_request + n->late_idle == 1);
        close(fd);
        lb_stop(&lb);
    }
}

static void a_handler_at_work_is_not_hurried(void **state)
{
    struct lb lb;
    struct lb_answer a;

    (void)state;
    lb_start(&lb, NULL);
    lb_listen(&lb);
    struct fr_http_client *client = lb_client(&lb, "h", NULL, NULL);
    lb_send(client, "GET", "/later", "", &a);
    for (int i = 0; i < 100 && !lb.later; i++) lb_turns(&lb, 1);
    assert_non_null(lb.later);
    lb.skew_ms += 4000; /* below the client's own deadline of 5 s, above nothing of the server's */
    lb_turns(&lb, 5);
    assert_int_equal(fr_http_server_counters(lb.server)->open, 1);
    fr_http_reply(lb.later, 200, NULL, 0, fr_span_str("done"));
    lb_until(&lb, &a.is_done);
    assert_string_equal(a.body, "done");
    fr_http_client_free(client);
    lb_stop(&lb);
}

static void a_peer_that_does_not_read_is_cut_off(void **state)
{
    struct fr_http_server_conf conf = fr_http_server_conf_default();
    struct lb lb;
    int fd = -1, errnum;

    (void)state;
    conf.backlog_bytes = 1000;
    lb_start(&lb, &conf);
    lb_listen(&lb);
    assert_int_equal(fr_socket_connect(fr_http_listener_addr(lb.listener), &fd, &errnum), FR_OK);
    lb_turns(&lb, 3);
    const char *text = "GET /big?16000000 HTTP/1.1\r\nHost: h\r\n\r\n";
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    lb_turns(&lb, 600);
    assert_int_equal(fr_http_server_counters(lb.server)->open, 1);
    assert_true(fr_http_server_counters(lb.server)->limit_backlog > 0);
    lb.skew_ms += 10100;
    lb_turns(&lb, 5);
    assert_int_equal(fr_http_server_counters(lb.server)->open, 0);
    assert_int_equal(fr_http_server_counters(lb.server)->late_write, 1);
    close(fd);
    lb_stop(&lb);
}

static void connections_are_limited(void **state)
{
    struct fr_http_server_conf conf = fr_http_server_conf_default();
    struct lb lb;
    int fds[5], errnum;

    (void)state;
    conf.connections = 3;
    lb_start(&lb, &conf);
    lb_listen(&lb);
    for (size_t i = 0; i < COUNT(fds); i++)
        assert_int_equal(fr_socket_connect(fr_http_listener_addr(lb.listener), &fds[i], &errnum),
                         FR_OK);
    lb_turns(&lb, 10);
    assert_int_equal(fr_http_server_counters(lb.server)->open, 3);
    assert_int_equal(fr_http_server_counters(lb.server)->limit_connections, 2);
    close(fds[0]);
    lb_turns(&lb, 5);
    assert_int_equal(fr_http_server_counters(lb.server)->open, 2);
    for (size_t i = 1; i < COUNT(fds); i++) close(fds[i]);
    lb_stop(&lb);
}

static void set_flag(void *data)
{
    *(bool *)data = true;
}

static void stopping_waits_for_answers(void **state)
{
    struct lb lb;
    struct lb_answer a, idle;
    bool is_stopped = false;

    (void)state;
    lb_start(&lb, NULL);
    lb_listen(&lb);
    struct fr_http_client *client = lb_client(&lb, "h", NULL, NULL),
                          *other = lb_client(&lb, "h", NULL, NULL);
    lb_call(&lb, other, "GET", "/echo", "", &idle);
    lb_send(client, "GET", "/later", "", &a);
    for (int i = 0; i < 100 && !lb.later; i++) lb_turns(&lb, 1);
    fr_http_server_stop(lb.server, 1000, set_flag, &is_stopped);
    lb_turns(&lb, 5);
    assert_false(is_stopped);
    assert_int_equal(fr_http_server_counters(lb.server)->open, 2);
    lb_call(&lb, other, "GET", "/echo", "", &idle); /* may have been on its way */
    assert_int_equal(idle.status, 200);
    assert_false(idle.is_new_connection);
    lb.skew_ms += 150; /* the notice is over */
    lb_turns(&lb, 5);
    assert_int_equal(fr_http_server_counters(lb.server)->open, 1); /* the idle one is gone */
    fr_http_reply(lb.later, 200, NULL, 0, fr_span_str("still"));
    lb_until(&lb, &a.is_done);
    assert_string_equal(a.body, "still");
    lb_until(&lb, &is_stopped);
    fr_http_client_free(client);
    fr_http_client_free(other);
    lb_stop(&lb);
}

static void a_drain_ends(void **state)
{
    struct lb lb;
    struct lb_answer a;
    bool is_stopped = false;

    (void)state;
    lb_start(&lb, NULL);
    lb_listen(&lb);
    struct fr_http_client *client = lb_client(&lb, "h", NULL, NULL);
    lb_send(client, "GET", "/later", "", &a);
    for (int i = 0; i < 100 && !lb.later; i++) lb_turns(&lb, 1);
    fr_http_server_stop(lb.server, 1000, set_flag, &is_stopped);
    lb.skew_ms += 150;
    lb_turns(&lb, 3);
    lb.skew_ms += 1000;
    lb_until(&lb, &is_stopped);
    lb_until(&lb, &a.is_done);
    assert_int_equal(a.fault, FR_HTTP_CLOSED);
    fr_http_reply(lb.later, 200, NULL, 0, fr_span_str("too late"));
    fr_http_client_free(client);
    lb_stop(&lb);
}

static void unix_sockets_tell_the_user(void **state)
{
    char want[64];
    struct lb lb;
    struct lb_answer a;

    (void)state;
    lb_start(&lb, NULL);
    lb_listen_unix(&lb);
    struct fr_http_client *client = lb_client(&lb, "control", NULL, NULL);
    lb_call(&lb, client, "GET", "/peer", "", &a);
    snprintf(want, sizeof want, "uid=%d", (int)getuid());
    assert_string_equal(a.body, want);
    fr_http_client_free(client);
    lb_stop(&lb);
}

static void a_unix_socket_in_use_is_not_taken_over(void **state)
{
    struct fr_http_listen how = {0};
    struct fr_diag diag = {0};
    struct lb lb;

    (void)state;
    lb_start(&lb, NULL);
    lb_listen_unix(&lb);
    how.unix_path = lb.unix_path;
    assert_int_equal(fr_http_server_listen(lb.server, &how, &diag, NULL), FR_E_EXISTS);
    fr_http_listener_close(lb.listener); /* leaves the file: now it is stale */
    assert_int_equal(fr_http_server_listen(lb.server, &how, &diag, NULL), FR_OK);
    lb_stop(&lb);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_requests),
        cmocka_unit_test(pipelined_requests_are_answered_in_order_however_they_are_cut),
        cmocka_unit_test(every_truncation_leaves_the_server_well),
        cmocka_unit_test(many_pipelined_requests_are_bounded_by_the_turn),
        cmocka_unit_test(large_answers_arrive_whole),
        cmocka_unit_test(an_answer_may_come_later_or_too_late),
        cmocka_unit_test(deadlines_close_slow_connections),
        cmocka_unit_test(a_handler_at_work_is_not_hurried),
        cmocka_unit_test(a_peer_that_does_not_read_is_cut_off),
        cmocka_unit_test(connections_are_limited),
        cmocka_unit_test(stopping_waits_for_answers),
        cmocka_unit_test(a_drain_ends),
        cmocka_unit_test(unix_sockets_tell_the_user),
        cmocka_unit_test(a_unix_socket_in_use_is_not_taken_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
