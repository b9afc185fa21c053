#include "resolver/breaker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_rests_double_up_to_five_minutes(void **state)
{
    (void)state;
    static const int64_t rests_ms[] = {1000,  2000,   4000,   8000,   16000, 32000,
                                       64000, 128000, 256000, 300000, 300000};
    struct fr_breaker b = {0};
    int64_t now_ms = 5;
    assert_int_equal(fr_breaker_state(&b, now_ms), FR_BREAKER_CLOSED);
    for (size_t i = 0; i < sizeof rests_ms / sizeof *rests_ms; i++) {
        fr_breaker_fail(&b, now_ms, 0);
        fr_breaker_fail(&b, now_ms + 1, 0); /* of the same moment */
        assert_int_equal(fr_breaker_state(&b, now_ms + rests_ms[i] - 1), FR_BREAKER_OPEN);
        now_ms += rests_ms[i];
        assert_int_equal(fr_breaker_state(&b, now_ms), FR_BREAKER_HALF_OPEN);
    }
    fr_breaker_close(&b);
    assert_int_equal(fr_breaker_state(&b, now_ms), FR_BREAKER_CLOSED);
    fr_breaker_fail(&b, now_ms, 0);
    assert_int_equal(fr_breaker_state(&b, now_ms + 1000), FR_BREAKER_HALF_OPEN);
}

static void test_a_rest_that_was_asked_for(void **state)
{
    (void)state;
    struct fr_breaker b = {0};
    fr_breaker_fail(&b, 0, 20000);
    assert_int_equal(b.rests_until_ms, 20000);
    fr_breaker_fail(&b, 20000, 500); /* shorter than ours */
    assert_int_equal(b.rests_until_ms, 22000);
    fr_breaker_fail(&b, 22000, INT64_MAX);
    assert_int_equal(b.rests_until_ms, 22000 + FR_REST_MAX_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rests_double_up_to_five_minutes),
        cmocka_unit_test(test_a_rest_that_was_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
