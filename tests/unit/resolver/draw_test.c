#include "resolver/draw.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { ROUNDS = 30000 };

/* Each of n once. */
static void check_order(const uint8_t *order, size_t n)
{
    unsigned seen = 0;
    for (size_t i = 0; i < n; i++) {
        assert_true(order[i] < n);
        seen |= 1u << order[i];
    }
    assert_int_equal(seen, (1u << n) - 1);
}

/* How often each comes first must be within two in a hundred of what its weight says. */
static void test_weights(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        size_t n;
        uint16_t weights[4];
        unsigned percent[4];
    } rows[] = {
        {"one alone", 1, {0}, {100}},
        {"one and two", 2, {1, 2}, {33, 67}},
        {"equal", 4, {5, 5, 5, 5}, {25, 25, 25, 25}},
        {"all zero are equal", 4, {0, 0, 0, 0}, {25, 25, 25, 25}},
        {"a zero beside others is seldom first", 3, {0, 60, 39}, {1, 60, 39}},
        {"the largest there are", 2, {65535, 65535}, {50, 50}},
    };
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        uint64_t draws = 7;
        unsigned first[4] = {0};
        for (int i = 0; i < ROUNDS; i++) {
            uint8_t order[FR_DRAW_MAX];
            fr_draw_by_weight(&draws, rows[r].weights, order, rows[r].n);
            check_order(order, rows[r].n);
            first[order[0]]++;
        }
        for (size_t i = 0; i < rows[r].n; i++) {
            int off = (int)(first[i] * 100 / ROUNDS) - (int)rows[r].percent[i];
            if (off < -2 || off > 2)
                fail_msg("%s: %zu was first %u times of %d", rows[r].label, i, first[i], ROUNDS);
        }
    }
}

/* After the first, the rest are drawn again: of 1, 1 and 8 the last is the heavy one seldom. */
static void test_the_rest_is_drawn_too(void **state)
{
    (void)state;
    static const uint16_t weights[] = {1, 1, 8};
    uint64_t draws = 1;
    unsigned last = 0;
    for (int i = 0; i < ROUNDS; i++) {
        uint8_t order[FR_DRAW_MAX];
        fr_draw_by_weight(&draws, weights, order, 3);
        last += order[2] == 2;
    }
    assert_in_range(last, ROUNDS / 100, ROUNDS * 5 / 100);
}

static void test_shuffle(void **state)
{
    (void)state;
    uint64_t draws = 3;
    unsigned at[5][5] = {{0}};
    for (int i = 0; i < ROUNDS; i++) {
        uint8_t order[FR_DRAW_MAX];
        fr_draw_shuffle(&draws, order, 5);
        check_order(order, 5);
        for (size_t k = 0; k < 5; k++) at[k][order[k]]++;
    }
    for (size_t k = 0; k < 5; k++)
        for (size_t i = 0; i < 5; i++)
            assert_in_range(at[k][i], ROUNDS * 18 / 100, ROUNDS * 22 / 100);
}

static void test_a_state_draws_the_same_again(void **state)
{
    (void)state;
    uint64_t a = 42, b = 42, c = 43;
    unsigned same = 0;
    for (int i = 0; i < 100; i++) {
        uint64_t drawn = fr_draw_below(&a, 1000);
        assert_int_equal(drawn, fr_draw_below(&b, 1000));
        same += drawn == fr_draw_below(&c, 1000);
    }
    assert_true(same < 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_weights),
        cmocka_unit_test(test_the_rest_is_drawn_too),
        cmocka_unit_test(test_shuffle),
        cmocka_unit_test(test_a_state_draws_the_same_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
