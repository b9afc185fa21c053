#include "resolver/cache.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"

enum { DEVICE, NETWORK };

static struct fr_cache_key key(uint64_t id)
{
    return (struct fr_cache_key){.federation = 0, .kind = DEVICE, .id = id};
}

static struct fr_cache *cache(size_t max, int64_t stale_ms)
{
    struct fr_cache *c = NULL;
    const struct fr_cache_limits limits = {
        .max_entries = max, .max_bytes = SIZE_MAX, .keep_ms = stale_ms};
    assert_int_equal(fr_cache_new(&limits, &c), FR_OK);
    return c;
}

static struct fr_place *place(uint32_t ttl_s)
{
    struct fr_place *p = fr_calloc(1, sizeof *p);
    assert_non_null(p);
    p->ttl_s = ttl_s;
    return p;
}

static void test_ages(void **state)
{
    (void)state;
    static const struct {
        int64_t now_ms;
        enum fr_cache_age positive, negative;
    } rows[] = {
        {1000, FR_CACHE_FRESH, FR_CACHE_FRESH}, {10999, FR_CACHE_FRESH, FR_CACHE_FRESH},
        {11000, FR_CACHE_STALE, FR_CACHE_MISS}, {15999, FR_CACHE_STALE, FR_CACHE_MISS},
        {16000, FR_CACHE_MISS, FR_CACHE_MISS},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fr_cache *c = cache(16, 5000);
        struct fr_cache_hit hit;
        fr_cache_put_device(c, key(1), 0x13, 10, 1000);
        fr_cache_put_negative(c, key(2), 10, 1000);
        assert_int_equal(fr_cache_get(c, key(1), rows[i].now_ms, &hit), rows[i].positive);
        if (rows[i].positive != FR_CACHE_MISS) {
            assert_int_equal(hit.netid, 0x13);
            assert_int_equal(hit.left_ms, rows[i].now_ms < 11000 ? 11000 - rows[i].now_ms : 0);
        }
        assert_int_equal(fr_cache_get(c, key(2), rows[i].now_ms, &hit), rows[i].negative);
        if (rows[i].negative == FR_CACHE_FRESH) assert_true(hit.is_negative);
        fr_cache_free(c);
    }
}

static void test_keys_are_kept_apart(void **state)
{
    (void)state;
    struct fr_cache *c = cache(16, 0);
    struct fr_cache_key other_fed = {.federation = 1, .kind = DEVICE, .id = 1};
    struct fr_cache_key other_kind = {.federation = 0, .kind = NETWORK, .id = 1};
    struct fr_cache_hit hit;
    fr_cache_put_device(c, key(1), 0x13, 10, 0);
    assert_int_equal(fr_cache_get(c, other_fed, 0, &hit), FR_CACHE_MISS);
    assert_int_equal(fr_cache_get(c, other_kind, 0, &hit), FR_CACHE_MISS);
    fr_cache_put_device(c, other_fed, 0x14, 10, 0);
    assert_int_equal(fr_cache_get(c, key(1), 0, &hit), FR_CACHE_FRESH);
    assert_int_equal(hit.netid, 0x13);
    fr_cache_free(c);
}

static void test_ttl_zero_removes(void **state)
{
    (void)state;
    struct fr_cache *c = cache(16, 60000);
    struct fr_cache_hit hit;
    fr_cache_put_device(c, key(1), 0x13, 10, 0);
    fr_cache_put_negative(c, key(1), 0, 0);
    assert_int_equal(fr_cache_get(c, key(1), 0, &hit), FR_CACHE_MISS);
    fr_cache_put_place(c, key(2), place(0), 0); /* not kept, and not leaked */
    assert_int_equal(fr_cache_get(c, key(2), 0, &hit), FR_CACHE_MISS);
    assert_int_equal(fr_cache_counts(c).entries, 0);
    fr_cache_free(c);
}

