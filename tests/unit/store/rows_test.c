#include "store/rows.h"

#include "fixture.h"

/* Each kind: write a full row, read it back, write it again: the same bytes. Then cut at every length, and with a byte too many. */
#define ROUND_TRIP(type, name, row)                                                                \
    static void name##_round_trip(void **state)                                                    \
    {                                                                                              \
        uint8_t bytes[FR_ROW_MAX], again[FR_ROW_MAX];                                              \
        struct fr_wr w = fr_wr(bytes, sizeof bytes), w2 = fr_wr(again, sizeof again);              \
        static struct type want = row;                                                             \
        struct type got = {0};                                                                     \
        (void)state;                                                                               \
        name##_write(&w, &want);                                                                   \
        struct fr_span value = fr_wr_done(&w);                                                     \
        assert_true(value.n > 0);                                                                  \
        assert_int_equal(name##_read(value, &got), FR_OK);                                         \
        name##_write(&w2, &got);                                                                   \
        assert_int_equal(fr_wr_done(&w2).n, value.n);                                              \
        assert_memory_equal(again, bytes, value.n);                                                \
        for (size_t n = 0; n < value.n; n++) {                                                     \
            uint8_t *copy = malloc(n ? n : 1);                                                     \
            memcpy(copy, bytes, n);                                                                \
            if (name##_read((struct fr_span){copy, n}, &got) == FR_OK) fail_msg("cut at %zu", n);  \
            free(copy);                                                                            \
        }                                                                                          \
        assert_int_not_equal(name##_read((struct fr_span){bytes, value.n + 1}, &got), FR_OK);      \
    }

#define BRACED(...)                                                                                \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

ROUND_TRIP(fr_member_row, fr_member,
           BRACED(.id = "", .state = FR_MEMBER_SUSPENDED, .org = "Org", .noc = "noc@a.test",
                  .security = "s@a.test", .created_s = 1, .changed_s = INT64_MAX))
ROUND_TRIP(fr_network_row, fr_network,
           BRACED(.member = "acme", .state = FR_NETWORK_ACTIVE, .n_endpoints = 2,
                  .endpoints = {{.ip = {4, {192, 0, 2, 1}}, .port = 1},
                                {.ip = {6, {0x20, 1}}, .port = 65535}},
                  .devices = UINT64_MAX, .created_s = 1, .changed_s = 2))
ROUND_TRIP(fr_joineui_row, fr_joineui,
           BRACED(.member = "acme", .n_servers = 3,
                  .servers = {{.n_ips = 2,
                               .ips = {{6, {0x20, 1}}, {4, {192, 0, 2, 1}}},
                               .port = 1,
                               .order = 2,
                               .preference = 3,
                               .priority = 4,
                               .weight = 65535},
                              {.service = FR_OWNER_LWN,
                               .n_ips = 1,
                               .ips = {{4, {192, 0, 2, 1}}},
                               .port = 65535},
                              {.host = "js.acme.example", .port = 443}},
                  .changed_s = 3))
ROUND_TRIP(fr_downstream_row, fr_downstream,
           BRACED(.n_addrs = 2,
                  .addrs = {{.ip = {4, {192, 0, 2, 1}}, .port = 53},
                            {.ip = {6, {0x20, 1}}, .port = 5353}},
                  .key_name = "ns2.key", .key_algorithm = "hmac-sha256", .key_id = {1, 2},
                  .has_xot = true, .created_s = 9))
ROUND_TRIP(fr_notice_row, fr_notice,
           BRACED(.level = FR_NOTICE_CRITICAL, .stage = FR_STAGE_OVER, .begun_s = 1, .since_s = 2,
                  .until_s = 3, .told = FR_NOTICE_BY_POST, .told_s = 4, .acked_s = 5,
                  .acked_by = "local:ada", .acked_why = "called", .what = "it is over",
                  .mend = "fedroam renew"))
ROUND_TRIP(fr_approval_row, fr_approval,
           BRACED(.op = "member.add", .args = "{}", .digest = {1}, .reason = "why",
                  .asker = "local:root", .person = "ada", .asked_s = 1, .expires_s = 2, .needed = 3,
                  .n = 2, .by = {{"bob", 3}, {"cleo", 4}}, .state = FR_APPROVAL_FAILED,
                  .closer = "", .closed_s = 5, .why = "because"))
ROUND_TRIP(fr_visibility_row, fr_visibility, BRACED(.since_s = 4))
ROUND_TRIP(fr_device_row, fr_device,
           BRACED(.netid = 0xffffff, .flags = FR_DEVICE_HIDDEN, .change = UINT32_MAX))
ROUND_TRIP(fr_cert_row, fr_cert_row,
           BRACED(.status = FR_CERT_REVOKED, .profile = FR_PROFILE_JS, .member = "acme",
                  .netid = 0xffffff, .joineui = 7, .host = "h", .rights = FR_RIGHTS_ALL,
                  .n_names = 2, .names = {"a.b", "c.d"}, .not_before_s = 1, .not_after_s = 2,
                  .sha256 = {1}, .spki = {2}, .authority = "2026a", .created_s = 3, .revoked_s = 4,
                  .revoked_cause = 5))
ROUND_TRIP(fr_token_row, fr_token_row,
           BRACED(.secret = {1}, .member = "acme", .netid = 0xffffff, .joineui = 7, .rights = 3,
                  .host = "lns1", .needs_approval = true, .created_s = 1, .expires_s = 2,
                  .n_slots = 2,
                  .slots = {{FR_PROFILE_NS, FR_SLOT_USED, {5}, {6}, 7},
                            {FR_PROFILE_DOH, FR_SLOT_OPEN, {0}, {0}, 0}}))
ROUND_TRIP(fr_key_row, fr_key, BRACED(.is_blocked = true, .member = "acme"))
ROUND_TRIP(fr_pin_row, fr_pin, BRACED(.spki = {9}, .not_after_s = 10))
ROUND_TRIP(fr_authority_row, fr_authority,
           BRACED(.kind = FR_AUTHORITY_ROOT, .state = FR_AUTHORITY_REVOKED, .since_s = 9,
                  .cause = 2, .not_before_s = 1, .not_after_s = 2, .sha256 = {3}, .der_size = 2,
                  .der = {4, 5}))

/* Schema 3 did not know since when. */
static void an_authority_of_the_first_form_is_read(void **state)
{
    uint8_t bytes[FR_ROW_MAX];
    struct fr_wr w = fr_wr(bytes, sizeof bytes);
    struct fr_authority_row row = {.kind = FR_AUTHORITY_ISSUING, .state = FR_AUTHORITY_ACTIVE},
                            late = {0};

    (void)state;
    fr_authority_write(&w, &row);
    assert_int_equal(bytes[0], 1);
    assert_int_equal(fr_authority_read(fr_wr_done(&w), &late), FR_OK);
    assert_int_equal(late.since_s, 0);
    row.since_s = 7;
    row.cause = 2;
    w = fr_wr(bytes, sizeof bytes);
    fr_authority_write(&w, &row);
    assert_int_equal(bytes[0], 2);
    assert_int_equal(fr_authority_read(fr_wr_done(&w), &late), FR_OK);
    assert_int_equal(late.since_s, 7);
    assert_int_equal(late.cause, 2);
}

static void a_journal_record_round_trip(void **state)
{
    uint8_t bytes[2048];
    struct fr_wr w = fr_wr(bytes, sizeof bytes);
    struct fr_journal_record want = {.when_s = 1,
                                     .actor = "a",
                                     .has_serial = true,
                                     .serial = {1},
                                     .reason = "r",
                                     .n_facts = 1,
                                     .facts = FR_SPAN_LIT("facts")},
                             got = {0};

    (void)state;
    fr_journal_write(&w, &want);
    assert_int_equal(fr_journal_read(fr_wr_done(&w), &got), FR_OK);
    assert_true(fr_span_is(got.facts, "facts"));
    assert_string_equal(got.actor, "a");
    /* The facts are the rest, so only cuts before them are faults. */
    for (size_t n = 0; n < fr_wr_done(&w).n - 5; n++)
        assert_int_not_equal(fr_journal_read((struct fr_span){bytes, n}, &got), FR_OK);
}

static const struct {
    const char *label;
    size_t at;
    uint8_t byte;
} faults[] = {
    {"form of a later program", 0, 2},
    {"state 0", 1, 0},
    {"state 4", 1, 4},
    {"text longer than allowed", 2, 0xff},
    {"zero byte in a text", 4, 0},
};

static void damaged_members_are_refused(void **state)
{
    struct fr_member_row row = {.state = FR_MEMBER_ACTIVE, .org = "Org"}, got = {0};
    uint8_t bytes[FR_ROW_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        struct fr_wr w = fr_wr(bytes, sizeof bytes);
        fr_member_write(&w, &row);
        bytes[faults[i].at] = faults[i].byte;
        if (fr_member_read(fr_wr_done(&w), &got) == FR_OK) fail_msg("%s was read", faults[i].label);
        assert_int_equal(got.state, 0); /* untouched */
    }
}

/* Rows of schema 3 and before: one server by its addresses, as it was answered then. */
static void joineuis_of_the_first_form(void **state)
{
    static const uint8_t value[] = {1,    0, 4,    'a', 'c',  'm',  'e', 2, 4, 192, 0, 2, 1, 0x1f,
                                    0x46, 6, 0x20, 1,   0xd,  0xb8, 0,   0, 0, 0,   0, 0, 0, 0,
                                    0,    0, 0,    1,   0x1f, 0x46, 0,   0, 0, 0,   0, 0, 0, 9};
    static const uint8_t none[] = {1, 0, 4, 'a', 'c', 'm', 'e', 0, 0, 0, 0, 0, 0, 0, 0, 9};
    struct fr_joineui_row row = {.base = 7, .nibbles = 16};
    char text[FR_JOIN_SERVER_TEXT];

    (void)state;
    assert_int_equal(fr_joineui_read(fr_span(value, sizeof value), &row), FR_OK);
    assert_int_equal(row.base, 7);
    assert_string_equal(row.member, "acme");
    assert_int_equal(row.n_servers, 1);
    assert_int_equal(row.changed_s, 9);
    fr_join_server_print(&row.servers[0], 1, text);
    assert_string_equal(text, "https://192.0.2.1:8006,also=2001:db8::1");
    assert_int_equal(fr_joineui_read(fr_span(none, sizeof none), &row), FR_OK);
    assert_int_equal(row.n_servers, 0);
    for (size_t n = 0; n < sizeof value; n++)
        assert_int_not_equal(fr_joineui_read(fr_span(value, n), &row), FR_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fr_member_round_trip),
        cmocka_unit_test(fr_network_round_trip),
        cmocka_unit_test(fr_joineui_round_trip),
        cmocka_unit_test(joineuis_of_the_first_form),
        cmocka_unit_test(fr_downstream_round_trip),
        cmocka_unit_test(fr_notice_round_trip),
        cmocka_unit_test(fr_approval_round_trip),
        cmocka_unit_test(fr_visibility_round_trip),
        cmocka_unit_test(fr_device_round_trip),
        cmocka_unit_test(fr_cert_row_round_trip),
        cmocka_unit_test(fr_token_row_round_trip),
        cmocka_unit_test(fr_key_round_trip),
        cmocka_unit_test(fr_pin_round_trip),
        cmocka_unit_test(fr_authority_round_trip),
        cmocka_unit_test(an_authority_of_the_first_form_is_read),
        cmocka_unit_test(a_journal_record_round_trip),
        cmocka_unit_test(damaged_members_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
