#include "usage/sketch.h"

#include <math.h>

#include "base/siphash.h"
#include "support/unit.h"

static struct fr_sketch sketch;

static uint64_t hash(uint64_t thing, uint8_t seed)
{
    struct fr_siphash_key key = {{seed, 1, 2, 3}};

    return fr_siphash(&key, fr_span((const uint8_t *)&thing, sizeof thing));
}

/* Relative error of the count at each size, root of the mean square over some keys: the theory says
 * 0.65 %, and less while most things still meet empty registers. */
static void the_error_is_what_the_theory_says(void **state)
{
    static const unsigned sizes[] = {1, 10, 100, 1000, 10000, 40000, 100000, 300000};
    double squares[8] = {0}, worst = 0;

    (void)state;
    for (uint8_t seed = 0; seed < 16; seed++) {
        size_t row = 0;
        fr_sketch_reset(&sketch);
        for (uint64_t i = 1; row < 8; i++) {
            fr_sketch_add(&sketch, hash(i * 0x10001, seed));
            if (i != sizes[row]) continue;
            double error = ((double)fr_sketch_count(&sketch) - sizes[row]) / sizes[row];
            squares[row++] += error * error / 16;
            if (fabs(error) > worst) worst = fabs(error);
        }
    }
    for (size_t row = 0; row < 8; row++) {
        double rms = sqrt(squares[row]);
        print_message("%7u things: error %.2f %%\n", sizes[row], 100 * rms);
        if (rms > 0.0115) fail_msg("%u things: %.4f", sizes[row], rms);
    }
    assert_true(worst < 0.03);
}

static void the_same_things_again_count_nothing(void **state)
{
    (void)state;
    fr_sketch_reset(&sketch);
    for (uint64_t i = 0; i < 5000; i++) fr_sketch_add(&sketch, hash(i, 7));
    uint64_t count = fr_sketch_count(&sketch);
    for (int round = 0; round < 20; round++)
        for (uint64_t i = 0; i < 5000; i++) fr_sketch_add(&sketch, hash(i, 7));
    assert_int_equal(fr_sketch_count(&sketch), count);
    fr_sketch_reset(&sketch);
    assert_int_equal(fr_sketch_count(&sketch), 0);
}

static void the_rarest_hashes_are_bounded(void **state)
{
    (void)state;
    fr_sketch_reset(&sketch);
    fr_sketch_add(&sketch, 0);
    fr_sketch_add(&sketch, 0);
    assert_int_equal(fr_sketch_count(&sketch), 1);
    fr_sketch_add(&sketch, UINT64_MAX);
    assert_int_equal(fr_sketch_count(&sketch), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_error_is_what_the_theory_says),
        cmocka_unit_test(the_same_things_again_count_nothing),
        cmocka_unit_test(the_rarest_hashes_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
