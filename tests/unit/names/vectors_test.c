/* The netid_*, devaddr_* and dns_* vectors. */
#include "names/devaddr.h"
#include "names/netid.h"
#include "names/owner.h"
#include "support/vectors.h"

#include <string.h>

static void prefix_text(uint32_t netid, char out[FR_DEVADDR_PREFIX_TEXT])
{
    fr_devaddr_prefix_print(fr_devaddr_prefix(netid), out);
}

static void check_prefix(const char *name, const json_t *inputs, const json_t *expected)
{
    uint32_t netid = (uint32_t)vector_hex(inputs, "NetID");
    const json_t *want = json_is_string(expected) ? expected : json_object_get(expected, "prefix");
    char text[FR_DEVADDR_PREFIX_TEXT];

    prefix_text(netid, text);
    CHECK_ROW(name, strcmp(text, json_string_value(want)) == 0);
    if (json_is_object(expected))
        CHECK_ROW(name, fr_netid_type(netid) == vector_uint(expected, "type"));
}

static void check_errata(const char *name, const json_t *inputs, const json_t *expected)
{
    const json_t *netids = json_object_get(inputs, "NetIDs");
    const json_t *printed = json_object_get(expected, "as printed in 1.0 (10/18, 11/16)");
    const json_t *errata = json_object_get(expected, "errata and 1.1 (11/17, 12/15)");

    CHECK_ROW(name, json_array_size(netids) == 2 && json_array_size(printed) == 2 &&
                        json_array_size(errata) == 2);
    for (size_t i = 0; i < 2; i++) {
        char text[FR_DEVADDR_PREFIX_TEXT];
        prefix_text((uint32_t)vector_hex(json_array_get(netids, i), "NetID"), text);
        CHECK_ROW(name, strcmp(text, json_string_value(json_array_get(errata, i))) == 0);
        CHECK_ROW(name, strcmp(text, json_string_value(json_array_get(printed, i))) != 0);
    }
}

static void check_set(const char *name, const json_t *inputs, const json_t *expected)
{
    uint32_t netid = (uint32_t)vector_hex(inputs, "NetID");
    uint32_t addr = fr_devaddr_with_netid((uint32_t)vector_hex(inputs, "DevAddr before"), netid);

    CHECK_ROW(name, addr == vector_hex(expected, "DevAddr"));
    CHECK_ROW(name,
              fr_devaddr_match(addr, netid) == json_is_true(json_object_get(expected, "matches")));
}

static void check_parse(const char *name, const json_t *inputs, const json_t *expected)
{
    uint32_t addr = (uint32_t)vector_hex(inputs, "DevAddr"), nwkid = 0;

    CHECK_ROW(name, fr_devaddr_type(addr) == (int)vector_uint(expected, "type"));
    CHECK_ROW(name, fr_devaddr_nwkid(addr, &nwkid) == FR_OK);
    CHECK_ROW(name, nwkid == vector_hex(expected, "NwkID"));
}

static void check_no_type(const char *name, const json_t *inputs, const json_t *expected)
{
    uint32_t addr = (uint32_t)vector_hex(inputs, "DevAddr"), nwkid = 5;

    CHECK_ROW(name, json_is_null(json_object_get(expected, "type")) && fr_devaddr_type(addr) == -1);
    CHECK_ROW(name, fr_devaddr_nwkid(addr, &nwkid) == FR_E_INVALID && nwkid == 5);
}

static void check_dns(const char *name, const json_t *inputs, const json_t *expected)
{
    const char *suffix = json_string_value(json_object_get(inputs, "suffix"));
    char text[FR_OWNER_TEXT];
    enum fr_err err;

    if (json_object_get(inputs, "NetID") != NULL) {
        if (suffix == NULL) suffix = "NETIDS.LORA-ALLIANCE.ORG";
        err = fr_netid_name((uint32_t)vector_hex(inputs, "NetID"), suffix, text);
    } else if (json_object_get(inputs, "JoinEUI") != NULL) {
        if (suffix == NULL) suffix = "JOINEUIS.LORA-ALLIANCE.ORG";
        err = fr_joineui_name(vector_hex(inputs, "JoinEUI"), suffix, text);
    } else {
        err = fr_deveui_name(vector_hex(inputs, "DevEUI"), suffix, text);
    }
    CHECK_ROW(name, err == FR_OK && strcmp(text, json_string_value(expected)) == 0);
}

static void vectors(void **state)
{
    (void)state;
    assert_int_equal(vectors_each("netid_prefix_", check_prefix), 14);
    assert_int_equal(vectors_each("netid_type34_1_0_vs_errata", check_errata), 1);
    assert_int_equal(vectors_each("devaddr_set_prefix_", check_set), 16);
    assert_int_equal(vectors_each("devaddr_parse_", check_parse), 8);
    assert_int_equal(vectors_each("devaddr_type_invalid", check_no_type), 1);
    assert_int_equal(vectors_each("dns_", check_dns), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(vectors)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
