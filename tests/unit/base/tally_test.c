#include "base/tally.h"

#include "base/mem.h"
#include "support/unit.h"

#include <stdio.h>
#include <string.h>

static void places_are_taken_and_given_back(void **state)
{
    struct fr_tally *t = NULL;
    struct fr_span a = fr_span_str("acme"), b = fr_span_str("umbra"), none = {NULL, 0};
    (void)state;

    assert_int_equal(fr_tally_new(&t), FR_OK);
    assert_int_equal(fr_tally_count(t, a), 0);
    assert_int_equal(fr_tally_take(t, a, 2), FR_OK);
    assert_int_equal(fr_tally_take(t, a, 2), FR_OK);
    assert_int_equal(fr_tally_take(t, a, 2), FR_E_LIMIT);
    assert_int_equal(fr_tally_count(t, a), 2);
    assert_int_equal(fr_tally_take(t, b, 1), FR_OK);
    assert_int_equal(fr_tally_take(t, b, 0), FR_E_LIMIT);
    assert_int_equal(fr_tally_take(t, none, 0), FR_E_LIMIT);
    assert_int_equal(fr_tally_take(t, none, 1), FR_OK);
    assert_int_equal(fr_tally_keys(t), 3);
    fr_tally_give(t, a);
    assert_int_equal(fr_tally_take(t, a, 2), FR_OK);
    fr_tally_give(t, a);
    fr_tally_give(t, a);
    assert_int_equal(fr_tally_count(t, a), 0);
    fr_tally_give(t, b);
    fr_tally_give(t, none);
    assert_int_equal(fr_tally_keys(t), 0);
    fr_tally_free(t);
    fr_tally_free(NULL);
}

static void many_keys_and_long_ones(void **state)
{
    struct fr_tally *t = NULL;
    uint8_t key[FR_TALLY_KEY];
    (void)state;

    memset(key, 0xff, sizeof key);
    assert_int_equal(fr_tally_new(&t), FR_OK);
    for (unsigned i = 0; i < 5000; i++) {
        memcpy(key, &i, sizeof i);
        assert_int_equal(fr_tally_take(t, fr_span(key, sizeof key), 1), FR_OK);
    }
    assert_int_equal(fr_tally_keys(t), 5000);
    for (unsigned i = 0; i < 5000; i++) {
        memcpy(key, &i, sizeof i);
        assert_int_equal(fr_tally_take(t, fr_span(key, sizeof key), 1), FR_E_LIMIT);
        if (i % 2) fr_tally_give(t, fr_span(key, sizeof key));
    }
    assert_int_equal(fr_tally_keys(t), 2500);
    fr_tally_free(t);
}

static void without_memory_nothing_changes(void **state)
{
    struct fr_tally *t = NULL;
    (void)state;

    for (unsigned long n = 1; n <= 2; n++) {
        fr_mem_fail_nth(n);
        assert_int_equal(fr_tally_new(&t), FR_E_NOMEM);
        assert_null(t);
    }
    assert_int_equal(fr_tally_new(&t), FR_OK);
    fr_mem_fail_nth(1);
    assert_int_equal(fr_tally_take(t, fr_span_str("acme"), 1), FR_E_NOMEM);
    assert_int_equal(fr_tally_keys(t), 0);
    for (unsigned i = 0; i < 64; i++)
        assert_int_equal(fr_tally_take(t, fr_span(&(uint8_t){(uint8_t)i}, 1), 1), FR_OK);
    fr_mem_fail_nth(2); /* not the new entry but the longer table */
    assert_int_equal(fr_tally_take(t, fr_span_str("more"), 1), FR_OK);
    assert_true(fr_mem_failed());
    assert_int_equal(fr_tally_count(t, fr_span_str("more")), 1);
    fr_tally_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_are_taken_and_given_back),
        cmocka_unit_test(many_keys_and_long_ones),
        cmocka_unit_test(without_memory_nothing_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
