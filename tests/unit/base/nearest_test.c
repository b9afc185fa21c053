#include "base/nearest.h"
#include "support/unit.h"

#include <string.h>

static void words(void **state)
{
    static const char *const known[] = {"listen", "workers", "admin", "state", "no"};
    static const struct {
        const char *typed, *want;
    } rows[] = {
        {"lisen", "listen"}, {"worker", "workers"},  {"adnim", "admin"},  {"admni", "admin"},
        {"sate", "state"},   {"statee", "state"},    {"xyzzy", NULL},     {"", NULL},
        {"x", NULL},         {"workres", "workers"}, {"listen", "listen"}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *got = fr_nearest(fr_span_str(rows[i].typed), known, COUNT(known));
        CHECK_ROW(rows[i].typed, rows[i].want == NULL
                                     ? got == NULL
                                     : got != NULL && strcmp(got, rows[i].want) == 0);
    }
}

static void long_words_are_not_compared(void **state)
{
    static const char *const known[] = {
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "b"};
    char typed[5000];

    (void)state;
    memset(typed, 'a', sizeof typed);
    assert_null(fr_nearest(fr_span(typed, sizeof typed), known, 2));
    assert_null(fr_nearest(fr_span(typed, 48), known, 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(words),
                                       cmocka_unit_test(long_words_are_not_compared)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