static void test_the_least_recently_used_goes(void **state)
{
    (void)state;
    struct fr_cache *c = cache(16, 0);
    struct fr_cache_hit hit;
    for (uint64_t i = 0; i < 16; i++) fr_cache_put_place(c, key(i), place(60), 0);
    assert_int_equal(fr_cache_get(c, key(0), 0, &hit), FR_CACHE_FRESH); /* used again */
    fr_cache_put_negative(c, key(16), 60, 0);
    assert_int_equal(fr_cache_counts(c).entries, 16);
    assert_int_equal(fr_cache_get(c, key(0), 0, &hit), FR_CACHE_FRESH);
    assert_int_equal(fr_cache_get(c, key(1), 0, &hit), FR_CACHE_MISS);
    assert_int_equal(fr_cache_get(c, key(16), 0, &hit), FR_CACHE_FRESH);
    fr_cache_put_place(c, key(5), place(60), 0); /* replaces itself, pushes nobody out */
    assert_int_equal(fr_cache_counts(c).entries, 16);
    assert_int_equal(fr_cache_get(c, key(2), 0, &hit), FR_CACHE_FRESH);
    fr_cache_free(c);
}

static void test_many_entries(void **state)
{
    (void)state;
    enum { N = 20000, MAX = 5000 };
    struct fr_cache *c = cache(MAX, 0);
    struct fr_cache_hit hit;
    for (uint64_t i = 0; i < N; i++) fr_cache_put_device(c, key(i * 256), (uint32_t)i, 60, 0);
    assert_int_equal(fr_cache_counts(c).entries, MAX);
    for (uint64_t i = 0; i < N; i++) {
        enum fr_cache_age age = fr_cache_get(c, key(i * 256), 0, &hit);
        assert_int_equal(age, i < N - MAX ? FR_CACHE_MISS : FR_CACHE_FRESH);
        if (age == FR_CACHE_FRESH) assert_int_equal(hit.netid, i);
    }
    fr_cache_free(c);
}

static void test_without_memory_nothing_is_kept(void **state)
{
    (void)state;
    struct fr_cache *c = NULL;
    struct fr_cache_hit hit;
    for (unsigned long n = 1;; n++) {
        fr_mem_fail_nth(n);
        enum fr_err err =
            fr_cache_new(&(struct fr_cache_limits){.max_entries = 16, .max_bytes = SIZE_MAX}, &c);
        bool has_failed = fr_mem_failed();
        fr_mem_fail_nth(0);
        if (!has_failed) break;
        assert_int_equal(err, FR_E_NOMEM);
        assert_null(c);
    }
    struct fr_place *p = place(60);
    fr_mem_fail_nth(1);
    fr_cache_put_place(c, key(1), p, 0);
    assert_true(fr_mem_failed());
    fr_mem_fail_nth(0);
    assert_int_equal(fr_cache_get(c, key(1), 0, &hit), FR_CACHE_MISS);
    /* A table that cannot grow still works. */
    for (uint64_t i = 0; i < 16; i++) fr_cache_put_device(c, key(i), 1, 60, 0);
    assert_int_equal(fr_cache_counts(c).entries, 16);
    fr_cache_free(c);
}

static void test_unknown_again_and_again(void **state)
{
    (void)state;
    struct fr_cache *c = cache(16, 5000);
    struct fr_cache_hit hit;
    int64_t now_ms = 1000;
    static const uint32_t fresh_s[] = {60, 120, 240, 480, 600, 600};
    for (size_t i = 0; i < sizeof fresh_s / sizeof *fresh_s; i++) {
        assert_int_equal(fr_cache_put_unknown(c, key(1), 60, 600, now_ms), fresh_s[i]);
        assert_int_equal(fr_cache_get(c, key(1), now_ms, &hit), FR_CACHE_FRESH);
        assert_true(hit.is_negative);
        now_ms += fresh_s[i] * 1000;
        assert_int_equal(fr_cache_get(c, key(1), now_ms, &hit), FR_CACHE_MISS);
    }
    assert_int_equal(fr_cache_put_unknown(c, key(1), 0, 600, now_ms), 0); /* not to be kept */
    assert_int_equal(fr_cache_put_unknown(c, key(1), 60, 600, now_ms), 60);
    assert_int_equal(fr_cache_put_unknown(c, key(1), 60, 600, now_ms + 660000), 60); /* forgotten */
    fr_cache_put_device(c, key(1), 0x13, 60, now_ms);
    assert_int_equal(fr_cache_put_unknown(c, key(1), 60, 600, now_ms), 60); /* it was known */
    assert_int_equal(fr_cache_put_unknown(c, key(2), 7200, 600, now_ms), 7200);
    assert_int_equal(fr_cache_put_unknown(c, key(2), 7200, 600, now_ms),
                     7200); /* the broker's word */
    fr_cache_free(c);
}

