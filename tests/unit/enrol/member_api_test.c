#include "enrol/member_api.h"

#include "support/unit.h"

#include <string.h>

/* Which certificate a member's machine shows to the broker's API. */
static const struct {
    const char *has; /* profiles, in the order of the pairs */
    int expected;    /* -1: none */
} rows[] = {
    {"", -1}, {"d", 0}, {"n", 0}, {"j", 0}, {"nd", 1}, {"dn", 0}, {"jn", 1}, {"jnd", 2}, {"nj", 0},
};

static void the_one_for_look_ups_is_shown(void **state)
{
    static struct fr_pairs pairs;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        pairs.n = strlen(rows[i].has);
        for (size_t k = 0; k < pairs.n; k++)
            pairs.list[k].subject.profile = rows[i].has[k] == 'd'   ? FR_WALLET_DOH
                                            : rows[i].has[k] == 'n' ? FR_WALLET_NS
                                                                    : FR_WALLET_JS;
        const struct fr_pair *pair = fr_member_api_pair(&pairs);
        CHECK_ROW(rows[i].has,
                  rows[i].expected < 0 ? pair == NULL : pair == &pairs.list[rows[i].expected]);
    }
}

static void without_a_broker_nothing_is_opened(void **state)
{
    const struct fr_wallet_entry entry = {.name = (char *)(uintptr_t) "fed.test"};
    const struct fr_pair pair = {.key = ""};
    struct fr_publisher *publisher = NULL;
    struct fr_diag diag = {0};

    (void)state;
    assert_int_equal(fr_member_api_open("/nowhere", &entry, &pair, &diag, &publisher),
                     FR_E_NOT_FOUND);
    assert_non_null(strstr(diag.what, "fed.test"));
    assert_null(publisher);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_one_for_look_ups_is_shown),
                                       cmocka_unit_test(without_a_broker_nothing_is_opened)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
