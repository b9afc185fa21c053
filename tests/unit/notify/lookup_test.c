#include "notify/lookup.h"

#include "support/unit.h"

#include <stdio.h>
#include <string.h>

static void what_getent_prints(void **state)
{
    static const struct {
        const char *label, *output, *addrs;
    } rows[] = {
        {"as it is",
         "192.0.2.1       STREAM page.example\n192.0.2.1       DGRAM  \n192.0.2.1       RAW    \n",
         "192.0.2.1:443 "},
        {"both families", "2001:db8::1     STREAM page.example\n192.0.2.1 STREAM\n",
         "[2001:db8::1]:443 192.0.2.1:443 "},
        {"nothing", "", ""},
        {"no last line end", "192.0.2.1\tSTREAM", "192.0.2.1:443 "},
        {"talk before it", "warning: odd\n\n192.0.2.1 x\n", "192.0.2.1:443 "},
        {"no address", "page.example\n192.0.2\n192.0.2.1.5 STREAM\n 192.0.2.1 STREAM\n", ""},
        {"more than there is room for", "192.0.2.1\n192.0.2.2\n192.0.2.3\n192.0.2.4\n192.0.2.5\n",
         "192.0.2.1:443 192.0.2.2:443 192.0.2.3:443 192.0.2.4:443 "},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fr_addr addrs[4];
        char text[400] = "";
        const size_t n = fr_lookup_read(fr_span_str(rows[i].output), 443, addrs, COUNT(addrs));
        for (size_t a = 0; a < n; a++) {
            char one[FR_ADDR_TEXT];
            fr_addr_print(&addrs[a], one);
            const size_t at = strlen(text);
            (void)snprintf(text + at, sizeof text - at, "%s ", one);
        }
        if (strcmp(text, rows[i].addrs) != 0) fail_msg("%s: %s", rows[i].label, text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_getent_prints)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
