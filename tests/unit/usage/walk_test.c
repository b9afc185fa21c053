#include "usage/walk.h"

#include <stdlib.h>

#include "support/unit.h"

static uint64_t seed;

static uint64_t next(void)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return seed >> 11;
}

static unsigned walk(struct fr_walk *w, uint64_t from, int64_t stride, unsigned n)
{
    unsigned found = 0;

    for (unsigned i = 0; i < n; i++)
        found += fr_walk_look(w, from + (uint64_t)(stride * (int64_t)i));
    return found;
}

/* A walk's first look in each block is no step. */
static void walks_are_found(void **state)
{
    static const int64_t strides[] = {1, 2, 7, FR_WALK_REACH, -1, -3, -FR_WALK_REACH};

    (void)state;
    for (size_t i = 0; i < COUNT(strides); i++) {
        struct fr_walk w = {0};
        uint64_t from = 0x70b3d57ed0000000 + (strides[i] < 0 ? FR_WALK_BLOCK - 1 : 0);
        assert_int_equal(walk(&w, from, strides[i], FR_WALK_STEPS), 0);
        uint64_t on = from + (uint64_t)(strides[i] * FR_WALK_STEPS);
        assert_int_equal(walk(&w, on, strides[i], 1), 1);
        assert_in_range(walk(&w, on + (uint64_t)strides[i], strides[i], 10 * FR_WALK_STEPS), 8, 10);
    }
    struct fr_walk w = {0};
    assert_true(walk(&w, UINT64_MAX - 200, 1, 201) >= 1); /* up to the very end */
    assert_true(walk(&w, 200, -1, 201) >= 1);
}

static void strides_beyond_reach_are_none(void **state)
{
    struct fr_walk w = {0};

    (void)state;
    assert_int_equal(walk(&w, 1000, FR_WALK_REACH + 1, 50000), 0);
    assert_int_equal(walk(&w, 1000, FR_WALK_BLOCK, 50000), 0);
    assert_int_equal(walk(&w, 1000, 0, 5000), 0);
}

/* Two connections share a walk, others ask in between, and answers overtake each other. */
static void a_walk_in_disorder_is_found(void **state)
{
    struct fr_walk w = {0};
    unsigned found = 0;

    (void)state;
    seed = 1;
    for (uint64_t i = 0; i < 400; i++) {
        uint64_t eui = 0x70b3d57ed0000000 + (i ^ 3);
        found += fr_walk_look(&w, eui);
        if (i % 3 == 0) found += fr_walk_look(&w, next() << 20);
    }
    assert_true(found >= 1);
}

/* Strangers: 20,000 of all makes, and a building full of neighbouring meters, each now and then. */
static void strangers_are_none(void **state)
{
    struct fr_walk w = {0};

    (void)state;
    seed = 2;
    for (unsigned i = 0; i < 300000; i++) {
        uint64_t r = next();
        uint64_t eui = r % 4 == 0 ? 0x0018b20000000000 + r / 4 % 500 : r / 4 % 20000 << 24;
        if (fr_walk_look(&w, eui)) fail_msg("a walk after %u looks", i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(walks_are_found),
        cmocka_unit_test(strides_beyond_reach_are_none),
        cmocka_unit_test(a_walk_in_disorder_is_found),
        cmocka_unit_test(strangers_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
