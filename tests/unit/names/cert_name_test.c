#include "names/cert_name.h"
#include "support/unit.h"

#include <string.h>

static const struct {
    const char *text;
    struct fr_cert_name name;
} shapes[] = {
    {"broker.fed.test", {.kind = FR_CERT_BROKER}},
    {"ca.fed.test", {.kind = FR_CERT_CA}},
    {"b1.fed.test", {.kind = FR_CERT_HOST, .label = "b1"}},
    {"acme.member.fed.test", {.kind = FR_CERT_MEMBER, .label = "acme"}},
    {"000013.netid.fed.test", {.kind = FR_CERT_NETID, .netid = 0x13}},
    {"1.0.0.0.0.0.0.d.e.7.5.d.3.b.0.7.joineui.fed.test",
     {.kind = FR_CERT_JOINEUI, .joineui = 0x70b3d57ed0000001}},
};

static void both_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(shapes); i++) {
        char text[FR_CERT_NAME_TEXT];
        struct fr_cert_name n;
        const struct fr_cert_name *want = &shapes[i].name;
        CHECK_ROW(shapes[i].text, fr_cert_name_print(want, "fed.test", text) == FR_OK);
        CHECK_ROW(shapes[i].text, strcmp(text, shapes[i].text) == 0);
        for (int upper = 0; upper < 2; upper++) {
            for (char *c = text; upper && *c != '\0'; c++)
                *c = (char)(*c >= 'a' && *c <= 'z' ? *c - 32 : *c);
            CHECK_ROW(text, fr_cert_name_parse(fr_span_str(text), "fed.test", &n) == FR_OK);
            CHECK_ROW(text,
                      n.kind == want->kind && n.netid == want->netid && n.joineui == want->joineui);
            CHECK_ROW(text, strcmp(n.label, want->label) == 0);
        }
    }
}

static void not_ours(void **state)
{
    static const char *const rows[] = {
        "",
        "fed.test",
        ".fed.test",
        "broker.other.test",
        "brokerfed.test",
        "000013.netid.fed.test.",
        "*.fed.test",
        "-x.fed.test",
        "x_y.fed.test",
        "deveui.fed.test",
        "member.fed.test",
        "netid.fed.test",
        "abcdef.member.fed.test",
        "a.b.member.fed.test",
        "acme.members.fed.test",
        "00013.netid.fed.test",
        "_ns.000013.netid.fed.test",
        "70b3d57ed0000001.deveui.fed.test",
        "0.0.joineui.fed.test",
        "b1.fed.test\\.fed.test",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fr_cert_name n = {.netid = 77};
        CHECK_ROW(rows[i],
                  fr_cert_name_parse(fr_span_str(rows[i]), "fed.test", &n) == FR_E_NOT_FOUND &&
                      n.netid == 77);
    }
    struct fr_cert_name n;
    assert_int_equal(fr_cert_name_parse(fr_span("b1\0x.fed.test", 13), "fed.test", &n),
                     FR_E_NOT_FOUND);
    char longer[400];
    memset(longer, 'a', sizeof longer);
    assert_int_equal(fr_cert_name_parse(fr_span(longer, sizeof longer), "fed.test", &n),
                     FR_E_NOT_FOUND);
}

static void bad_labels_are_not_printed(void **state)
{
    static const char *const hosts[] = {"", "broker", "ca", "member", "A", "a.b", "-a"};
    char text[FR_CERT_NAME_TEXT];

    (void)state;
    for (size_t i = 0; i < COUNT(hosts); i++) {
        struct fr_cert_name n = {.kind = FR_CERT_HOST};
        strcpy(n.label, hosts[i]);
        CHECK_ROW(hosts[i], fr_cert_name_print(&n, "fed.test", text) == FR_E_INVALID);
    }
    struct fr_cert_name bad = {.kind = FR_CERT_MEMBER, .label = "Acme"};
    assert_int_equal(fr_cert_name_print(&bad, "fed.test", text), FR_E_INVALID);
}

static void uris(void **state)
{
    char text[FR_CERT_URI_TEXT];

    (void)state;
    assert_int_equal(fr_cert_uri_print("fed.test", "acme", "ns/000013", text), FR_OK);
    assert_string_equal(text, "spiffe://fed.test/member/acme/ns/000013");
    assert_int_equal(fr_cert_uri_print("fed.test", "Acme", "ns", text), FR_E_INVALID);
    assert_int_equal(fr_cert_uri_print("fed", "acme", "ns", text), FR_E_INVALID);
    assert_int_equal(fr_cert_uri_print("fed.test", "acme", "", text), FR_E_INVALID);
    assert_int_equal(fr_cert_uri_print("fed.test", "acme", "a b", text), FR_E_INVALID);
    assert_int_equal(fr_cert_uri_print("fed.test", "acme", "a?b", text), FR_E_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ways),
        cmocka_unit_test(not_ours),
        cmocka_unit_test(bad_labels_are_not_printed),
        cmocka_unit_test(uris),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