static void test_bytes_are_bounded(void **state)
{
    (void)state;
    const struct fr_cache_limits limits = {.max_entries = 1000000, .max_bytes = 100000};
    struct fr_cache *c = NULL;
    struct fr_cache_hit hit;
    uint8_t message[1000] = {0};
    assert_int_equal(fr_cache_new(&limits, &c), FR_OK);
    for (uint64_t i = 0; i < 5000; i++) {
        fr_cache_put_device(c, key(i), 0x13, 60, 1000);
        fr_cache_put_place(c, (struct fr_cache_key){.kind = NETWORK, .id = i}, place(60), 1000);
        fr_cache_put_message(c, (struct fr_cache_key){.kind = FR_CACHE_MESSAGE, .id = i},
                             fr_span(message, sizeof message), false, 60, 0, 1000);
        assert_in_range(fr_cache_counts(c).bytes, 1, limits.max_bytes);
    }
    assert_int_equal(fr_cache_get(c, key(0), 1000, &hit), FR_CACHE_MISS);
    assert_int_equal(fr_cache_get(c, key(4999), 1000, &hit), FR_CACHE_FRESH);
    struct fr_cache_counts n = fr_cache_counts(c);
    assert_true(n.evicted > 0 && n.entries + n.evicted == 15000 && n.changes == 15000);
    fr_cache_flush(c, 1);
    assert_int_equal(fr_cache_counts(c).entries, n.entries);
    fr_cache_flush(c, 0);
    assert_int_equal(fr_cache_counts(c).entries, 0);
    fr_cache_put_message(c, key(1), fr_span(message, sizeof message), false, 60, 0, 1000);
    size_t with = fr_cache_counts(c).bytes;
    fr_cache_flush(c, 0);
    assert_in_range(with - fr_cache_counts(c).bytes, sizeof message, sizeof message + 256);
    fr_cache_free(c);
}

static bool count_and_copy(void *data, const struct fr_cache_kept *e)
{
    struct fr_cache *to = data;
    struct fr_cache_kept copy = *e;
    if (e->place) {
        copy.place = fr_memdup(e->place, sizeof *e->place + e->place->text_n);
        assert_non_null(copy.place);
    }
    fr_cache_restore(to, &copy);
    return true;
}

static void test_entries_can_be_carried_over(void **state)
{
    (void)state;
    struct fr_cache *a = cache(16, 5000), *b = cache(2, 5000);
    struct fr_cache_hit hit;
    fr_cache_put_device(a, key(1), 0x13, 60, 1000);
    fr_cache_put_unknown(a, key(2), 60, 600, 1000);
    fr_cache_put_place(a, (struct fr_cache_key){.kind = NETWORK, .id = 3}, place(60), 1000);
    fr_cache_put_message(a, key(4), FR_SPAN_LIT("bytes"), false, 60, 0, 1000);
    assert_int_equal(fr_cache_get(a, key(1), 1000, &hit), FR_CACHE_FRESH);
    fr_cache_each(a, count_and_copy, b); /* the most recently used stay; no messages */
    assert_int_equal(fr_cache_get(b, key(1), 2000, &hit), FR_CACHE_FRESH);
    assert_int_equal(hit.age_ms, 1000);
    assert_int_equal(hit.uses, 1);
    assert_int_equal(fr_cache_get(b, (struct fr_cache_key){.kind = NETWORK, .id = 3}, 2000, &hit),
                     FR_CACHE_FRESH);
    assert_int_equal(fr_cache_counts(b).entries, 2);
    fr_cache_free(a);
    fr_cache_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ages),
        cmocka_unit_test(test_keys_are_kept_apart),
        cmocka_unit_test(test_ttl_zero_removes),
        cmocka_unit_test(test_the_least_recently_used_goes),
        cmocka_unit_test(test_many_entries),
        cmocka_unit_test(test_unknown_again_and_again),
        cmocka_unit_test(test_bytes_are_bounded),
        cmocka_unit_test(test_entries_can_be_carried_over),
        cmocka_unit_test(test_without_memory_nothing_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
