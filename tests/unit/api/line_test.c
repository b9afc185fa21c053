#include "api/line.h"

#include "support/unit.h"

#include <string.h>

#define EUI "70b3d57ed0000001"

static const struct {
    const char *text;
    char op; /* 0: malformed */
    uint32_t netid;
} table[] = {
    {"{\"op\":\"put\",\"eui\":\"" EUI "\",\"netid\":\"000013\"}", 'p', 0x13},
    {" { \"netid\" : \"0x000013\" ,\t\"eui\":\"70B3D57ED0000001\", \"op\":\"put\" } \r", 'p', 0x13},
    {"{\"op\":\"delete\",\"eui\":\"" EUI "\"}", 'd', 0},
    {"{\"op\":\"delete\",\"eui\":\"" EUI "\",\"netid\":\"000013\"}", 'd', 0x13},
    {"{\"op\":\"claim\",\"eui\":\"" EUI "\",\"netid\":\"000013\"}", 'c', 0x13},
    {"{\"op\":\"release\",\"eui\":\"" EUI "\",\"netid\":\"000014\"}", 'r', 0x14},
    {"{\"op\":\"put\",\"eui\":\"" EUI "\"}", 0, 0},
    {"{\"op\":\"claim\",\"eui\":\"" EUI "\"}", 0, 0},
    {"{\"op\":\"release\",\"eui\":\"" EUI "\"}", 0, 0},
    {"{\"op\":\"move\",\"eui\":\"" EUI "\",\"netid\":\"000013\"}", 0, 0},
    {"{\"op\":\"put\",\"op\":\"put\",\"eui\":\"" EUI "\",\"netid\":\"000013\"}", 0, 0},
    {"{\"op\":\"put\",\"eui\":\"" EUI "\",\"netid\":\"000013\",\"x\":\"\"}", 0, 0},
    {"{\"op\":\"put\",\"eui\":\"" EUI "\",\"netid\":13}", 0, 0},
    {"{\"op\":\"put\",\"eui\":\"\\u0037\",\"netid\":\"000013\"}", 0, 0},
    {"{\"op\":\"put\",\"eui\":\"" EUI "\",\"netid\":\"000013\"} x", 0, 0},
    {"{\"op\":\"put\",\"eui\":\"" EUI "\",\"netid\":\"000013\",}", 0, 0},
    {"[\"put\"]", 0, 0},
    {"{}", 0, 0},
    {"null", 0, 0},
    {"", 0, 0},
};

static void lines_are_read_strictly(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct fr_api_line line = {0};
        enum fr_err err = fr_api_line_read(fr_span_str(table[i].text), &line);
        if (err != (table[i].op ? FR_OK : FR_E_MALFORMED)) fail_msg("%s", table[i].text);
        if (err) continue;
        assert_int_equal(line.op, table[i].op);
        assert_int_equal(line.netid, table[i].netid);
        assert_true(line.eui == 0x70b3d57ed0000001);
    }
}

static void no_part_of_a_line_is_one(void **state)
{
    (void)state;
    const char *text = table[0].text;
    struct fr_api_line line;
    for (size_t n = 0; n < strlen(text); n++)
        assert_int_equal(fr_api_line_read(fr_span(text, n), &line), FR_E_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_read_strictly),
        cmocka_unit_test(no_part_of_a_line_is_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
