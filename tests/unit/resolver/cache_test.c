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
    assert_int_equal(fr_cache_new(max, stale_ms, &c), FR_OK);
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
    assert_int_equal(fr_cache_count(c), 0);
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
    assert_int_equal(fr_cache_count(c), 16);
    assert_int_equal(fr_cache_get(c, key(0), 0, &hit), FR_CACHE_FRESH);
    assert_int_equal(fr_cache_get(c, key(1), 0, &hit), FR_CACHE_MISS);
    assert_int_equal(fr_cache_get(c, key(16), 0, &hit), FR_CACHE_FRESH);
    fr_cache_put_place(c, key(5), place(60), 0); /* replaces itself, pushes nobody out */
    assert_int_equal(fr_cache_count(c), 16);
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
    assert_int_equal(fr_cache_count(c), MAX);
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
        enum fr_err err = fr_cache_new(16, 0, &c);
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
    assert_int_equal(fr_cache_count(c), 16);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ages),
        cmocka_unit_test(test_keys_are_kept_apart),
        cmocka_unit_test(test_ttl_zero_removes),
        cmocka_unit_test(test_the_least_recently_used_goes),
        cmocka_unit_test(test_many_entries),
        cmocka_unit_test(test_unknown_again_and_again),
        cmocka_unit_test(test_without_memory_nothing_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
