#include "resolver_cli/walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *print(const struct fr_walk *walk, enum fr_output output)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    assert_non_null(out);
    assert_int_equal(fr_walk_print(walk, 0x70b3d57ed0000001, output, out), FR_OK);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void expect(const struct fr_walk *walk, const char *text, const char *json)
{
    char *got = print(walk, FR_OUTPUT_TEXT);
    assert_string_equal(got, text);
    free(got);
    got = print(walk, FR_OUTPUT_JSON);
    assert_string_equal(got, json);
    free(got);
}

static void test_right(void **state)
{
    (void)state;
    struct fr_walk w = {0};
    fr_walk_right(&w, "clock", "within %d s", 120);
    assert_false(fr_walk_is_over(&w));
    assert_int_equal(w.code, FR_EXIT_OK);
    expect(&w, "ok     clock        within 120 s\n",
           "{\"deveui\":\"70b3d57ed0000001\",\"result\":\"right\",\"steps\":[{\"step\":\"clock\","
           "\"state\":\"right\",\"seen\":\"within 120 s\",\"todo\":null}]}\n");
}

static void test_wrong_is_the_end(void **state)
{
    (void)state;
    struct fr_walk w = {0};
    fr_walk_doubt(&w, "broker", "one is \x1b[31mdown");
    fr_walk_todo(&w, "look at \"it\"");
    assert_int_equal(w.code, FR_EXIT_WARNINGS);
    fr_walk_wrong(&w, FR_EXIT_NOT_FOUND, "answer", "unknown");
    assert_true(fr_walk_is_over(&w));
    fr_walk_right(&w, "endpoint", "never reached");
    fr_walk_wrong(&w, FR_EXIT_DOWN, "endpoint", "never reached");
    assert_int_equal(w.code, FR_EXIT_NOT_FOUND);
    expect(
        &w,
        "check  broker       one is ?[31mdown\n"
        "                    → look at \"it\"\n"
        "WRONG  answer       unknown\n",
        "{\"deveui\":\"70b3d57ed0000001\",\"result\":\"wrong\",\"steps\":[{\"step\":\"broker\","
        "\"state\":\"doubt\",\"seen\":\"one is \\u001b[31mdown\",\"todo\":\"look at \\\"it\\\"\"},"
        "{\"step\":\"answer\",\"state\":\"wrong\",\"seen\":\"unknown\",\"todo\":null}]}\n");
}

static void test_a_failure_brings_its_words(void **state)
{
    (void)state;
    struct fr_walk w = {0}, bare = {0};
    struct fr_diag diag = {.where = "me.key", .what = "cannot be read", .hint = "chmod 600 me.key"};
    fr_walk_fail(&w, "certificate", FR_E_PERM, &diag);
    assert_int_equal(w.code, FR_EXIT_PERM);
    assert_string_equal(w.steps[0].seen, "me.key: cannot be read");
    assert_string_equal(w.steps[0].todo, "chmod 600 me.key");
    fr_walk_fail(&bare, "certificate", FR_E_NOMEM, &(struct fr_diag){0});
    assert_string_equal(bare.steps[0].seen, fr_err_text(FR_E_NOMEM));
}

static void test_too_many_and_too_long(void **state)
{
    (void)state;
    static struct fr_walk w;
    char text[2000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = 0;
    fr_walk_todo(&w, "of nothing");
    for (int i = 0; i < FR_WALK_STEPS + 5; i++) fr_walk_right(&w, "broker", "%s", text);
    fr_walk_wrong(&w, FR_EXIT_DOWN, "endpoint", "%s", text);
    assert_int_equal(w.n, FR_WALK_STEPS);
    assert_true(fr_walk_is_over(&w));
    assert_int_equal(w.code, FR_EXIT_DOWN);
    assert_int_equal(strlen(w.steps[0].seen), sizeof w.steps[0].seen - 1);
    free(print(&w, FR_OUTPUT_JSON));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_right),
        cmocka_unit_test(test_wrong_is_the_end),
        cmocka_unit_test(test_a_failure_brings_its_words),
        cmocka_unit_test(test_too_many_and_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
