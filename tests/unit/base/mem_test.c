#include "base/mem.h"
#include "support/unit.h"

static void nth_allocation_fails_once(void **state)
{
    (void)state;
    fr_mem_fail_nth(2);
    void *a = fr_malloc(1);
    assert_non_null(a);
    assert_false(fr_mem_failed());
    assert_null(fr_strdup("x"));
    assert_true(fr_mem_failed());
    void *b = fr_calloc(2, 2);
    assert_non_null(b);
    fr_mem_fail_nth(1);
    assert_null(fr_realloc(b, 100)); /* b stays */
    b = fr_realloc(b, 100);
    assert_non_null(b);
    fr_mem_fail_nth(0);
    assert_false(fr_mem_failed());
    fr_free(a);
    fr_free(b);
    fr_free(NULL);
}

static void sizes_are_checked(void **state)
{
    (void)state;
    assert_null(fr_reallocarray(NULL, SIZE_MAX / 2, 3));
    void *p = fr_reallocarray(NULL, 3, 4);
    assert_non_null(p);
    fr_free(p);
    void *empty = fr_calloc(0, 8);
    assert_non_null(empty);
    fr_free(empty);
    empty = fr_malloc(0);
    assert_non_null(empty);
    fr_free(empty);
}

static void copies_are_terminated(void **state)
{
    (void)state;
    char *a = fr_strndup("hello", 3), *b = fr_strndup("hi", 10), *c = fr_memdup("ab", 3);
    assert_string_equal(a, "hel");
    assert_string_equal(b, "hi");
    assert_string_equal(c, "ab");
    fr_free(a);
    fr_free(b);
    fr_secret_free(c, 3);
    fr_secret_free(NULL, 3);
}

static void secrets_are_compared_whole(void **state)
{
    char secret[4] = "abc";

    (void)state;
    assert_true(fr_secret_equal("abcd", "abcd", 4));
    assert_false(fr_secret_equal("abcd", "abce", 4));
    assert_false(fr_secret_equal("xbcd", "abcd", 4));
    assert_true(fr_secret_equal("x", "y", 0));
    fr_secret_zero(secret, sizeof secret);
    assert_memory_equal(secret, "\0\0\0\0", 4);
    fr_secret_zero(secret, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nth_allocation_fails_once),
        cmocka_unit_test(sizes_are_checked),
        cmocka_unit_test(copies_are_terminated),
        cmocka_unit_test(secrets_are_compared_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
