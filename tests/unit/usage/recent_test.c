#include "usage/recent.h"

#include <pthread.h>

#include "base/mem.h"
#include "support/unit.h"

struct seen {
    size_t n, stop_at;
    struct fr_recent_lookup list[FR_RECENT_MAX + 1];
};

static bool see(void *data, const struct fr_recent_lookup *lookup)
{
    struct seen *seen = data;

    seen->list[seen->n++] = *lookup;
    return seen->n != seen->stop_at;
}

static struct fr_recent *filled(size_t n)
{
    struct fr_recent *recent = fr_calloc(1, sizeof *recent);

    for (size_t i = 1; i <= n; i++) {
        const struct fr_recent_lookup lookup = {.when_ms = (int64_t)i,
                                                .deveui = UINT64_MAX - i,
                                                .netid = 0xffffff,
                                                .type = (uint16_t)i,
                                                .answer = (enum fr_note_answer)(i % 3)};
        fr_recent_put(recent, &lookup);
    }
    return recent;
}

static void the_newest_come_first_and_the_oldest_go(void **state)
{
    static const size_t sizes[] = {
        0, 1, 2, FR_RECENT_MAX - 1, FR_RECENT_MAX, FR_RECENT_MAX + 1, 3 * FR_RECENT_MAX + 7};
    static struct seen seen;

    (void)state;
    for (size_t s = 0; s < COUNT(sizes); s++) {
        struct fr_recent *recent = filled(sizes[s]);
        seen = (struct seen){0};
        fr_recent_each(recent, see, &seen);
        assert_int_equal(seen.n, sizes[s] < FR_RECENT_MAX ? sizes[s] : FR_RECENT_MAX);
        for (size_t i = 0; i < seen.n; i++) {
            const size_t number = sizes[s] - i;
            assert_int_equal(seen.list[i].when_ms, number);
            assert_int_equal(seen.list[i].deveui, UINT64_MAX - number);
            assert_int_equal(seen.list[i].netid, 0xffffff);
            assert_int_equal(seen.list[i].type, (uint16_t)number);
            assert_int_equal(seen.list[i].answer, number % 3);
        }
        fr_free(recent);
    }
}

static void who_has_enough_is_told_no_more(void **state)
{
    static struct seen seen;
    struct fr_recent *recent = filled(100);

    (void)state;
    seen = (struct seen){.stop_at = 3};
    fr_recent_each(recent, see, &seen);
    assert_int_equal(seen.n, 3);
    fr_free(recent);
}

static void *write_many(void *data)
{
    struct fr_recent *recent = data;

    for (uint64_t i = 1; i <= 200000; i++) {
        const struct fr_recent_lookup lookup = {
            .when_ms = (int64_t)i, .deveui = i, .netid = (uint32_t)(i & 0xffffff)};
        fr_recent_put(recent, &lookup);
    }
    return NULL;
}

static bool compare(void *data, const struct fr_recent_lookup *lookup)
{
    size_t *n = data;

    assert_int_equal((uint64_t)lookup->when_ms, lookup->deveui);
    assert_int_equal(lookup->netid, lookup->deveui & 0xffffff);
    ++*n;
    return true;
}

static void one_that_is_read_while_it_is_written_is_whole(void **state)
{
    struct fr_recent *recent = fr_calloc(1, sizeof *recent);
    pthread_t writer;
    size_t n = 0;

    (void)state;
    assert_int_equal(pthread_create(&writer, NULL, write_many, recent), 0);
    for (int i = 0; i < 2000; i++) fr_recent_each(recent, compare, &n);
    assert_int_equal(pthread_join(writer, NULL), 0);
    fr_recent_each(recent, compare, &n);
    assert_true(n >= FR_RECENT_MAX);
    fr_free(recent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_come_first_and_the_oldest_go),
        cmocka_unit_test(who_has_enough_is_told_no_more),
        cmocka_unit_test(one_that_is_read_while_it_is_written_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
