#include "transport/h2_pool.h"

#include <string.h>

#include "base/mem.h"
#include "support/unit.h"

static void test_blocks_come_back(void **state)
{
    struct fr_h2_pool pool = {0};
    nghttp2_mem mem = fr_h2_pool_mem(&pool);

    (void)state;
    void *first = mem.malloc(100, mem.mem_user_data);
    assert_non_null(first);
    assert_int_equal((uintptr_t)first % _Alignof(max_align_t), 0);
    mem.free(first, mem.mem_user_data);
    assert_ptr_equal(mem.malloc(65, mem.mem_user_data), first); /* the same size of block */
    void *other = mem.malloc(64, mem.mem_user_data);
    assert_ptr_not_equal(other, first);
    mem.free(first, mem.mem_user_data);
    mem.free(other, mem.mem_user_data);
    mem.free(NULL, mem.mem_user_data);
    fr_h2_pool_deinit(&pool);
}

static void test_every_size_holds_what_it_says(void **state)
{
    struct fr_h2_pool pool = {0};
    nghttp2_mem mem = fr_h2_pool_mem(&pool);
    static const size_t sizes[] = {0, 1, 31, 32, 33, 64, 512, 1023, 1024, 1025, 16384, 70000};
    uint8_t *p[COUNT(sizes)];

    (void)state;
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < COUNT(sizes); i++) {
            p[i] = mem.malloc(sizes[i], mem.mem_user_data);
            assert_non_null(p[i]);
            memset(p[i], (int)i, sizes[i]);
        }
        for (size_t i = 0; i < COUNT(sizes); i++) {
            for (size_t k = 0; k < sizes[i]; k++) assert_int_equal(p[i][k], i);
            mem.free(p[i], mem.mem_user_data);
        }
    }
    fr_h2_pool_deinit(&pool);
}

static void test_realloc_keeps_the_bytes(void **state)
{
    struct fr_h2_pool pool = {0};
    nghttp2_mem mem = fr_h2_pool_mem(&pool);

    (void)state;
    char *p = mem.realloc(NULL, 20, mem.mem_user_data);
    assert_non_null(p);
    memcpy(p, "nineteen characters", 20);
    assert_ptr_equal(mem.realloc(p, 32, mem.mem_user_data), p); /* there is room */
    for (size_t size = 33; size < 100000; size *= 3) {
        p = mem.realloc(p, size, mem.mem_user_data);
        assert_non_null(p);
        assert_string_equal(p, "nineteen characters");
    }
    mem.free(p, mem.mem_user_data);
    fr_h2_pool_deinit(&pool);
}

static void test_calloc_clears_what_was_used(void **state)
{
    struct fr_h2_pool pool = {0};
    nghttp2_mem mem = fr_h2_pool_mem(&pool);
    static const uint8_t zero[200];

    (void)state;
    void *p = mem.malloc(200, mem.mem_user_data);
    memset(p, 0xff, 200);
    mem.free(p, mem.mem_user_data);
    void *q = mem.calloc(10, 20, mem.mem_user_data);
    assert_ptr_equal(q, p);
    assert_memory_equal(q, zero, 200);
    mem.free(q, mem.mem_user_data);
    assert_null(mem.calloc(SIZE_MAX / 2, 4, mem.mem_user_data));
    assert_null(mem.malloc(SIZE_MAX, mem.mem_user_data));
    fr_h2_pool_deinit(&pool);
}

static void test_no_memory(void **state)
{
    struct fr_h2_pool pool = {0};
    nghttp2_mem mem = fr_h2_pool_mem(&pool);

    (void)state;
    fr_mem_fail_nth(1);
    assert_null(mem.malloc(10, mem.mem_user_data));
    void *p = mem.malloc(10, mem.mem_user_data);
    assert_non_null(p);
    fr_mem_fail_nth(1);
    assert_null(mem.realloc(p, 5000, mem.mem_user_data)); /* and p is still there */
    fr_mem_fail_nth(0);
    mem.free(p, mem.mem_user_data);
    fr_h2_pool_deinit(&pool);
}

static void test_not_more_than_the_cap_is_kept(void **state)
{
    struct fr_h2_pool pool = {0};
    nghttp2_mem mem = fr_h2_pool_mem(&pool);
    static void *p[FR_H2_POOL_KEEP + 10];

    (void)state;
    for (size_t i = 0; i < COUNT(p); i++) p[i] = mem.malloc(32, mem.mem_user_data);
    for (size_t i = 0; i < COUNT(p); i++) mem.free(p[i], mem.mem_user_data);
    assert_int_equal(pool.n[0], FR_H2_POOL_KEEP);
    fr_h2_pool_deinit(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks_come_back),
        cmocka_unit_test(test_every_size_holds_what_it_says),
        cmocka_unit_test(test_realloc_keeps_the_bytes),
        cmocka_unit_test(test_calloc_clears_what_was_used),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_not_more_than_the_cap_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
