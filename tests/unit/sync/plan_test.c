#include "sync/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "support/unit.h"

#define DEVICES 2000

struct list {
    const uint64_t *euis;
    size_t n, at;
    enum fr_err err; /* instead of an end */
};

static enum fr_err next(void *data, struct fr_diag *diag, uint64_t *eui)
{
    struct list *l = data;
    (void)diag;
    if (l->at == l->n) return l->err ? l->err : FR_E_CLOSED;
    *eui = l->euis[l->at++];
    return FR_OK;
}

/* Any two sets: what is had, and changed as the plan says, is what is wanted; nothing is said twice or in vain. */
static void test_any_two_sets(void **state)
{
    (void)state;
    static uint64_t wanted[DEVICES], had[DEVICES];
    srand(7);
    for (unsigned round = 0; round < 200; round++) {
        static bool is_wanted[DEVICES], is_had[DEVICES];
        struct list w = {.euis = wanted}, h = {.euis = had};
        const int of_wanted = rand() % 11, of_had = rand() % 11;
        for (uint64_t i = 0; i < DEVICES; i++) {
            is_wanted[i] = rand() % 10 < of_wanted;
            is_had[i] = rand() % 10 < of_had;
            /* numbers with the first bit set come last */
            const uint64_t eui = i << 53 | i;
            if (is_wanted[i]) wanted[w.n++] = eui;
            if (is_had[i]) had[h.n++] = eui;
        }
        struct fr_sync_plan *plan = NULL;
        struct fr_diag diag = {0};
        assert_int_equal(fr_sync_plan_make(next, &w, next, &h, &diag, &plan), FR_OK);
        uint64_t eui = 0, last = 0, n = 0;
        bool is_put = false;
        for (; fr_sync_plan_next(plan, &is_put, &eui) == FR_OK; n++, last = eui) {
            const size_t i = eui & 0xffff;
            assert_true(n == 0 || eui > last);
            assert_true(is_had[i] != is_put);
            is_had[i] = is_put;
        }
        assert_memory_equal(is_had, is_wanted, sizeof is_had);
        const struct fr_sync_report *r = fr_sync_plan_report(plan);
        assert_int_equal(r->put + r->withdrawn, n);
        assert_int_equal(r->wanted, w.n);
        assert_int_equal(r->had, h.n);
        assert_int_equal(r->had + r->put - r->withdrawn, r->wanted);
        fr_sync_plan_free(plan);
    }
}

static void test_what_goes_wrong(void **state)
{
    (void)state;
    static const uint64_t good[] = {1, 2, 3}, twice[] = {1, 2, 2}, back[] = {2, 1};
    struct fr_sync_plan *plan = NULL;
    struct fr_diag diag = {0};
    const struct {
        struct list wanted, had;
        enum fr_err err;
    } rows[] = {
        {{.euis = twice, .n = 3}, {.euis = good, .n = 3}, FR_E_MALFORMED},
        {{.euis = good, .n = 3}, {.euis = back, .n = 2}, FR_E_MALFORMED},
        /* a stream that breaks off is not a short one */
        {{.euis = good, .n = 1, .err = FR_E_UNAVAILABLE}, {.euis = good, .n = 3}, FR_E_UNAVAILABLE},
        {{.euis = good, .n = 3}, {.euis = good, .n = 0, .err = FR_E_NET}, FR_E_NET},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct list w = rows[i].wanted, h = rows[i].had;
        assert_int_equal(fr_sync_plan_make(next, &w, next, &h, &diag, &plan), rows[i].err);
        assert_null(plan);
    }
}

static void test_how_much_may_go(void **state)
{
    (void)state;
    static uint64_t all[DEVICES];
    for (uint64_t i = 0; i < DEVICES; i++) all[i] = i + 1;
    static const struct {
        size_t had, left;
        uint32_t percent;
        bool is_held;
    } rows[] = {
        {100, 100, 0, false}, {100, 99, 0, true},     {100, 95, 5, false},   {100, 94, 5, true},
        {10, 9, 5, true},     {1999, 1900, 5, false}, {1999, 1899, 5, true}, {100, 0, 100, false},
        {0, 0, 0, false},     {1, 0, 99, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct list w = {.euis = all, .n = rows[i].left}, h = {.euis = all, .n = rows[i].had};
        struct fr_sync_plan *plan = NULL;
        struct fr_diag diag = {0};
        assert_int_equal(fr_sync_plan_make(next, &w, next, &h, &diag, &plan), FR_OK);
        if (fr_sync_plan_is_held(plan, rows[i].percent) != rows[i].is_held) fail_msg("row %zu", i);
        fr_sync_plan_free(plan);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_two_sets),
        cmocka_unit_test(test_what_goes_wrong),
        cmocka_unit_test(test_how_much_may_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
