#include <sys/resource.h>
#include <unistd.h>

#include "support/unit.h"
#include "transport/accept.h"
#include "transport/loop_poll.h"
#include "transport/socket.h"

struct door {
    struct fr_loop *loop;
    struct fr_accept accept;
    struct fr_addr at;
    int taken[4];
    unsigned n;
};

static void on_accepted(void *data, int fd, const struct fr_addr *peer)
{
    struct door *door = data;

    assert_int_equal(peer->ip.family, 4);
    assert_true(door->n < 4);
    door->taken[door->n++] = fd;
}

static int open_door(void **state)
{
    static struct door door;
    const struct fr_addr any = {.ip = {.family = 4, .b = {127, 0, 0, 1}}};
    struct fr_diag diag = {0};
    int fd = -1;

    door = (struct door){0};
    fr_accept_init(&door.accept, on_accepted, &door);
    fr_accept_close(&door.accept); /* legal before a start */
    assert_int_equal(fr_loop_poll_new(NULL, &door.loop), FR_OK);
    assert_int_equal(fr_socket_listen(&any, false, &diag, &fd), FR_OK);
    assert_int_equal(fr_socket_local(fd, &door.at), FR_OK);
    assert_int_equal(fr_accept_start(&door.accept, door.loop, fd), FR_OK);
    *state = &door;
    return 0;
}

static int close_door(void **state)
{
    struct door *door = *state;

    for (unsigned i = 0; i < door->n; i++) (void)close(door->taken[i]);
    fr_accept_close(&door->accept);
    fr_loop_poll_free(door->loop);
    return 0;
}

static int knock(const struct door *door)
{
    int fd = -1, errnum = 0;

    assert_int_equal(fr_socket_connect(&door->at, &fd, &errnum), FR_OK);
    return fd;
}

static void turn_until(struct door *door, unsigned n)
{
    for (int i = 0; i < 500 && door->n < n; i++) (void)fr_loop_poll_turn(door->loop, 20);
    assert_int_equal(door->n, n);
}

static void test_each_connection_is_handed_over(void **state)
{
    struct door *door = *state;
    int clients[] = {knock(door), knock(door), knock(door)};

    turn_until(door, 3);
    for (size_t i = 0; i < 3; i++) (void)close(clients[i]);
}

/* Level-triggered, a listener that cannot accept would be ready at once, again and again. */
static void test_without_descriptors_it_rests_and_comes_back(void **state)
{
    struct door *door = *state;
    struct rlimit all, none;
    int client = knock(door), turns = 0;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &all), 0);
    none = (struct rlimit){.rlim_cur = 3, .rlim_max = all.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    const int64_t until = fr_loop_now_ms(door->loop) + 250;
    for (; fr_loop_now_ms(door->loop) < until; turns++) (void)fr_loop_poll_turn(door->loop, 1000);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &all), 0);
    assert_int_equal(door->n, 0);
    assert_true(turns < 20);
    turn_until(door, 1);
    (void)close(client);
}

static void test_closed_it_takes_nobody_in(void **state)
{
    struct door *door = *state;
    int client = knock(door);

    fr_accept_close(&door->accept);
    (void)fr_loop_poll_turn(door->loop, 20);
    assert_int_equal(door->n, 0);
    fr_accept_close(&door->accept);
    (void)close(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_each_connection_is_handed_over, open_door, close_door),
        cmocka_unit_test_setup_teardown(test_without_descriptors_it_rests_and_comes_back, open_door,
                                        close_door),
        cmocka_unit_test_setup_teardown(test_closed_it_takes_nobody_in, open_door, close_door),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
