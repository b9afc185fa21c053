#include "agent/udp.h"

#include "asking.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct fr_guests GUESTS;

static int client(void)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    const struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001)};
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&any, sizeof any), 0);
    return fd;
}

static void send_to(int fd, const struct fr_udp *udp, struct fr_span bytes)
{
    struct sockaddr_storage sa;
    socklen_t n = (socklen_t)fr_addr_to_sockaddr(fr_udp_addr(udp), &sa);
    assert_int_equal(sendto(fd, bytes.p, bytes.n, 0, (struct sockaddr *)&sa, n), bytes.n);
}

static void test_in_and_out(void **state)
{
    (void)state;
    struct asking a;
    struct fr_udp *udp = NULL;
    uint8_t q[512], got[2048], large[2049] = {0};
    const struct fr_addr at = {.ip = {.family = 4, .b = {127, 0, 0, 1}}};
    asking_start(&a);
    assert_int_equal(fr_udp_open(a.loop, &at, a.desk, &GUESTS, NULL, &udp), FR_OK);
    int fd = client();
    send_to(fd, udp, asking_query("example.org", q));
    asking_turns(&a, 3);
    assert_true(recv(fd, got, sizeof got, 0) > 12);
    assert_memory_equal(got, "\x12\x34", 2);
    assert_int_equal(got[3] & 15, FR_DNS_REFUSED);

    send_to(fd, udp, fr_span(large, sizeof large));
    send_to(fd, udp, fr_span(large, 3));
    asking_turns(&a, 3);
    assert_int_equal(recv(fd, got, sizeof got, 0), -1);
    const struct fr_udp_counters *c = fr_udp_counters(udp);
    assert_int_equal(c->datagrams, 3);
    assert_int_equal(c->too_long, 1);
    assert_int_equal(c->strangers, 0);

    send_to(fd, udp, asking_query("1.deveui.fed.test", q));
    (void)fr_loop_poll_turn(a.loop, 0);
    fr_udp_close(udp); /* with a question under way */
    close(fd);
    asking_stop(&a);
}

static void test_a_port_in_use(void **state)
{
    (void)state;
    struct asking a;
    struct fr_udp *udp = NULL, *second = NULL;
    struct fr_diag diag = {0};
    const struct fr_addr at = {.ip = {.family = 4, .b = {127, 0, 0, 1}}};
    asking_start(&a);
    assert_int_equal(fr_udp_open(a.loop, &at, a.desk, &GUESTS, NULL, &udp), FR_OK);
    struct fr_addr same = *fr_udp_addr(udp);
    assert_int_not_equal(fr_udp_open(a.loop, &same, a.desk, &GUESTS, &diag, &second), FR_OK);
    assert_null(second);
    assert_non_null(strstr(diag.what, "cannot listen on UDP 127.0.0.1:"));
    fr_udp_close(udp);
    fr_udp_close(NULL);
    asking_stop(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_and_out),
        cmocka_unit_test(test_a_port_in_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
