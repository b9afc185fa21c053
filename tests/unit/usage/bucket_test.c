#include "usage/bucket.h"

#include <pthread.h>

#include "support/unit.h"

static const struct fr_bucket_size HUNDRED = {.per_s = 100, .burst = 100};

static unsigned take_all(struct fr_bucket *bucket, struct fr_bucket_size size, int64_t now_ms)
{
    unsigned n = 0;

    while (fr_bucket_take(bucket, size, now_ms, 1)) n++;
    return n;
}

static void a_full_bucket_gives_its_burst(void **state)
{
    static const struct {
        struct fr_bucket_size size;
        unsigned want;
    } rows[] = {{{1, 1}, 1}, {{100, 100}, 100}, {{10, 50}, 50}, {{1000000, 7}, 7}, {{3, 3}, 3}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fr_bucket bucket = {0};
        assert_int_equal(take_all(&bucket, rows[i].size, 1000000), rows[i].want);
        assert_true(fr_bucket_wait_ms(&bucket, rows[i].size, 1000000) > 0);
    }
}

static void it_fills_with_time_and_no_further(void **state)
{
    struct fr_bucket bucket = {0};

    (void)state;
    assert_int_equal(take_all(&bucket, HUNDRED, 5000), 100);
    assert_int_equal(fr_bucket_wait_ms(&bucket, HUNDRED, 5000), 10);
    assert_int_equal(take_all(&bucket, HUNDRED, 5009), 0);
    assert_int_equal(take_all(&bucket, HUNDRED, 5010), 1);
    assert_int_equal(take_all(&bucket, HUNDRED, 5510), 50);
    assert_int_equal(take_all(&bucket, HUNDRED, 99999), 100);
}

static void many_are_taken_whole_or_not_at_all(void **state)
{
    struct fr_bucket bucket = {0};

    (void)state;
    assert_false(fr_bucket_take(&bucket, HUNDRED, 1000, 101));
    assert_true(fr_bucket_take(&bucket, HUNDRED, 1000, 60));
    assert_false(fr_bucket_take(&bucket, HUNDRED, 1000, 41));
    assert_true(fr_bucket_take(&bucket, HUNDRED, 1000, 40));
    assert_int_equal(fr_bucket_wait_ms(&bucket, HUNDRED, 1000), 10);
    assert_int_equal(fr_bucket_wait_ms(&bucket, HUNDRED, 1010), 0);
}

static struct fr_bucket shared;

static void *drain(void *data)
{
    *(unsigned *)data = take_all(&shared, (struct fr_bucket_size){1000000, 200000}, 1);
    return NULL;
}

static void threads_share_it(void **state)
{
    pthread_t threads[4];
    unsigned taken[4], sum = 0;

    (void)state;
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, drain, &taken[i]), 0);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        sum += taken[i];
    }
    assert_int_equal(sum, 200000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_bucket_gives_its_burst),
        cmocka_unit_test(it_fills_with_time_and_no_further),
        cmocka_unit_test(many_are_taken_whole_or_not_at_all),
        cmocka_unit_test(threads_share_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
