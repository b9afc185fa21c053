#include "store/cert.h"

#include "store/authority.h"

#include "fixture.h"

static struct fr_cert_row make_row(uint8_t n, enum fr_profile profile, const char *member)
{
    struct fr_cert_row row = {
        .profile = profile, .rights = fr_profile_rights(profile), .n_names = 1};

    row.serial[0] = n;
    row.spki[0] = n;
    strcpy(row.member, member);
    strcpy(row.names[0], "a.fed.test");
    strcpy(row.authority, "2026a");
    if (profile == FR_PROFILE_NS) row.netid = 0x13;
    if (profile == FR_PROFILE_JS) row.joineui = 5;
    if (profile == FR_PROFILE_BROKER) strcpy(row.host, "host");
    return row;
}

static void issue(struct fr_change *change, uint8_t n, int64_t not_after_s)
{
    uint8_t serial[FR_SERIAL_SIZE] = {n}, sha256[FR_DIGEST_SIZE] = {n, n};

    assert_int_equal(
        fr_cert_row_issue(change, serial, FR_SPAN_LIT("der"), sha256, NOW, not_after_s, NULL),
        FR_OK);
}

struct pins {
    size_t n;
    uint8_t first;
};

static enum fr_err count_pin(void *data, const uint8_t spki[FR_DIGEST_SIZE], int64_t not_after_s)
{
    struct pins *pins = data;

    (void)not_after_s;
    if (pins->n++ == 0) pins->first = spki[0];
    return FR_OK;
}

static size_t pins_of(struct fr_change *change, uint32_t netid, int64_t now_s)
{
    struct pins pins = {0};

    assert_int_equal(fr_pin_each(fr_change_snap(change), netid, now_s, count_pin, &pins), FR_OK);
    return pins.n;
}

static void the_life_of_a_certificate(void **state)
{
    struct fixture *f = *state;
    struct fr_cert_row row = make_row(1, FR_PROFILE_NS, "acme"), got;
    struct fr_change *change = begin_change(f->store);
    uint8_t der[8], sha256[FR_DIGEST_SIZE] = {0};
    size_t size = 2;
    struct fr_diag diag = {0};

    assert_int_equal(fr_cert_row_intend(change, &row, NULL), FR_OK);
    assert_int_equal(fr_cert_row_get(fr_change_snap(change), row.serial, &got), FR_OK);
    assert_int_equal(got.status, FR_CERT_INTENT);
    assert_int_equal(got.created_s, NOW);
    assert_int_equal(pins_of(change, 0x13, NOW), 0);
    assert_int_equal(fr_cert_row_intend(change, &row, &diag), FR_E_EXISTS);

    issue(change, 1, NOW + 100);
    assert_int_equal(fr_cert_row_get(fr_change_snap(change), row.serial, &got), FR_OK);
    assert_int_equal(got.status, FR_CERT_ISSUED);
    assert_int_equal(got.not_after_s, NOW + 100);
    assert_int_equal(got.sha256[1], 1);
    assert_int_equal(fr_cert_row_get_der(fr_change_snap(change), row.serial, der, &size),
                     FR_E_LIMIT);
    size = sizeof der;
    assert_int_equal(fr_cert_row_get_der(fr_change_snap(change), row.serial, der, &size), FR_OK);
    assert_int_equal(size, 3);
    assert_int_equal(fr_cert_row_issue(change, row.serial, FR_SPAN_LIT("x"), sha256, 1, 2, NULL),
                     FR_E_CONFLICT);
    assert_int_equal(pins_of(change, 0x13, NOW + 100), 1);
    assert_int_equal(pins_of(change, 0x13, NOW + 101), 0);
    assert_int_equal(pins_of(change, 0x14, NOW), 0);

    assert_int_equal(fr_network_remove(change, 0x13, NULL), FR_E_CONFLICT);
    assert_int_equal(fr_cert_row_set_rights(change, row.serial, FR_RIGHT_PUBLISH, NULL), FR_OK);
    assert_int_equal(fr_cert_row_set_rights(change, row.serial, 1u << 30, NULL), FR_E_INVALID);
    assert_int_equal(fr_cert_row_revoke(change, row.serial, 4, NULL), FR_OK);
    assert_int_equal(fr_cert_row_get(fr_change_snap(change), row.serial, &got), FR_OK);
    assert_int_equal(got.status, FR_CERT_REVOKED);
    assert_int_equal(got.revoked_s, NOW);
    assert_int_equal(got.revoked_cause, 4);
    assert_int_equal(got.rights, FR_RIGHT_PUBLISH);
    assert_int_equal(pins_of(change, 0x13, NOW), 0);
    assert_int_equal(fr_cert_row_set_rights(change, row.serial, 1, NULL), FR_E_REVOKED);
    assert_int_equal(fr_cert_row_revoke(change, row.serial, 4, NULL), FR_OK); /* again: nothing */
    commit_change(change);
}

