#include "admin/args.h"
#include "support/unit.h"

#include <string.h>

struct all {
    const char *text;
    struct fr_arg_texts texts;
    bool flag;
    struct fr_arg_number number, netid, eui;
    struct fr_arg_numbers netids, euis;
    struct fr_arg_serial serial;
    struct fr_arg_pairs pairs;
};

static const struct fr_arg rows[] = {
    {.key = "text", FR_ARG_TEXT, offsetof(struct all, text), .is_required = true, .max = 8},
    {.key = "texts", FR_ARG_TEXTS, offsetof(struct all, texts), .max = 2},
    {.key = "flag", FR_ARG_BOOL, offsetof(struct all, flag)},
    {.key = "number", FR_ARG_UINT, offsetof(struct all, number), .min = 2, .max = 5},
    {.key = "netid", FR_ARG_NETID, offsetof(struct all, netid)},
    {.key = "eui", FR_ARG_EUI, offsetof(struct all, eui)},
    {.key = "netids", FR_ARG_NETIDS, offsetof(struct all, netids), .max = 2},
    {.key = "euis", FR_ARG_EUIS, offsetof(struct all, euis)},
    {.key = "serial", FR_ARG_SERIAL, offsetof(struct all, serial)},
    {.key = "pairs", FR_ARG_PAIRS, offsetof(struct all, pairs), .max = 2},
    {.key = NULL},
};

/* err, and what the sentence must name */
static const struct {
    const char *label, *json;
    enum fr_err err;
    const char *named;
} table[] = {
    {"only what must be there", "{\"text\":\"x\"}", FR_OK, NULL},
    {"everything",
     "{\"text\":\"12345678\",\"texts\":[\"a\",\"b\"],\"flag\":true,\"number\":5,\"netid\":\"0x00-"
     "00-13\","
     "\"eui\":\"70B3D57ED0000001\",\"netids\":[\"000013\"],\"euis\":[],"
     "\"serial\":\"4142434445464748494a4b4c4d4e4f50\",\"pairs\":{\"k\":\"v\"}}",
     FR_OK, NULL},
    {"missing", "{}", FR_E_INVALID, "\"text\" is missing"},
    {"unknown member", "{\"text\":\"x\",\"txet\":1}", FR_E_INVALID, "txet"},
    {"not an object", "[]", FR_E_INVALID, "object"},
    {"null is not absent", "{\"text\":null}", FR_E_INVALID, "text"},
    {"number for text", "{\"text\":1}", FR_E_INVALID, "text"},
    {"text too long", "{\"text\":\"123456789\"}", FR_E_INVALID, "8"},
    {"line end in text", "{\"text\":\"a\\nb\"}", FR_E_INVALID, "control"},
    {"escape in text", "{\"text\":\"\\u001b[0m\"}", FR_E_INVALID, "control"},
    {"delete in text", "{\"text\":\"\\u007f\"}", FR_E_INVALID, "control"},
    {"text for list", "{\"text\":\"x\",\"texts\":\"a\"}", FR_E_INVALID, "texts"},
    {"list too long", "{\"text\":\"x\",\"texts\":[\"a\",\"b\",\"c\"]}", FR_E_INVALID, "2"},
    {"wrong item", "{\"text\":\"x\",\"texts\":[1]}", FR_E_INVALID, "texts"},
    {"number for flag", "{\"text\":\"x\",\"flag\":1}", FR_E_INVALID, "flag"},
    {"below", "{\"text\":\"x\",\"number\":1}", FR_E_INVALID, "2"},
    {"lowest", "{\"text\":\"x\",\"number\":2}", FR_OK, NULL},
    {"above", "{\"text\":\"x\",\"number\":6}", FR_E_INVALID, "5"},
    {"negative", "{\"text\":\"x\",\"number\":-3}", FR_E_INVALID, "number"},
    {"fraction", "{\"text\":\"x\",\"number\":3.0}", FR_E_INVALID, "number"},
    {"number as text", "{\"text\":\"x\",\"number\":\"3\"}", FR_E_INVALID, "number"},
    {"NetID too short", "{\"text\":\"x\",\"netid\":\"13\"}", FR_E_INVALID, "13"},
    {"NetID as number", "{\"text\":\"x\",\"netid\":19}", FR_E_INVALID, "netid"},
    {"bad NetID in a list", "{\"text\":\"x\",\"netids\":[\"000013\",\"g00013\"]}", FR_E_INVALID,
     "g00013"},
    {"EUI too long", "{\"text\":\"x\",\"eui\":\"70b3d57ed00000011\"}", FR_E_INVALID, "eui"},
    {"serial too short", "{\"text\":\"x\",\"serial\":\"41\"}", FR_E_INVALID, "41"},
    {"pairs with a number", "{\"text\":\"x\",\"pairs\":{\"k\":1}}", FR_E_INVALID, "pairs"},
    {"too many pairs", "{\"text\":\"x\",\"pairs\":{\"a\":\"\",\"b\":\"\",\"c\":\"\"}}",
     FR_E_INVALID, "pairs"},
};

static void decode_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct all all = {0};
        struct fr_diag diag = {0};
        json_t *json = json_loads(table[i].json, JSON_DECODE_ANY, NULL);
        assert_non_null(json);
        enum fr_err err = fr_args_decode(rows, json, &diag, &all);
        if (err != table[i].err || (table[i].named && !strstr(diag.what, table[i].named)))
            fail_msg("%s: %s, \"%s\"", table[i].label, fr_err_text(err), diag.what);
        fr_args_free(rows, &all);
        json_decref(json);
    }
}

static void values_arrive(void **state)
{
    (void)state;
    struct all all = {0};
    json_t *json = json_loads(table[1].json, 0, NULL);
    assert_int_equal(fr_args_decode(rows, json, NULL, &all), FR_OK);
    assert_string_equal(all.text, "12345678");
    assert_int_equal(all.texts.n, 2);
    assert_string_equal(all.texts.items[1], "b");
    assert_true(all.flag);
    assert_true(all.number.is_set && all.number.value == 5);
    assert_true(all.netid.is_set && all.netid.value == 0x13);
    assert_true(all.eui.value == 0x70b3d57ed0000001u);
    assert_true(all.netids.n == 1 && all.netids.items[0] == 0x13);
    assert_true(all.euis.is_set && all.euis.n == 0);
    assert_memory_equal(all.serial.b, "ABCDEFGHIJKLMNOP", 16);
    assert_int_equal(all.pairs.n, 1);
    assert_string_equal(all.pairs.keys[0], "k");
    assert_string_equal(all.pairs.values[0], "v");
    fr_args_free(rows, &all);
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decode_table),
        cmocka_unit_test(values_arrive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
