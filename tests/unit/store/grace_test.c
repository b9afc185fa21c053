/* Graces, the latest time acted at, and the ways to find certificates. */
#include "store/grace.h"

#include "store/acted.h"

#include "fixture.h"
#include "support/unit.h"

static bool is_open(struct fr_change *change, const char *member, int64_t now_s)
{
    bool open = false;

    assert_int_equal(fr_grace_is_open(fr_change_snap(change), member, now_s, &open), FR_OK);
    return open;
}

static enum fr_err count_row(void *data, const struct fr_grace_row *row)
{
    size_t *n = data;

    (void)row;
    (*n)++;
    return FR_OK;
}

static void a_grace_opens_and_closes(void **state)
{
    struct fixture *f = *state;
    struct fr_change *change = begin_change(f->store);
    static const struct {
        const char *member;
        int64_t until_s;
        enum fr_err err;
    } rows[] = {
        {"nobody", NOW + 10, FR_E_NOT_FOUND},
        {"acme", NOW, FR_E_RANGE},
        {"acme", NOW + FR_GRACE_MAX_S + 1, FR_E_RANGE},
        {"acme", NOW + FR_GRACE_MAX_S, FR_OK},
        {"acme", NOW + 100, FR_OK}, /* moved */
        {"", NOW + 50, FR_OK},
    };
    size_t n = 0;

    for (size_t i = 0; i < COUNT(rows); i++) {
        enum fr_err err = fr_grace_open(change, rows[i].member, rows[i].until_s, NULL);
        if (err != rows[i].err) fail_msg("row %zu: %s", i, fr_err_text(err));
    }
    assert_int_equal(fr_grace_each(fr_change_snap(change), count_row, &n), FR_OK);
    assert_int_equal(n, 2);
    assert_true(is_open(change, "acme", NOW + 100));
    assert_false(is_open(change, "acme", NOW + 101));
    assert_true(is_open(change, "bolt", NOW + 50)); /* everybody's */
    assert_false(is_open(change, "bolt", NOW + 51));
    assert_int_equal(fr_grace_close(change, "bolt", NULL), FR_E_NOT_FOUND);
    assert_int_equal(fr_grace_close(change, "", NULL), FR_OK);
    assert_false(is_open(change, "bolt", NOW));
    assert_true(is_open(change, "acme", NOW));
    (void)commit_change(change);
}

static int64_t acted(struct fr_store *store)
{
    struct fr_snap *snap = NULL;
    int64_t at = -1;

    assert_int_equal(fr_snap_begin(store, &snap), FR_OK);
    assert_int_equal(fr_acted_get(snap, &at), FR_OK);
    fr_snap_end(snap);
    return at;
}

static void change_at(struct fr_store *store, int64_t now_s, const char *org)
{
    const struct fr_change_by by = {.actor = "local:tester", .now_s = now_s};
    struct fr_member_row row;
    struct fr_change *change = NULL;

    assert_int_equal(fr_store_change(store, &by, NULL, &change), FR_OK);
    assert_int_equal(fr_member_get(fr_change_snap(change), "acme", &row), FR_OK);
    strcpy(row.org, org);
    assert_int_equal(fr_member_set(change, &row, NULL), FR_OK);
    (void)commit_change(change);
}

static void the_latest_time_moves_forward_only(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(acted(f->store), NOW);
    change_at(f->store, NOW + 100, "one");
    assert_int_equal(acted(f->store), NOW + 100);
    change_at(f->store, NOW - 100, "two");
    assert_int_equal(acted(f->store), NOW + 100);
    assert_int_equal(fr_acted_note(f->store, NOW + 200), FR_OK);
    assert_int_equal(fr_acted_note(f->store, NOW), FR_OK);
    assert_int_equal(acted(f->store), NOW + 200);
    struct fr_change *change = begin_change(f->store); /* of NOW */
    assert_int_equal(fr_acted_set(change, NOW), FR_OK);
    (void)commit_change(change);
    assert_int_equal(acted(f->store), NOW);
}

/* --- certificates --- */

