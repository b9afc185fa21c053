#include "names/owner.h"
#include "support/unit.h"

#include <string.h>

#define EUI 0x70b3d57ed0000001

static const struct {
    const char *text;
    struct fr_owner owner;
} shapes[] = {
    {"fed.test", {.kind = FR_OWNER_APEX}},
    {"70b3d57ed0000001.deveui.fed.test", {.kind = FR_OWNER_DEVEUI, .eui = EUI}},
    {"000013.netid.fed.test", {.kind = FR_OWNER_NETID, .netid = 0x13}},
    {"_fedroam._tcp.000013.netid.fed.test", {.kind = FR_OWNER_SERVICE, .netid = 0x13}},
    {"_ns.c00053.netid.fed.test", {.kind = FR_OWNER_TLSA, .netid = 0xc00053}},
    {"_8005._tcp.000013.netid.fed.test", {.kind = FR_OWNER_PORT, .netid = 0x13, .number = 8005}},
    {"_65535._tcp.000013.netid.fed.test", {.kind = FR_OWNER_PORT, .netid = 0x13, .number = 65535}},
    {"e1.000013.netid.fed.test", {.kind = FR_OWNER_ENDPOINT, .netid = 0x13, .number = 1}},
    {"e12.000013.netid.fed.test", {.kind = FR_OWNER_ENDPOINT, .netid = 0x13, .number = 12}},
    {"_tcp.000013.netid.fed.test", {.kind = FR_OWNER_NETID_TCP, .netid = 0x13}},
    {"1.0.0.0.0.0.0.d.e.7.5.d.3.b.0.7.joineui.fed.test", {.kind = FR_OWNER_JOINEUI, .eui = EUI}},
    {"3.b.0.7.joineui.fed.test",
     {.kind = FR_OWNER_JOINEUI_PART, .eui = 0x70b3000000000000, .nibbles = 4}},
    {"7.joineui.fed.test",
     {.kind = FR_OWNER_JOINEUI_PART, .eui = 0x7000000000000000, .nibbles = 1}},
    {"0.0.0.0.0.0.d.e.7.5.d.3.b.0.7.joineui.fed.test",
     {.kind = FR_OWNER_JOINEUI_PART, .eui = EUI & ~15ull, .nibbles = 15}},
    {"*.b.0.7.joineui.fed.test",
     {.kind = FR_OWNER_JOINEUI_ANY, .eui = 0x70b0000000000000, .nibbles = 3}},
    {"_tcp.b.0.7.joineui.fed.test",
     {.kind = FR_OWNER_JOINEUI_TCP, .eui = 0x70b0000000000000, .nibbles = 3}},
    {"_lwns._tcp.b.0.7.joineui.fed.test",
     {.kind = FR_OWNER_JOINEUI_SERVICE, .eui = 0x70b0000000000000, .nibbles = 3}},
    {"_lwn._tcp.1.0.0.0.0.0.0.d.e.7.5.d.3.b.0.7.joineui.fed.test",
     {.kind = FR_OWNER_JOINEUI_SERVICE, .eui = EUI, .nibbles = 16, .number = FR_OWNER_LWN}},
    {"e3.e.7.joineui.fed.test",
     {.kind = FR_OWNER_JOINEUI_HOST, .eui = 0x7e00000000000000, .nibbles = 2, .number = 3}},
    {"e1.1.0.0.0.0.0.0.d.e.7.5.d.3.b.0.7.joineui.fed.test",
     {.kind = FR_OWNER_JOINEUI_HOST, .eui = EUI, .nibbles = 16, .number = 1}},
    {"broker.fed.test", {.kind = FR_OWNER_BROKER}},
    {"ca.fed.test", {.kind = FR_OWNER_CA}},
    {"deveui.fed.test", {.kind = FR_OWNER_DEVEUI_ROOT}},
    {"netid.fed.test", {.kind = FR_OWNER_NETID_ROOT}},
    {"joineui.fed.test", {.kind = FR_OWNER_JOINEUI_ROOT}},
};

static bool same(const struct fr_owner *a, const struct fr_owner *b)
{
    return a->kind == b->kind && a->eui == b->eui && a->netid == b->netid &&
           a->number == b->number && a->nibbles == b->nibbles && a->is_below == b->is_below;
}

