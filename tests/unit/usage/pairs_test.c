#include "usage/pairs.h"

#include <pthread.h>
#include <stdatomic.h>

#include <string.h>

#include "base/mem.h"
#include "support/unit.h"

static uint64_t sums[4][64];

static void add(void *data, uint32_t account, uint32_t netid, uint64_t more)
{
    uint64_t *calls = data;

    assert_true(account < 4 && netid < 64 && more > 0);
    sums[account][netid] += more;
    (*calls)++;
}

static void a_reader_is_told_what_came(void **state)
{
    struct fr_pairs *pairs = NULL;
    uint64_t calls = 0;

    (void)state;
    memset(sums, 0, sizeof sums);
    assert_int_equal(fr_pairs_new(&pairs), FR_OK);
    fr_pairs_read(pairs, add, &calls);
    assert_int_equal(calls, 0);
    for (uint32_t i = 0; i < 100; i++) fr_pairs_count(pairs, i % 2, i % 3);
    fr_pairs_read(pairs, add, &calls);
    assert_int_equal(calls, 6);
    assert_int_equal(sums[0][0], 17);
    fr_pairs_count(pairs, 0, 0);
    fr_pairs_count(pairs, 3, 63);
    fr_pairs_read(pairs, add, &calls);
    assert_int_equal(calls, 8);
    assert_int_equal(sums[0][0], 18);
    assert_int_equal(sums[3][63], 1);
    fr_pairs_read(pairs, add, &calls);
    assert_int_equal(calls, 8);
    fr_pairs_free(pairs);
}

static void count_calls(void *data, uint32_t account, uint32_t netid, uint64_t more)
{
    (void)account;
    (void)netid;
    *(uint64_t *)data += more;
}

static void a_full_table_loses_and_says_so(void **state)
{
    struct fr_pairs *pairs = NULL;
    uint64_t sum = 0;

    (void)state;
    assert_int_equal(fr_pairs_new(&pairs), FR_OK);
    for (uint32_t i = 0; i < FR_PAIRS_MAX + 10; i++) fr_pairs_count(pairs, i % 7, i);
    fr_pairs_count(pairs, 0, 0); /* an old one still counts */
    assert_int_equal(fr_pairs_lost(pairs), 10);
    fr_pairs_read(pairs, count_calls, &sum);
    assert_int_equal(sum, FR_PAIRS_MAX + 1);
    fr_pairs_free(pairs);
    fr_mem_fail_nth(1);
    assert_int_equal(fr_pairs_new(&pairs), FR_E_NOMEM);
    fr_mem_fail_nth(0);
}

static atomic_bool is_over;

static void *count(void *data)
{
    for (uint32_t i = 0; i < 300000; i++) fr_pairs_count(data, i % 4, i % 64);
    atomic_store(&is_over, true);
    return NULL;
}

static void reading_while_counting_loses_nothing(void **state)
{
    struct fr_pairs *pairs = NULL;
    pthread_t thread;
    uint64_t sum = 0;

    (void)state;
    assert_int_equal(fr_pairs_new(&pairs), FR_OK);
    assert_int_equal(pthread_create(&thread, NULL, count, pairs), 0);
    while (!atomic_load(&is_over)) fr_pairs_read(pairs, count_calls, &sum);
    assert_int_equal(pthread_join(thread, NULL), 0);
    fr_pairs_read(pairs, count_calls, &sum);
    assert_int_equal(sum, 300000);
    fr_pairs_free(pairs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reader_is_told_what_came),
        cmocka_unit_test(a_full_table_loses_and_says_so),
        cmocka_unit_test(reading_while_counting_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
