#include "replica/desk.h"

#include "unit/store/fixture.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

struct seat {
    struct fixture *f;
    struct fr_feed_desk *desk;
};

static int seat_setup(void **state)
{
    struct seat *seat = calloc(1, sizeof *seat);
    void *f = NULL;

    if (seat == NULL || store_setup(&f) != 0) return -1;
    seat->f = f;
    assert_int_equal(fr_feed_turn_on(seat->f->store), FR_OK);
    assert_int_equal(fr_feed_desk_new(seat->f->store, fr_clock_system(), &seat->desk), FR_OK);
    *state = seat;
    return 0;
}

static int seat_teardown(void **state)
{
    struct seat *seat = *state;
    void *f = seat->f;

    fr_feed_desk_free(seat->desk);
    store_teardown(&f);
    free(seat);
    return 0;
}

#define SEAT_TEST(f) cmocka_unit_test_setup_teardown(f, seat_setup, seat_teardown)

static struct fr_feed_place head_of(struct fr_store *store)
{
    struct fr_snap *snap = begin_snap(store);
    struct fr_feed_state state;

    assert_int_equal(fr_feed_get(snap, &state), FR_OK);
    fr_snap_end(snap);
    return state.head;
}

static void note(struct seat *seat, uint8_t n, const char *host, struct fr_feed_place place)
{
    struct fr_cert_row who = {.serial = {n}};

    strcpy(who.host, host);
    fr_feed_desk_note(seat->desk, &who, &place);
}

static struct fr_change *begin_with_member(struct fr_store *store)
{
    struct fr_change *change = begin_change(store);

    add_member(change, "later");
    return change;
}

static void nobody_has_to_without_a_limit(void **state)
{
    struct seat *seat = *state;

    assert_int_equal(fr_feed_desk_wait(seat->desk, NULL), FR_OK);
}

static void nobody_confirms(void **state)
{
    struct seat *seat = *state;
    struct fr_feed_desk_counters counters;
    struct fr_diag diag = {0};
    struct fr_feed_place head = head_of(seat->f->store);

    fr_feed_desk_set_limit(seat->desk, 50);
    assert_int_equal(fr_feed_desk_wait(seat->desk, &diag), FR_E_UNAVAILABLE);
    assert_non_null(strstr(diag.what, "made here"));
    head.position--;
    note(seat, 1, "b2", head); /* near, but not there */
    assert_int_equal(fr_feed_desk_wait(seat->desk, &diag), FR_E_UNAVAILABLE);
    head.position++;
    head.term++; /* of another history */
    note(seat, 1, "b2", head);
    assert_int_equal(fr_feed_desk_wait(seat->desk, &diag), FR_E_UNAVAILABLE);
    fr_feed_desk_read(seat->desk, &counters);
    assert_int_equal(counters.n, 1);
    assert_string_equal(counters.followers[0].host, "b2");
    assert_int_equal(counters.unconfirmed, 3);
    assert_int_equal(counters.confirmed, 0);
}

static void one_of_them_is_enough(void **state)
{
    struct seat *seat = *state;
    const struct fr_feed_place none = {0};

    fr_feed_desk_set_limit(seat->desk, 10000);
    note(seat, 1, "b2", none);
    note(seat, 2, "b3", head_of(seat->f->store));
    assert_int_equal(fr_feed_desk_wait(seat->desk, NULL), FR_OK);
}

static void *confirm_later(void *data)
{
    struct seat *seat = data;

    (void)usleep(20000);
    note(seat, 1, "b2", head_of(seat->f->store));
    return NULL;
}

static void waits_for_the_receipt(void **state)
{
    struct seat *seat = *state;
    const struct fr_feed_place none = {0};
    pthread_t thread;

    fr_feed_desk_set_limit(seat->desk, 60000);
    note(seat, 1, "b2", none);
    assert_int_equal(pthread_create(&thread, NULL, confirm_later, seat), 0);
    assert_int_equal(fr_feed_desk_wait(seat->desk, NULL), FR_OK);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

static void the_silent_make_room(void **state)
{
    struct seat *seat = *state;
    const struct fr_feed_place none = {0};
    struct fr_feed_desk_counters counters;

    for (uint8_t n = 0; n < FR_DESK_FOLLOWERS + 3; n++) {
        char host[8];
        snprintf(host, sizeof host, "b%u", n);
        note(seat, n, host, none);
    }
    fr_feed_desk_read(seat->desk, &counters);
    assert_int_equal(counters.n, FR_DESK_FOLLOWERS);
}

/* A host is the same replica with its next certificate; it lags from when it last had all. */
static void a_renewed_certificate_makes_no_second_replica(void **state)
{
    struct seat *seat = *state;
    struct fr_feed_desk_counters counters;
    const struct fr_feed_place none = {0}, head = head_of(seat->f->store);

    note(seat, 1, "b2", head);
    fr_feed_desk_read(seat->desk, &counters);
    assert_int_equal(counters.followers[0].lag_ms, 0);
    commit_change(begin_with_member(seat->f->store));
    (void)usleep(5000);
    note(seat, 2, "b2", head);
    note(seat, 3, "b3", none);
    fr_feed_desk_read(seat->desk, &counters);
    assert_int_equal(counters.n, 2);
    assert_int_equal(counters.followers[0].position, head.position);
    assert_true(counters.followers[0].lag_ms >= 5);
    note(seat, 2, "b2", head_of(seat->f->store));
    fr_feed_desk_read(seat->desk, &counters);
    assert_int_equal(counters.followers[0].lag_ms, 0);
    assert_true(counters.followers[1].position < head.position || head.position == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SEAT_TEST(nobody_has_to_without_a_limit),
        SEAT_TEST(nobody_confirms),
        SEAT_TEST(one_of_them_is_enough),
        SEAT_TEST(waits_for_the_receipt),
        SEAT_TEST(the_silent_make_room),
        SEAT_TEST(a_renewed_certificate_makes_no_second_replica),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
