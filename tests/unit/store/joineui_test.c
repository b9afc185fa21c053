/* store/joineui.h: one member for each JoinEUI, and the longest prefix that has servers. */
#include "support/unit.h"

#include "fixture.h"
#include "store/check.h"
#include "unit/store/joineuis.h"

#include <string.h>

static const char *const ONE[3] = {"https://192.0.2.1:8443"};
static const char *const TWO[3] = {"https://192.0.2.2"};
static const char *const NONE[3] = {NULL};

static enum fr_err put(struct fr_change *change, const char *prefix, const char *member,
                       const char *const servers[3], struct fr_diag *diag)
{
    const struct fr_joineui_row row = joineui_row(prefix, member, servers);

    return fr_joineui_put(change, &row, diag);
}

static void text(void **state)
{
    static const struct {
        const char *text;
        enum fr_err err;
        const char *printed;
    } rows[] = {
        {"70b3d57ed0000001", FR_OK, "70b3d57ed0000001"},
        {"70-B3-D5-7E-D0-00-00-01", FR_OK, "70b3d57ed0000001"},
        {"70b3d57ed0000000/40", FR_OK, "70b3d57ed0000000/40"},
        {"7000000000000000/4", FR_OK, "7000000000000000/4"},
        {"70b3d57ed0000001/64", FR_OK, "70b3d57ed0000001"},
        {"70b3d57ed0000000/38", FR_E_INVALID, NULL},
        {"70b3d57ed0000001/40", FR_E_INVALID, NULL},
        {"70b3d57ed0000000/0", FR_E_RANGE, NULL},
        {"70b3d57ed0000000/68", FR_E_RANGE, NULL},
        {"70b3d57ed000000", FR_E_MALFORMED, NULL},
        {"", FR_E_MALFORMED, NULL},
        {"/40", FR_E_MALFORMED, NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint64_t base = 0;
        uint8_t nibbles = 0;
        char out[FR_JOINEUI_TEXT];
        struct fr_diag diag = {0};
        CHECK_ROW(rows[i].text, fr_joineui_parse(fr_span_str(rows[i].text), &diag, &base,
                                                 &nibbles) == rows[i].err);
        CHECK_ROW(rows[i].text, (rows[i].err != FR_OK) == (diag.what[0] != '\0'));
        if (rows[i].err) continue;
        fr_joineui_print(base, nibbles, out);
        CHECK_ROW(rows[i].text, strcmp(out, rows[i].printed) == 0);
    }
}

static void one_holder(void **state)
{
    struct fixture *f = *state;
    struct fr_change *change = begin_change(f->store);
    struct fr_diag diag = {0};

    static const struct {
        const char *prefix, *member;
        enum fr_err err;
        const char *says;
    } rows[] = {
        {"70b3d57ed0000000/40", "acme", FR_OK, ""},
        {"70b3d57ed0000000/40", "bolt", FR_E_CONFLICT, "belongs to member acme"},
        {"70b3d57ed0000001", "bolt", FR_E_CONFLICT, "70b3d57ed0000000/40 belongs to member acme"},
        {"70b3d57ed0000000/48", "bolt", FR_E_CONFLICT, "70b3d57ed0000000/40"},
        {"70b3d57000000000/28", "bolt", FR_E_CONFLICT, "70b3d57ed0000000/40"},
        {"7000000000000000/4", "bolt", FR_E_CONFLICT, "acme"},
        {"70b3d57ed1000000/40", "bolt", FR_OK, ""},
        {"70b3d57ed0000001", "acme", FR_OK, ""},
        {"70b3d57ed0000000/36", "acme", FR_E_CONFLICT,
         "70b3d57ed1000000/40 belongs to member bolt"},
        {"0000000000000005", "acme", FR_OK, ""},
        {"0000000000000000", "acme", FR_E_INVALID, ""},
        {"ffffffffffffffff", "acme", FR_E_INVALID, ""},
        {"0000000000000006", "none", FR_E_NOT_FOUND, "no member none"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        diag = (struct fr_diag){0};
        CHECK_ROW(rows[i].prefix,
                  put(change, rows[i].prefix, rows[i].member, ONE, &diag) == rows[i].err);
        CHECK_ROW(rows[i].prefix, strstr(diag.what, rows[i].says) != NULL);
    }
    assert_int_equal(fr_joineui_remove(change, 5, 16, NULL), FR_OK);
    assert_int_equal(fr_joineui_remove(change, 5, 16, NULL), FR_E_NOT_FOUND);
    assert_int_equal(fr_joineui_remove(change, 0x70b3d57ed0000000, 10, NULL), FR_OK);
    assert_int_equal(put(change, "70b3d57ed0000002", "bolt", ONE, NULL), FR_OK);
    assert_int_equal(put(change, "70b3d57ed0000001", "bolt", ONE, NULL), FR_E_CONFLICT);
    assert_int_equal(fr_joineui_forget(change, "bolt"), FR_OK);
    assert_int_equal(put(change, "70b3d57ed0000000/36", "acme", ONE, NULL), FR_OK);
    fr_change_cancel(change);
}

static void what_servers_there_may_be(void **state)
{
    static const char *const inside[3] = {"https://js.fed.test"};
    static const char *const apex[3] = {"https://192.0.2.1", "http://FED.test"};
    static const char *const beside[3] = {"https://js.notfed.test"};
    static const char *const orders[3] = {"https://192.0.2.1", "https://192.0.2.2,order=1"};
    static const char *const preferences[3] = {"http://192.0.2.1", "https://192.0.2.2",
                                               "http://192.0.2.2,preference=9"};
    static const char *const both[3] = {"http://192.0.2.1,order=9", "https://192.0.2.2"};
    struct fixture *f = *state;
    struct fr_change *change = begin_change(f->store);

    assert_int_equal(put(change, "0000000000000005", "acme", inside, NULL), FR_E_INVALID);
    assert_int_equal(put(change, "0000000000000005", "acme", apex, NULL), FR_E_INVALID);
    assert_int_equal(put(change, "0000000000000005", "acme", orders, NULL), FR_E_INVALID);
    assert_int_equal(put(change, "0000000000000005", "acme", preferences, NULL), FR_E_INVALID);
    assert_int_equal(put(change, "0000000000000005", "acme", beside, NULL), FR_OK);
    assert_int_equal(put(change, "0000000000000005", "acme", both, NULL), FR_OK);
    fr_change_cancel(change);
}

/* The prefix that answers for a JoinEUI; "": none. */
static void check_answer(struct fr_snap *snap, uint64_t joineui, const char *want)
{
    const struct fr_joineui_eyes all = {0};
    struct fr_joineui_row row;
    char got[FR_JOINEUI_TEXT] = "";

    if (fr_joineui_find(snap, &all, joineui, FR_JOINEUI_NIBBLES, &row) == FR_OK)
        fr_joineui_print(row.base, row.nibbles, got);
    assert_string_equal(got, want);
}

static void the_longest_with_servers(void **state)
{
    struct fixture *f = *state;
    struct fr_change *change = begin_change(f->store);
    struct fr_snap *snap = fr_change_snap(change);
    struct fr_member_row member;

    assert_int_equal(put(change, "70b3d57000000000/28", "acme", ONE, NULL), FR_OK);
    assert_int_equal(put(change, "70b3d57ed0000000/40", "acme", TWO, NULL), FR_OK);
    assert_int_equal(put(change, "70b3d57ed0000000/60", "acme", NONE, NULL), FR_OK);
    assert_int_equal(put(change, "70b3d57ed0000001", "acme", ONE, NULL), FR_OK);
    assert_int_equal(put(change, "70b3d57ed0000002", "acme", NONE, NULL), FR_OK);
    check_answer(snap, 0x70b3d57ed0000001, "70b3d57ed0000001");
    check_answer(snap, 0x70b3d57ed0000002, "70b3d57ed0000000/40");
    check_answer(snap, 0x70b3d57ed0000003, "70b3d57ed0000000/40");
    check_answer(snap, 0x70b3d57ed0ffffff, "70b3d57ed0000000/40");
    check_answer(snap, 0x70b3d57ed1000000, "70b3d57000000000/28");
    check_answer(snap, 0x70b3d56000000000, "");
    assert_int_equal(fr_member_get(snap, "acme", &member), FR_OK);
    member.state = FR_MEMBER_SUSPENDED;
    assert_int_equal(fr_member_set(change, &member, NULL), FR_OK);
    check_answer(snap, 0x70b3d57ed0000001, "");
    fr_change_cancel(change);
}

static void a_thing_said_twice_is_no_change(void **state)
{
    struct fixture *f = *state;
    struct fr_change *change = begin_change(f->store);

    assert_int_equal(put(change, "70b3d57ed0000000/40", "acme", ONE, NULL), FR_OK);
    commit_change(change);
    change = begin_change(f->store);
    assert_int_equal(put(change, "70b3d57ed0000000/40", "acme", ONE, NULL), FR_OK);
    assert_true(fr_change_is_empty(change));
    assert_int_equal(put(change, "70b3d57ed0000000/40", "acme", TWO, NULL), FR_OK);
    assert_false(fr_change_is_empty(change));
    fr_change_cancel(change);
}

static void a_member_has_so_many(void **state)
{
    struct fixture *f = *state;
    struct fr_change *change = begin_change(f->store);
    struct fr_joineui_row row = joineui_row("70b3d57ed0000000/40", "acme", NONE);

    row.nibbles = FR_JOINEUI_NIBBLES;
    for (uint64_t i = 0; i < FR_JOINEUIS_MAX; i += 512) {
        for (uint64_t k = 0; k < 512; k++) {
            row.base = 0x70b3d57ed0000000 + i + k;
            assert_int_equal(fr_joineui_put(change, &row, NULL), FR_OK);
        }
        commit_change(change);
        change = begin_change(f->store);
    }
    row.base++;
    assert_int_equal(fr_joineui_put(change, &row, NULL), FR_E_LIMIT);
    row.base--;
    assert_int_equal(fr_joineui_put(change, &row, NULL), FR_OK);
    fr_change_cancel(change);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text),
        STORE_TEST(one_holder),
        STORE_TEST(what_servers_there_may_be),
        STORE_TEST(the_longest_with_servers),
        STORE_TEST(a_thing_said_twice_is_no_change),
        STORE_TEST(a_member_has_so_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