static void add_cert(struct fr_change *change, uint8_t n, const char *member, uint32_t netid,
                     enum fr_cert_status status)
{
    const uint8_t sha256[FR_DIGEST_SIZE] = {n};
    struct fr_cert_row row = {.serial = {n}, .spki = {n}, .rights = 1, .netid = netid};

    row.profile = netid != 0 ? FR_PROFILE_NS : FR_PROFILE_DOH;
    strcpy(row.member, member);
    strcpy(row.authority, "2026a");
    assert_int_equal(fr_cert_row_intend(change, &row, NULL), FR_OK);
    if (status == FR_CERT_INTENT) return;
    assert_int_equal(
        fr_cert_row_issue(change, row.serial, FR_SPAN_LIT("der"), sha256, NOW, NOW + 100, NULL),
        FR_OK);
    if (status == FR_CERT_REVOKED)
        assert_int_equal(fr_cert_row_revoke(change, row.serial, 0, NULL), FR_OK);
}

struct found {
    char text[64];
    size_t limit;
};

static enum fr_err note_cert(void *data, const struct fr_cert_row *row)
{
    struct found *found = data;

    if (found->limit-- == 0) return FR_E_CANCELLED;
    (void)snprintf(found->text + strlen(found->text), 8, "%u ", row->serial[0]);
    return FR_OK;
}

static void certificates_are_found_by_scope_and_page(void **state)
{
    struct fixture *f = *state;
    struct fr_change *change = begin_change(f->store);
    static const uint8_t third[FR_SERIAL_SIZE] = {3}, none[FR_SERIAL_SIZE] = {2, 1};
    static const struct {
        const char *label;
        struct fr_cert_scope scope;
        const uint8_t *after;
        size_t limit;
        const char *found;
    } rows[] = {
        {"all", {0}, NULL, 9, "1 2 3 4 5 "},
        {"all after", {0}, third, 9, "4 5 "},
        {"after one that is not there", {0}, none, 9, "3 4 5 "},
        {"a page", {0}, NULL, 2, "1 2 "},
        {"of a member", {.member = "acme"}, NULL, 9, "1 2 3 "},
        {"of a member after", {.member = "acme"}, third, 9, ""},
        {"of another", {.member = "bolt"}, NULL, 9, "4 5 "},
        {"of nobody", {.member = "acm"}, NULL, 9, ""},
        {"of the broker", {.member = ""}, NULL, 9, ""},
        {"for a NetID", {.has_netid = true, .netid = 0x13}, NULL, 9, "1 3 "},
        {"for another", {.has_netid = true, .netid = 0x2b}, NULL, 9, "5 "},
        {"for none", {.has_netid = true, .netid = 0x14}, NULL, 9, ""},
    };
    struct found unissued = {.limit = 9};

    add_cert(change, 1, "acme", 0x13, FR_CERT_ISSUED);
    add_cert(change, 2, "acme", 0, FR_CERT_REVOKED);
    add_cert(change, 3, "acme", 0x13, FR_CERT_REVOKED);
    add_cert(change, 4, "bolt", 0, FR_CERT_ISSUED);
    add_cert(change, 5, "bolt", 0x2b, FR_CERT_INTENT);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct found found = {.limit = rows[i].limit};
        enum fr_err err = fr_cert_row_each_after(fr_change_snap(change), &rows[i].scope,
                                                 rows[i].after, note_cert, &found);
        CHECK_ROW(rows[i].label, err == FR_OK || err == FR_E_CANCELLED);
        CHECK_ROW(rows[i].label, strcmp(found.text, rows[i].found) == 0);
    }
    assert_int_equal(fr_cert_row_each_unissued(fr_change_snap(change), note_cert, &unissued),
                     FR_OK);
    assert_string_equal(unissued.text, "2 3 5 ");
    (void)commit_change(change);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_grace_opens_and_closes, store_setup, store_teardown),
        cmocka_unit_test_setup_teardown(the_latest_time_moves_forward_only, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(certificates_are_found_by_scope_and_page, store_setup,
                                        store_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