static void every_shape_both_ways(void **state)
{
    struct fr_dname zone;

    (void)state;
    assert_int_equal(fr_dname_parse(FR_SPAN_LIT("fed.test"), &zone), FR_OK);
    for (size_t i = 0; i < COUNT(shapes); i++) {
        const char *text = shapes[i].text;
        char printed[FR_OWNER_TEXT], upper[FR_OWNER_TEXT];
        struct fr_owner read;
        struct fr_dname wire, parsed;
        CHECK_ROW(text, fr_owner_print(&shapes[i].owner, "fed.test", printed) == FR_OK &&
                            strcmp(printed, text) == 0);
        CHECK_ROW(text, fr_owner_write(&shapes[i].owner, &zone, &wire) == FR_OK);
        CHECK_ROW(text, fr_dname_parse(fr_span_str(text), &parsed) == FR_OK);
        CHECK_ROW(text, fr_span_equal(fr_dname_span(&wire), fr_dname_span(&parsed)));
        CHECK_ROW(text, fr_owner_read(fr_dname_span(&wire), &zone, &read) == FR_OK &&
                            same(&read, &shapes[i].owner));
        CHECK_ROW(text, fr_owner_parse(fr_span_str(text), "fed.test", &read) == FR_OK &&
                            same(&read, &shapes[i].owner));
        size_t n = strlen(text);
        for (size_t k = 0; k <= n; k++)
            upper[k] = (char)(text[k] >= 'a' && text[k] <= 'z' ? text[k] - 32 : text[k]);
        CHECK_ROW(upper, fr_owner_parse(fr_span(upper, n), "fed.test", &read) == FR_OK &&
                             same(&read, &shapes[i].owner));
        upper[n] = '.';
        CHECK_ROW(upper, fr_owner_parse(fr_span(upper, n + 1), "fed.test", &read) == FR_OK &&
                             same(&read, &shapes[i].owner));
    }
}

static void anything_else(void **state)
{
    static const struct {
        const char *text;
        enum fr_err want;
    } rows[] = {
        {"fed.other", FR_E_INVALID},
        {"test", FR_E_INVALID},
        {"xfed.test", FR_E_INVALID},
        {"", FR_E_MALFORMED},
        {"a..fed.test", FR_E_MALFORMED},
        {"x.fed.test", FR_E_NOT_FOUND},
        {"member.fed.test", FR_E_NOT_FOUND},
        {"x.broker.fed.test", FR_E_NOT_FOUND},
        {"70b3d57ed000001.deveui.fed.test", FR_E_NOT_FOUND},
        {"70b3d57ed00000011.deveui.fed.test", FR_E_NOT_FOUND},
        {"70b3d57ed000000g.deveui.fed.test", FR_E_NOT_FOUND},
        {"x.70b3d57ed0000001.deveui.fed.test", FR_E_NOT_FOUND},
        {"70-b3-d5-7e-d0-00-00-01.deveui.fed.test", FR_E_NOT_FOUND},
        {"13.netid.fed.test", FR_E_NOT_FOUND},
        {"0000013.netid.fed.test", FR_E_NOT_FOUND},
        {"0x0013.netid.fed.test", FR_E_NOT_FOUND},
        {"x.000013.netid.fed.test", FR_E_NOT_FOUND},
        {"_udp.000013.netid.fed.test", FR_E_NOT_FOUND},
        {"_fedroam.000013.netid.fed.test", FR_E_NOT_FOUND},
        {"_fedroam._udp.000013.netid.fed.test", FR_E_NOT_FOUND},
        {"x._fedroam._tcp.000013.netid.fed.test", FR_E_NOT_FOUND},
        {"_0._tcp.000013.netid.fed.test", FR_E_NOT_FOUND},
        {"_08005._tcp.000013.netid.fed.test", FR_E_NOT_FOUND},
        {"_65536._tcp.000013.netid.fed.test", FR_E_NOT_FOUND},
        {"\\1278005._tcp.000013.netid.fed.test", FR_E_NOT_FOUND},
        {"8005._tcp.000013.netid.fed.test", FR_E_NOT_FOUND},
        {"e0.000013.netid.fed.test", FR_E_NOT_FOUND},
        {"e01.000013.netid.fed.test", FR_E_NOT_FOUND},
        {"e.000013.netid.fed.test", FR_E_NOT_FOUND},
        {"e1x.000013.netid.fed.test", FR_E_NOT_FOUND},
        {"ns.000013.netid.fed.test", FR_E_NOT_FOUND},
        {"70.joineui.fed.test", FR_E_NOT_FOUND},
        {"g.joineui.fed.test", FR_E_NOT_FOUND},
        {"x.g.joineui.fed.test", FR_E_NOT_FOUND},
        {"*.joineui.fed.test", FR_E_NOT_FOUND},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fr_owner owner = {.number = 77};
        CHECK_ROW(rows[i].text,
                  fr_owner_parse(fr_span_str(rows[i].text), "fed.test", &owner) == rows[i].want);
        CHECK_ROW(rows[i].text, owner.number == 77);
    }
}

