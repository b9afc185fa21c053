#include "xfr/fold.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "support/unit.h"

/* Changes are written as words: +1 device 1 comes to network 13, -1 it goes, *1 it comes to network 2a. */

static bool is_two(void *data, uint64_t eui)
{
    (void)data;
    return eui == 2; /* the zone has device 2 */
}

static void folded(void **state)
{
    static const struct {
        const char *changes;
        bool was_plain;
        enum fr_err err;
        bool is_plain;
        const char *result;
    } rows[] = {
        {"", true, FR_OK, true, ""},
        {"+1", true, FR_OK, true, "+1"},
        {"-2", true, FR_OK, true, "-2"},
        {"-2 +2", true, FR_OK, true, "+2"},
        {"-2 *2", true, FR_OK, true, "*2"},
        {"+1 -1", true, FR_OK, true, "-1"},
        {"+1 -1 +1", true, FR_OK, true, "+1"},
        {"-3 +1 -1 +3 +4", true, FR_OK, true, "-1 +3 +4"},
        {"+1 +1", true, FR_OK, false, "+1"},      /* two records from now on */
        {"+2", true, FR_OK, false, "+2"},         /* one more than it had */
        {"+2 -2", true, FR_E_CONFLICT, true, ""}, /* how many are left? */
        {"+1 +1 -1", true, FR_E_CONFLICT, true, ""},
        {"-1 -1", true, FR_E_CONFLICT, true, ""},
        {"+1", false, FR_OK, false, "+1"},
        {"-1", false, FR_E_CONFLICT, false, ""},
        {"+1 -3", false, FR_E_CONFLICT, false, ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fr_fold fold = {0};
        struct fr_transfer_change *changes = NULL;
        bool is_plain = rows[i].was_plain;
        size_t n = 0;
        char got[128] = "";

        for (const char *p = rows[i].changes; *p; p += p[2] ? 3 : 2)
            assert_int_equal(
                fr_fold_add(&fold, (uint64_t)(p[1] - '0'), p[0] == '*' ? 0x2a : 0x13, p[0] == '-'),
                FR_OK);
        CHECK_ROW(rows[i].changes,
                  fr_fold_end(&fold, is_two, NULL, &is_plain, &changes, &n) == rows[i].err);
        for (size_t k = 0; k < n; k++) {
            size_t at = strlen(got);
            (void)snprintf(got + at, sizeof got - at, "%s%c%u", k ? " " : "",
                           changes[k].is_gone         ? '-'
                           : changes[k].netid == 0x2a ? '*'
                                                      : '+',
                           (unsigned)changes[k].eui);
        }
        if (strcmp(got, rows[i].result) != 0) fail_msg("%s: %s", rows[i].changes, got);
        CHECK_ROW(rows[i].changes, is_plain == rows[i].is_plain);
        fr_free(changes);
        fr_fold_deinit(&fold);
    }
}

static void there_is_a_limit_to_both(void **state)
{
    struct fr_fold fold = {0};
    struct fr_transfer_change *changes = NULL;
    bool is_plain = true;
    size_t n = 0;

    (void)state;
    for (uint64_t i = 0; i < FR_TRANSFER_CHANGES_MAX; i++)
        assert_int_equal(fr_fold_add(&fold, 1000 + i, 0x13, false), FR_OK);
    assert_int_equal(fr_fold_end(&fold, is_two, NULL, &is_plain, &changes, &n), FR_OK);
    assert_int_equal(n, FR_TRANSFER_CHANGES_MAX);
    fr_free(changes);
    assert_int_equal(fr_fold_add(&fold, 1, 0x13, false), FR_OK);
    assert_int_equal(fr_fold_end(&fold, is_two, NULL, &is_plain, &changes, &n), FR_E_LIMIT);
    while (fold.n < FR_FOLD_MAX) assert_int_equal(fr_fold_add(&fold, 7, 0x13, false), FR_OK);
    assert_int_equal(fr_fold_add(&fold, 7, 0x13, false), FR_E_LIMIT);
    fr_fold_deinit(&fold);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folded),
        cmocka_unit_test(there_is_a_limit_to_both),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