static void keys_belong_to_one_member_and_can_be_blocked(void **state)
{
    struct fixture *f = *state;
    struct fr_change *change = begin_change(f->store);
    struct fr_cert_row one = make_row(1, FR_PROFILE_DOH, "acme"),
                       two = make_row(2, FR_PROFILE_DOH, "bolt");
    char member[FR_MEMBER_ID_MAX + 1];
    bool is_blocked = true;
    struct fr_diag diag = {0};

    assert_int_equal(fr_cert_row_intend(change, &one, NULL), FR_OK);
    two.spki[0] = 1;
    assert_int_equal(fr_cert_row_intend(change, &two, &diag), FR_E_CONFLICT);
    assert_non_null(strstr(diag.what, "acme"));
    assert_int_equal(fr_key_get(fr_change_snap(change), one.spki, member, &is_blocked), FR_OK);
    assert_string_equal(member, "acme");
    assert_false(is_blocked);
    assert_int_equal(fr_cert_row_revoke(change, one.serial, 1, NULL), FR_OK); /* key compromise */
    struct fr_cert_row three = make_row(3, FR_PROFILE_DOH, "acme");
    three.spki[0] = 1;
    assert_int_equal(fr_cert_row_intend(change, &three, &diag), FR_E_DENIED);
    three.spki[0] = 3;
    assert_int_equal(fr_cert_row_intend(change, &three, &diag), FR_OK);
    fr_change_cancel(change);
}

static void a_renewal_with_the_same_key_is_one_pin(void **state)
{
    struct fixture *f = *state;
    struct fr_change *change = begin_change(f->store);
    struct fr_cert_row row = make_row(1, FR_PROFILE_NS, "acme");

    assert_int_equal(fr_cert_row_intend(change, &row, NULL), FR_OK);
    issue(change, 1, NOW + 10);
    row.serial[0] = 2;
    assert_int_equal(fr_cert_row_intend(change, &row, NULL), FR_OK);
    issue(change, 2, NOW + 1000);
    assert_int_equal(pins_of(change, 0x13, NOW), 1);
    assert_int_equal(pins_of(change, 0x13, NOW + 20), 1);
    uint8_t serial[FR_SERIAL_SIZE] = {1};
    assert_int_equal(fr_cert_row_revoke(change, serial, 0, NULL), FR_OK);
    assert_int_equal(pins_of(change, 0x13, NOW), 1);
    fr_change_cancel(change);
}