/* Names that are none of the forms, below one that is: where a wildcard may answer. They cannot be written. */
static void below_joineuis(void **state)
{
    static const struct {
        const char *text;
        struct fr_owner owner;
    } rows[] = {
        {"0.1.0.0.0.0.0.0.d.e.7.5.d.3.b.0.7.joineui.fed.test",
         {.kind = FR_OWNER_JOINEUI, .eui = EUI}},
        {"*.1.0.0.0.0.0.0.d.e.7.5.d.3.b.0.7.joineui.fed.test",
         {.kind = FR_OWNER_JOINEUI, .eui = EUI}},
        {"x.b.0.7.joineui.fed.test",
         {.kind = FR_OWNER_JOINEUI_PART, .eui = 0x70b0000000000000, .nibbles = 3}},
        {"1.x.b.0.7.joineui.fed.test",
         {.kind = FR_OWNER_JOINEUI_PART, .eui = 0x70b0000000000000, .nibbles = 3}},
        {"e0.7.joineui.fed.test",
         {.kind = FR_OWNER_JOINEUI_PART, .eui = 0x7000000000000000, .nibbles = 1}},
        {"x.*.b.0.7.joineui.fed.test",
         {.kind = FR_OWNER_JOINEUI_ANY, .eui = 0x70b0000000000000, .nibbles = 3}},
        {"_lwms._tcp.7.joineui.fed.test",
         {.kind = FR_OWNER_JOINEUI_TCP, .eui = 0x7000000000000000, .nibbles = 1}},
        {"x._lwn._tcp.7.joineui.fed.test",
         {.kind = FR_OWNER_JOINEUI_SERVICE, .eui = 0x7000000000000000, .nibbles = 1, .number = 1}},
        {"x.e2.7.joineui.fed.test",
         {.kind = FR_OWNER_JOINEUI_HOST, .eui = 0x7000000000000000, .nibbles = 1, .number = 2}},
    };
    struct fr_owner owner, want;
    char text[FR_OWNER_TEXT];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        want = rows[i].owner;
        want.is_below = true;
        CHECK_ROW(rows[i].text,
                  fr_owner_parse(fr_span_str(rows[i].text), "fed.test", &owner) == FR_OK &&
                      same(&owner, &want));
        CHECK_ROW(rows[i].text, fr_owner_print(&owner, "fed.test", text) == FR_E_RANGE);
    }
}

static void limits(void **state)
{
    struct fr_owner owner = {.kind = FR_OWNER_JOINEUI};
    struct fr_dname zone;
    struct fr_dname wire;
    char fed[240], text[FR_OWNER_TEXT];

    (void)state;
    for (size_t i = 0; i < sizeof fed; i++) fed[i] = i % 2 ? '.' : 'a';
    fed[213] = '\0'; /* 31 + 8 + 1 + 213 = 253, the longest */
    assert_int_equal(fr_owner_print(&owner, fed, text), FR_OK);
    assert_int_equal(fr_dname_parse(fr_span_str(fed), &zone), FR_OK);
    assert_int_equal(fr_owner_write(&owner, &zone, &wire), FR_OK);
    assert_int_equal(wire.n, 255);
    fed[213] = '.';
    fed[215] = '\0';
    assert_int_equal(fr_owner_print(&owner, fed, text), FR_E_LIMIT);
    assert_int_equal(fr_dname_parse(fr_span_str(fed), &zone), FR_OK);
    assert_int_equal(fr_owner_write(&owner, &zone, &wire), FR_E_LIMIT);
    owner.kind = FR_OWNER_JOINEUI_PART;
    owner.nibbles = 16;
    assert_int_equal(fr_owner_print(&owner, "fed.test", text), FR_E_RANGE);
    owner.nibbles = 0;
    assert_int_equal(fr_owner_print(&owner, "fed.test", text), FR_E_RANGE);
    owner = (struct fr_owner){.kind = FR_OWNER_JOINEUI_SERVICE, .nibbles = 16, .number = 2};
    assert_int_equal(fr_owner_print(&owner, "fed.test", text), FR_E_RANGE);
    owner = fr_owner_joineui(EUI, 16);
    assert_int_equal(owner.kind, FR_OWNER_JOINEUI);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_shape_both_ways),
        cmocka_unit_test(anything_else),
        cmocka_unit_test(below_joineuis),
        cmocka_unit_test(limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
