/* DevEUI, NetID and DevAddr as people write them. */
#include "names/devaddr.h"
#include "names/eui.h"
#include "names/netid.h"
#include "support/unit.h"

#include <string.h>

static void euis(void **state)
{
    static const char *const good[] = {
        "70b3d57ed0000001",          "70B3D57ED0000001",        "0x70b3d57ed0000001",
        "0X70b3D57ed0000001",        "70-b3-d5-7e-d0-00-00-01", "70:B3:D5:7E:D0:00:00:01",
        "0x70-b3-d5-7e-d0-00-00-01",
    };
    static const char *const bad[] = {
        "",
        "70b3d57ed000000",
        "70b3d57ed00000011",
        "70b3d57ed000000g",
        "70-b3-d5-7e-d0-00-00",
        "70-b3-d5:7e-d0-00-00-01",
        "70b3-d57e-d000-0001",
        "70-b3-d5-7e-d0-00-00-01-",
        "-0b3d57ed0000001",
        " 70b3d57ed0000001",
        "70b3d57ed0000001\n",
        "0x0x70b3d57ed0000001",
        "x70b3d57ed0000001",
        "70 b3 d5 7e d0 00 00 01",
        "7-0b-3d-57-ed-00-00-000",
    };
    uint64_t v;
    char text[FR_EUI_TEXT];

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        v = 0;
        CHECK_ROW(good[i],
                  fr_eui_parse(fr_span_str(good[i]), &v) == FR_OK && v == 0x70b3d57ed0000001);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        v = 5;
        CHECK_ROW(bad[i], fr_eui_parse(fr_span_str(bad[i]), &v) == FR_E_MALFORMED && v == 5);
    }
    fr_eui_print(0x70B3D57ED0000001, text);
    assert_string_equal(text, "70b3d57ed0000001");
    assert_int_equal(fr_eui_check(0, NULL), FR_E_INVALID);
    assert_int_equal(fr_eui_check(UINT64_MAX, NULL), FR_E_INVALID);
    assert_int_equal(fr_eui_check(1, NULL), FR_OK);
}

static void netids(void **state)
{
    static const struct {
        const char *text;
        enum fr_err want;
        uint32_t value;
    } rows[] = {{"000013", FR_OK, 0x13},        {"0xC00053", FR_OK, 0xc00053},
                {"c0-00-53", FR_OK, 0xc00053},  {"C0:00:53", FR_OK, 0xc00053},
                {"13", FR_E_MALFORMED, 5},      {"0000013", FR_E_MALFORMED, 5},
                {"00001g", FR_E_MALFORMED, 5},  {"", FR_E_MALFORMED, 5},
                {"c0-00:53", FR_E_MALFORMED, 5}};
    char text[FR_NETID_TEXT];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint32_t v = 5;
        CHECK_ROW(rows[i].text, fr_netid_parse(fr_span_str(rows[i].text), &v) == rows[i].want &&
                                    v == rows[i].value);
    }
    fr_netid_print(0xC00053, text);
    assert_string_equal(text, "c00053");
}

static void netids_that_may_roam(void **state)
{
    static const struct {
        uint32_t netid;
        enum fr_err want;
        const char *part;
    } rows[] = {
        {0x000013, FR_OK, ""},
        {0x00003f, FR_OK, ""},
        {0x20003f, FR_OK, ""},
        {0x4001ff, FR_OK, ""},
        {0x7fffff, FR_OK, ""},
        {0xffffff, FR_OK, ""},
        {0x000000, FR_E_INVALID, "ChirpStack"},
        {0x000001, FR_E_INVALID, "never roam"},
        {0x000040, FR_E_INVALID, "reserved bits"},
        {0x200040, FR_E_INVALID, "reserved bits"},
        {0x400200, FR_E_INVALID, "reserved bits"},
        {0x010203, FR_E_INVALID, "reserved bits"},
        {0x1000000, FR_E_INVALID, "24 bits"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fr_diag diag = {0};
        assert_int_equal(fr_netid_check(rows[i].netid, &diag), rows[i].want);
        assert_non_null(strstr(diag.what, rows[i].part));
        assert_int_equal(fr_netid_check(rows[i].netid, NULL), rows[i].want);
    }
}

static void devaddrs(void **state)
{
    uint32_t v = 0;
    char text[FR_DEVADDR_TEXT];

    (void)state;
    assert_int_equal(fr_devaddr_parse(FR_SPAN_LIT("26-01-12-AB"), &v), FR_OK);
    assert_int_equal(v, 0x260112ab);
    fr_devaddr_print(v, text);
    assert_string_equal(text, "260112ab");
    assert_int_equal(fr_devaddr_parse(FR_SPAN_LIT("260112a"), &v), FR_E_MALFORMED);
}

static void who_shares_addresses(void **state)
{
    (void)state;
    assert_int_equal(fr_devaddr_count(fr_devaddr_prefix(0x000013)), 33554432);
    assert_int_equal(fr_devaddr_count(fr_devaddr_prefix(0xe00000)), 128);
    assert_true(
        fr_netid_same_prefix(0x600001, 0x600801)); /* 21 ID bits, 11 of them in the address */
    assert_false(fr_netid_same_prefix(0x600001, 0x600002));
    assert_false(fr_netid_same_prefix(0x000001, 0x200001));
    assert_true(fr_netid_prefix_is_shared(0x600001) && fr_netid_prefix_is_shared(0xffffff));
    assert_false(fr_netid_prefix_is_shared(0x000013) || fr_netid_prefix_is_shared(0x4001ff));
    assert_true(fr_devaddr_match(0x26000001, 0x000013));
    assert_false(fr_devaddr_match(0x28000001, 0x000013));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(euis),
        cmocka_unit_test(netids),
        cmocka_unit_test(netids_that_may_roam),
        cmocka_unit_test(devaddrs),
        cmocka_unit_test(who_shares_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