static void profiles_name_the_right_holder(void **state)
{
    struct fixture *f = *state;
    struct fr_change *change = begin_change(f->store);
    struct fr_cert_row row = make_row(1, FR_PROFILE_NS, "acme");

    row.netid = 0;
    assert_int_equal(fr_cert_row_intend(change, &row, NULL), FR_E_INVALID);
    row = make_row(1, FR_PROFILE_DOH, "");
    assert_int_equal(fr_cert_row_intend(change, &row, NULL), FR_E_INVALID);
    row = make_row(1, FR_PROFILE_BROKER, "acme");
    assert_int_equal(fr_cert_row_intend(change, &row, NULL), FR_E_INVALID);
    row = make_row(1, FR_PROFILE_DOH, "none");
    assert_int_equal(fr_cert_row_intend(change, &row, NULL), FR_E_NOT_FOUND);
    row = make_row(1, FR_PROFILE_BROKER, "");
    assert_int_equal(fr_cert_row_intend(change, &row, NULL), FR_OK);
    row = make_row(2, FR_PROFILE_JS, "acme");
    assert_int_equal(fr_cert_row_intend(change, &row, NULL), FR_OK);
    struct fr_member_row member = {.id = "acme", .state = FR_MEMBER_SUSPENDED};
    assert_int_equal(fr_member_set(change, &member, NULL), FR_OK);
    row = make_row(3, FR_PROFILE_DOH, "acme");
    assert_int_equal(fr_cert_row_intend(change, &row, NULL), FR_E_REVOKED);
    fr_change_cancel(change);
}

static enum fr_err collect(void *data, const struct fr_cert_row *row)
{
    char *text = data;
    size_t n = strlen(text);

    text[n] = (char)('0' + row->serial[0]);
    text[n + 1] = '\0';
    return FR_OK;
}

static void lists_by_member_and_by_end(void **state)
{
    struct fixture *f = *state;
    struct fr_change *change = begin_change(f->store);
    static const struct {
        uint8_t n;
        const char *member;
        int64_t ends;
    } rows[] = {{3, "acme", 300}, {1, "acme", 100}, {2, "bolt", 200}, {4, "acme", 0}};
    char text[16];

    for (size_t i = 0; i < 4; i++) {
        struct fr_cert_row row = make_row(rows[i].n, FR_PROFILE_DOH, rows[i].member);
        assert_int_equal(fr_cert_row_intend(change, &row, NULL), FR_OK);
        if (rows[i].ends) issue(change, rows[i].n, NOW + rows[i].ends);
    }
    struct fr_snap *snap = fr_change_snap(change);
    assert_int_equal(fr_cert_row_each_of(snap, "acme", collect, memset(text, 0, sizeof text)),
                     FR_OK);
    assert_string_equal(text, "134");
    assert_int_equal(fr_cert_row_each_of(snap, "acm", collect, memset(text, 0, sizeof text)),
                     FR_OK);
    assert_string_equal(text, "");
    assert_int_equal(fr_cert_row_each(snap, collect, memset(text, 0, sizeof text)), FR_OK);
    assert_string_equal(text, "1234");
    assert_int_equal(
        fr_cert_row_each_ending(snap, NOW + 100, NOW + 200, collect, memset(text, 0, sizeof text)),
        FR_OK);
    assert_string_equal(text, "12");
    assert_int_equal(
        fr_cert_row_each_ending(snap, 0, INT64_MAX, collect, memset(text, 0, sizeof text)), FR_OK);
    assert_string_equal(text, "123");
    fr_change_cancel(change);
}

static void authorities_are_named_once(void **state)
{
    struct fixture *f = *state;
    struct fr_change *change = begin_change(f->store);
    struct fr_authority_row row = {.name = "2026a",
                                   .kind = FR_AUTHORITY_ISSUING,
                                   .state = FR_AUTHORITY_ACTIVE,
                                   .not_before_s = 1,
                                   .not_after_s = 2,
                                   .der_size = 3,
                                   .der = "abc"};
    struct fr_authority_row got;

    assert_int_equal(fr_authority_add(change, &row, NULL), FR_OK);
    assert_int_equal(fr_authority_add(change, &row, NULL), FR_E_EXISTS);
    assert_int_equal(fr_authority_set_state(change, "2026a", FR_AUTHORITY_TAINTED, 0, NULL), FR_OK);
    assert_int_equal(fr_authority_get(fr_change_snap(change), "2026a", &got), FR_OK);
    assert_int_equal(got.state, FR_AUTHORITY_TAINTED);
    assert_int_equal(got.since_s, fr_change_now(change));
    assert_int_equal(got.der_size, 3);
    assert_memory_equal(got.der, "abc", 3);
    assert_int_equal(fr_authority_set_state(change, "root", FR_AUTHORITY_RETIRED, 0, NULL),
                     FR_E_NOT_FOUND);
    strcpy(row.name, "a b");
    assert_int_equal(fr_authority_add(change, &row, NULL), FR_E_INVALID);
    strcpy(row.name, "root");
    row.der_size = 0;
    assert_int_equal(fr_authority_add(change, &row, NULL), FR_E_LIMIT);
    fr_change_cancel(change);
}

