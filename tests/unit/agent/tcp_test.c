#include "agent/tcp.h"

#include "asking.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct fr_guests GUESTS;

struct tcp {
    struct asking a;
    struct fr_tcp_conf conf;
    struct fr_tcp *tcp;
    struct sockaddr_in at;
};

/* fr_tcp_open() takes the port it is told: one that was free a moment ago. */
static void start(struct tcp *t, unsigned conns, uint32_t idle_ms)
{
    socklen_t n = sizeof t->at;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    *t = (struct tcp){.conf = {conns, idle_ms}};
    t->at = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001)};
    assert_int_equal(bind(fd, (struct sockaddr *)&t->at, n), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&t->at, &n), 0);
    close(fd);
    const struct fr_addr at = {.ip = {.family = 4, .b = {127, 0, 0, 1}},
                               .port = ntohs(t->at.sin_port)};
    asking_start(&t->a);
    assert_int_equal(fr_tcp_open(t->a.loop, &at, &t->conf, t->a.desk, &GUESTS, NULL, &t->tcp),
                     FR_OK);
}

static void stop(struct tcp *t)
{
    fr_tcp_close(t->tcp);
    asking_stop(&t->a);
}

static int client(struct tcp *t)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    const struct timeval second = {.tv_sec = 1};
    assert_int_equal(connect(fd, (struct sockaddr *)&t->at, sizeof t->at), 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second), 0);
    asking_turns(&t->a, 2);
    return fd;
}

static size_t put(uint8_t *out, struct fr_span message)
{
    out[0] = (uint8_t)(message.n >> 8);
    out[1] = (uint8_t)message.n;
    memcpy(out + 2, message.p, message.n);
    return message.n + 2;
}

static void test_two_questions_in_pieces(void **state)
{
    (void)state;
    struct tcp t;
    uint8_t q[512], all[1100], got[1100];
    start(&t, 5, 1000);
    int fd = client(&t);
    size_t n = put(all, asking_query("example.org", q));
    n += put(all + n, asking_query("1.deveui.fed.test", q));
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(send(fd, all + i, 1, MSG_NOSIGNAL), 1);
        asking_turns(&t.a, 1);
    }
    asking_turns(&t.a, 5);
    ssize_t m = recv(fd, got, sizeof got, 0);
    assert_true(m > 4);
    size_t first = (size_t)got[0] << 8 | got[1];
    assert_int_equal(got[2 + 3] & 15, FR_DNS_REFUSED);
    assert_true((size_t)m > first + 4);
    assert_int_equal(got[2 + first + 2 + 3] & 15, FR_DNS_SERVFAIL);
    assert_int_equal((size_t)m, 4 + first + ((size_t)got[2 + first] << 8 | got[3 + first]));
    shutdown(fd, SHUT_WR);
    asking_turns(&t.a, 3);
    assert_int_equal(recv(fd, got, sizeof got, 0), 0);
    close(fd);
    assert_int_equal(fr_tcp_counters(t.tcp)->open, 0);
    stop(&t);
}

static void test_more_questions_than_are_taken_at_a_time(void **state)
{
    (void)state;
    enum { N = 300 };
    struct tcp t;
    uint8_t q[512], one[514], got[256];
    start(&t, 5, 1000);
    int fd = client(&t);
    size_t n = put(one, asking_query("1.deveui.fed.test", q));
    for (int i = 0; i < N; i++) assert_int_equal(send(fd, one, n, MSG_NOSIGNAL), (ssize_t)n);
    size_t answers = 0;
    for (int turns = 0; turns < 3000 && answers < N; turns++) {
        asking_turns(&t.a, 1);
        while (answers < N && recv(fd, got, 2, MSG_DONTWAIT) == 2) {
            size_t length = (size_t)got[0] << 8 | got[1];
            assert_true(length < sizeof got);
            assert_int_equal(recv(fd, got, length, MSG_WAITALL), (ssize_t)length);
            answers++;
        }
    }
    assert_int_equal(answers, N);
    close(fd);
    asking_turns(&t.a, 3);
    assert_int_equal(fr_tcp_counters(t.tcp)->open, 0);
    stop(&t);
}

static void test_lengths_that_no_question_has(void **state)
{
    (void)state;
    static const uint8_t lengths[][3] = {{0, 0, 1}, {8, 1, 1}, {255, 255, 1}};
    struct tcp t;
    uint8_t got[10];
    start(&t, 5, 1000);
    for (size_t i = 0; i < 3; i++) {
        int fd = client(&t);
        assert_int_equal(send(fd, lengths[i], 3, MSG_NOSIGNAL), 3);
        asking_turns(&t.a, 3);
        assert_true(recv(fd, got, sizeof got, 0) <= 0);
        close(fd);
    }
    assert_int_equal(fr_tcp_counters(t.tcp)->bad, 3);
    stop(&t);
}

static void test_idle_and_too_many(void **state)
{
    (void)state;
    struct tcp t;
    uint8_t got[10];
    start(&t, 1, 100);
    int fd = client(&t), second = client(&t);
    assert_true(recv(second, got, sizeof got, 0) <= 0);
    assert_int_equal(fr_tcp_counters(t.tcp)->too_many, 1);
    assert_int_equal(fr_tcp_counters(t.tcp)->open, 1);
    assert_int_equal(send(fd, "\0\40abc", 5, MSG_NOSIGNAL), 5); /* half a question is no progress */
    for (int i = 0; i < 100 && fr_tcp_counters(t.tcp)->open > 0; i++) asking_turns(&t.a, 1);
    assert_true(recv(fd, got, sizeof got, 0) <= 0);
    assert_int_equal(fr_tcp_counters(t.tcp)->idle, 1);
    close(fd);
    close(second);
    stop(&t);
}

static void test_closed_with_questions_under_way(void **state)
{
    (void)state;
    struct tcp t;
    uint8_t q[512], one[514];
    start(&t, 5, 1000);
    int fd = client(&t);
    size_t n = put(one, asking_query("1.deveui.fed.test", q));
    assert_int_equal(send(fd, one, n, MSG_NOSIGNAL), (ssize_t)n);
    (void)fr_loop_poll_turn(t.a.loop, 5);
    stop(&t);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_questions_in_pieces),
        cmocka_unit_test(test_more_questions_than_are_taken_at_a_time),
        cmocka_unit_test(test_lengths_that_no_question_has),
        cmocka_unit_test(test_idle_and_too_many),
        cmocka_unit_test(test_closed_with_questions_under_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
