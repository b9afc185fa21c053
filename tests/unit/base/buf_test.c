#include "base/buf.h"
#include "base/mem.h"
#include "support/unit.h"

#include <string.h>

static void grows_to_its_cap_and_not_beyond(void **state)
{
    struct fr_buf b = FR_BUF_INIT(100);
    char big[101];

    (void)state;
    memset(big, 'x', sizeof big);
    fr_buf_add(&b, big, 100);
    assert_int_equal(fr_buf_err(&b), FR_OK);
    assert_int_equal(b.n, 100);
    fr_buf_add_char(&b, 'y');
    assert_int_equal(fr_buf_err(&b), FR_E_LIMIT);
    assert_int_equal(b.n, 100);
    fr_buf_add(&b, "", 0); /* the error stays */
    assert_int_equal(fr_buf_err(&b), FR_E_LIMIT);
    fr_buf_reset(&b);
    assert_int_equal(fr_buf_err(&b), FR_OK);
    fr_buf_add(&b, big, 101);
    assert_int_equal(fr_buf_err(&b), FR_E_LIMIT);
    assert_int_equal(b.n, 0);
    fr_buf_deinit(&b);
    fr_buf_deinit(&b);
    struct fr_buf none = FR_BUF_INIT(SIZE_MAX); /* no cap is no cap: refused */
    fr_buf_add_char(&none, 'x');
    assert_int_equal(fr_buf_err(&none), FR_E_LIMIT);
}

static void is_always_a_string(void **state)
{
    struct fr_buf b = FR_BUF_INIT(1000);

    (void)state;
    assert_string_equal(fr_buf_str(&b), "");
    fr_buf_printf(&b, "%d-%s", 42, "abc");
    assert_string_equal(fr_buf_str(&b), "42-abc");
    fr_buf_drop(&b, 3);
    assert_string_equal(fr_buf_str(&b), "abc");
    fr_buf_cut(&b, 2);
    assert_string_equal(fr_buf_str(&b), "ab");
    fr_buf_cut(&b, 9);
    fr_buf_drop(&b, 9);
    assert_string_equal(fr_buf_str(&b), "");
    fr_buf_add_span(&b, FR_SPAN_LIT("xy"));
    fr_buf_add_str(&b, "z");
    assert_true(fr_span_is(fr_buf_span(&b), "xyz"));
    fr_buf_deinit_secret(&b);
    assert_int_equal(b.max, 1000);
}

static void exact_fit_of_printf(void **state)
{
    struct fr_buf b = FR_BUF_INIT(5);

    (void)state;
    fr_buf_printf(&b, "%s", "12345");
    assert_int_equal(fr_buf_err(&b), FR_OK);
    assert_string_equal(fr_buf_str(&b), "12345");
    fr_buf_printf(&b, "%s", "6");
    assert_int_equal(fr_buf_err(&b), FR_E_LIMIT);
    fr_buf_deinit(&b);
}

static void in_place(void **state)
{
    struct fr_buf b = FR_BUF_INIT(10);
    uint8_t *at = fr_buf_reserve(&b, 10);

    (void)state;
    assert_non_null(at);
    memcpy(at, "abc", 3);
    fr_buf_commit(&b, 3);
    assert_string_equal(fr_buf_str(&b), "abc");
    assert_null(fr_buf_reserve(&b, 8));
    fr_buf_deinit(&b);
}

static void take_hands_over(void **state)
{
    struct fr_buf b = FR_BUF_INIT(10);
    size_t n = 99;
    uint8_t *p;

    (void)state;
    p = fr_buf_take(&b, &n); /* empty is a string too */
    assert_non_null(p);
    assert_int_equal(n, 0);
    assert_int_equal(p[0], 0);
    fr_free(p);
    fr_buf_add_str(&b, "abc");
    p = fr_buf_take(&b, &n);
    assert_string_equal((char *)p, "abc");
    assert_int_equal(n, 3);
    assert_null(b.p);
    fr_free(p);
}

static void failed_growth_keeps_what_was_there(void **state)
{
    struct fr_buf b = FR_BUF_INIT(1000);
    char big[200] = {1};

    (void)state;
    fr_buf_add_str(&b, "abc");
    fr_mem_fail_nth(1);
    fr_buf_add(&b, big, sizeof big);
    fr_mem_fail_nth(0);
    assert_int_equal(fr_buf_err(&b), FR_E_NOMEM);
    assert_string_equal(fr_buf_str(&b), "abc");
    fr_buf_deinit(&b);
}

static void what_it_lets_go_of_is_zeroed(void **state)
{
    struct fr_buf b = FR_BUF_INIT(1000);
    static const uint8_t zeros[16];

    (void)state;
    fr_buf_add_str(&b, "secret, more");
    fr_buf_cut(&b, 6);
    assert_memory_equal(b.p + 6, zeros, 6);
    fr_buf_drop(&b, 2);
    assert_string_equal(fr_buf_str(&b), "cret");
    assert_memory_equal(b.p + 4, zeros, 8);
    fr_buf_reset(&b);
    assert_memory_equal(b.p, zeros, 12);
    fr_buf_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows_to_its_cap_and_not_beyond),
        cmocka_unit_test(is_always_a_string),
        cmocka_unit_test(exact_fit_of_printf),
        cmocka_unit_test(in_place),
        cmocka_unit_test(take_hands_over),
        cmocka_unit_test(what_it_lets_go_of_is_zeroed),
        cmocka_unit_test(failed_growth_keeps_what_was_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
