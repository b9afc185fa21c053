#include "ca/profile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FED50 "a123456789.b123456789.c123456789.d123456789.e12345"
#define L63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define FED200 L63 "." L63 "." L63 ".test5678"

static void names_are_the_designs(void **state)
{
    static const struct {
        struct fr_subject subject;
        const char *fed;
        const char *cn;
        const char *dns[3];
        const char *uri;
        const char *id;
    } rows[] = {
        {{.profile = FR_PROFILE_BROKER, .host = "host1"},
         "fed.test",
         "broker.fed.test",
         {"broker.fed.test", "ca.fed.test", "host1.fed.test"},
         "spiffe://fed.test/broker",
         "host1"},
        {{.profile = FR_PROFILE_DOH, .member = "acme"},
         "fed.test",
         "acme",
         {"acme.member.fed.test"},
         "spiffe://fed.test/member/acme/doh",
         "acme"},
        {{.profile = FR_PROFILE_NS, .member = "acme", .netid = 0x13},
         "fed.test",
         "000013",
         {"000013.netid.fed.test"},
         "spiffe://fed.test/member/acme/ns/000013",
         "000013"},
        {{.profile = FR_PROFILE_JS, .member = "acme", .joineui = 0x70b3d57ed0000001},
         "fed.test",
         "70b3d57ed0000001",
         {"1.0.0.0.0.0.0.d.e.7.5.d.3.b.0.7.joineui.fed.test"},
         "spiffe://fed.test/member/acme/js/70b3d57ed0000001",
         "70b3d57ed0000001"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fr_profile_names names;
        char id[FR_SUBJECT_ID_TEXT];
        assert_int_equal(fr_profile_name(&rows[i].subject, rows[i].fed, NULL, &names), FR_OK);
        assert_string_equal(names.common_name, rows[i].cn);
        assert_string_equal(names.uri, rows[i].uri);
        for (size_t d = 0; d < 3; d++) {
            if (rows[i].dns[d] == NULL)
                assert_true(names.dns_count <= d);
            else
                assert_string_equal(names.dns[d], rows[i].dns[d]);
        }
        fr_subject_print_id(&rows[i].subject, id);
        assert_string_equal(id, rows[i].id);
    }
}

static void bad_subjects_are_refused(void **state)
{
    static const struct {
        const char *what;
        struct fr_subject subject;
    } rows[] = {
        {"broker without host", {.profile = FR_PROFILE_BROKER}},
        {"two labels", {.profile = FR_PROFILE_BROKER, .host = "a.b"}},
        {"upper case", {.profile = FR_PROFILE_BROKER, .host = "Host"}},
        {"comma", {.profile = FR_PROFILE_BROKER, .host = "a,DNS:b"}},
        {"at", {.profile = FR_PROFILE_BROKER, .host = "@a"}},
        {"empty", {.profile = FR_PROFILE_BROKER, .host = ""}},
        {"64 bytes", {.profile = FR_PROFILE_BROKER, .host = L63 "a"}},
        {"a branch of the zone", {.profile = FR_PROFILE_BROKER, .host = "netid"}},
        {"the service itself", {.profile = FR_PROFILE_BROKER, .host = "ca"}},
        {"no member", {.profile = FR_PROFILE_DOH}},
        {"member like a NetID", {.profile = FR_PROFILE_DOH, .member = "abcdef"}},
        {"member with comma", {.profile = FR_PROFILE_DOH, .member = "a,DNS:b"}},
        {"member with newline", {.profile = FR_PROFILE_DOH, .member = "a\nb"}},
        {"member of 33",
         {.profile = FR_PROFILE_DOH, .member = "abcdefghijklmnopqrstuvwxyzabcdefg"}},
        {"NetID 000000", {.profile = FR_PROFILE_NS, .member = "acme", .netid = 0}},
        {"NetID 000001", {.profile = FR_PROFILE_NS, .member = "acme", .netid = 1}},
        {"RFU bits", {.profile = FR_PROFILE_NS, .member = "acme", .netid = 0x000113}},
        {"JoinEUI of zeros", {.profile = FR_PROFILE_JS, .member = "acme"}},
        {"JoinEUI of ones", {.profile = FR_PROFILE_JS, .member = "acme", .joineui = UINT64_MAX}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fr_profile_names names;
        struct fr_diag diag = {0};
        enum fr_err err = fr_profile_name(&rows[i].subject, "fed.test", &diag, &names);
        if (err != FR_E_INVALID || diag.what[0] == '\0')
            fail_msg("%s: %s", rows[i].what, fr_err_text(err));
    }
}

static void long_federations_fit(void **state)
{
    const struct fr_subject broker = {.profile = FR_PROFILE_BROKER, .host = "h"};
    const struct fr_subject js = {.profile = FR_PROFILE_JS, .member = "acme", .joineui = 5};
    struct fr_profile_names names;

    (void)state;
    assert_int_equal(strlen(FED200), 200);
    assert_string_equal(fr_profile_organisation("fed.test"), "fed.test");
    assert_string_equal(fr_profile_organisation(FED200), "test5678");
    assert_int_equal(fr_profile_name(&broker, FED200, NULL, &names), FR_OK);
    assert_string_equal(names.common_name, "broker");
    assert_int_equal(fr_profile_name(&js, FED200, NULL, &names), FR_OK);
    assert_int_equal(strlen(names.dns[0]), 31 + 9 + 200);
    assert_int_equal(fr_profile_name(&broker, FED50, NULL, &names), FR_OK);
    assert_string_equal(names.common_name, "broker." FED50);
}

static void dates_stay_inside_the_issuers(void **state)
{
    const struct fr_cert_fields issuer = {.not_before_s = 1000000, .not_after_s = 2000000};
    static const struct {
        int64_t now, lifetime, from, until;
        enum fr_err err;
    } rows[] = {
        {1500000, 1000, 1499700, 1500999, FR_OK},
        {1000100, 1000, 1000000, 1001099, FR_OK}, /* backdated no further than the issuer */
        {1999999, 1000, 1999699, 2000000, FR_OK}, /* ends with the issuer */
        {2000000, 1000, 0, 0, FR_E_EXPIRED},
        {999999, 1000, 0, 0, FR_E_EXPIRED},
    };
    const struct fr_profile_names names = {.common_name = "acme"};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fr_cert_spec spec = {0};
        assert_int_equal(fr_profile_fill(&names, FR_PROFILE_DOH, "fed.test", rows[i].now,
                                         rows[i].lifetime, &issuer, &spec),
                         rows[i].err);
        assert_int_equal(spec.not_before_s, rows[i].from);
        assert_int_equal(spec.not_after_s, rows[i].until);
    }
}

static void uses_are_the_profiles(void **state)
{
    const struct fr_cert_fields issuer = {.not_before_s = 0, .not_after_s = 2000000};
    const struct fr_profile_names names = {.common_name = "acme"};

    (void)state;
    for (int p = FR_PROFILE_BROKER; p <= FR_PROFILE_JS; p++) {
        struct fr_cert_spec spec;
        assert_int_equal(
            fr_profile_fill(&names, (enum fr_profile)p, "fed.test", 1000, 1000, &issuer, &spec),
            FR_OK);
        assert_true(spec.client);
        assert_int_equal(spec.server, p != FR_PROFILE_DOH);
        assert_int_equal(spec.kind, FR_X509_LEAF);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_the_designs), cmocka_unit_test(bad_subjects_are_refused),
        cmocka_unit_test(long_federations_fit),  cmocka_unit_test(dates_stay_inside_the_issuers),
        cmocka_unit_test(uses_are_the_profiles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
