#include "names/conf.h"
#include "support/unit.h"

static void identifiers(void **state)
{
    static const struct {
        const char *text;
        bool is_netid, is_eui;
        uint64_t value;
    } table[] = {
        {"000013", true, false, 0x13},
        {"0x00-00-13", true, false, 0x13},
        {"000000", false, false, 0}, /* never roams */
        {"000113", false, false, 0}, /* reserved bits */
        {"13", false, false, 0},
        {"", false, false, 0},
        {"70b3d57ed0000001", false, true, 0x70b3d57ed0000001},
        {"70B3D57ED000000", false, false, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct fr_diag diag = {0};
        uint32_t netid = 7;
        uint64_t eui = 7;
        struct fr_span text = fr_span_str(table[i].text);
        bool is_netid = fr_conf_parse_netid(text, &netid, &diag) == FR_OK;
        CHECK_ROW(table[i].text, is_netid == table[i].is_netid);
        CHECK_ROW(table[i].text, netid == (is_netid ? table[i].value : 7));
        CHECK_ROW(table[i].text, is_netid || diag.what[0] != '\0');
        bool is_eui = fr_conf_parse_eui(text, &eui, &diag) == FR_OK;
        CHECK_ROW(table[i].text, is_eui == table[i].is_eui);
        CHECK_ROW(table[i].text, eui == (is_eui ? table[i].value : 7));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(identifiers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