static void authorities_go_one_way(void **state)
{
    static const enum fr_authority_state STATES[] = {
        FR_AUTHORITY_PREPARED, FR_AUTHORITY_READY,   FR_AUTHORITY_ACTIVE,
        FR_AUTHORITY_TAINTED,  FR_AUTHORITY_RETIRED, FR_AUTHORITY_REVOKED,
    };
    static const char WAYS[6][7] = {/* from → to, in that order; '=' no change, 'y' yes */
                                    "=---y-", "-=yyyy", "--=y-y", "---=yy", "----=y", "-----="};
    struct fixture *f = *state;
    struct fr_change *change = begin_change(f->store);
    uint64_t before = 0, after = 0;

    for (size_t from = 0; from < 6; from++) {
        for (size_t to = 0; to < 6; to++) {
            struct fr_authority_row row = {.kind = FR_AUTHORITY_ISSUING, .state = STATES[from]};
            (void)snprintf(row.name, sizeof row.name, "a%zu%zu", from, to);
            row.der_size = STATES[from] == FR_AUTHORITY_PREPARED ? 0 : 1;
            assert_int_equal(fr_authority_add(change, &row, NULL), FR_OK);
            assert_int_equal(fr_authority_digest(fr_change_snap(change), &before), FR_OK);
            enum fr_err err = fr_authority_set_state(change, row.name, STATES[to], 0, NULL);
            assert_int_equal(err, WAYS[from][to] == '-' ? FR_E_CONFLICT : FR_OK);
            assert_int_equal(fr_authority_digest(fr_change_snap(change), &after), FR_OK);
            assert_int_equal(after != before, WAYS[from][to] == 'y');
        }
    }
    struct fr_authority_row row = {.name = "a00", .der_size = 1};
    assert_int_equal(fr_authority_certify(change, &row, NULL), FR_OK);
    assert_int_equal(fr_authority_get(fr_change_snap(change), "a00", &row), FR_OK);
    assert_int_equal(row.state, FR_AUTHORITY_READY);
    assert_int_equal(fr_authority_certify(change, &row, NULL), FR_E_CONFLICT);
    row.der_size = 0;
    assert_int_equal(fr_authority_certify(change, &row, NULL), FR_E_LIMIT);
    fr_change_cancel(change);
}

static void words_both_ways(void **state)
{
    enum fr_profile profile;
    enum fr_right right;

    (void)state;
    for (int p = FR_PROFILE_BROKER; p <= FR_PROFILE_JS; p++) {
        assert_int_equal(fr_profile_parse(fr_profile_text((enum fr_profile)p), &profile), FR_OK);
        assert_int_equal(profile, p);
    }
    for (unsigned r = 1; r <= FR_RIGHT_SECONDARY; r <<= 1) {
        assert_int_equal(fr_right_parse(fr_right_text((enum fr_right)r), &right), FR_OK);
        assert_int_equal(right, r);
    }
    assert_int_equal(fr_profile_parse("NS", &profile), FR_E_NOT_FOUND);
    assert_int_equal(fr_right_parse("", &right), FR_E_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(the_life_of_a_certificate),
        STORE_TEST(keys_belong_to_one_member_and_can_be_blocked),
        STORE_TEST(a_renewal_with_the_same_key_is_one_pin),
        STORE_TEST(profiles_name_the_right_holder),
        STORE_TEST(lists_by_member_and_by_end),
        STORE_TEST(authorities_are_named_once),
        STORE_TEST(authorities_go_one_way),
        cmocka_unit_test(words_both_ways),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
