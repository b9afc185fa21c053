#include "pki_cli/cells.h"

#include "base/clock.h"
#include "base/hex.h"

void fr_cell_time(struct fr_table *table, int64_t when_s)
{
    char text[FR_TIME_TEXT];

    if (when_s == 0) {
        fr_table_none(table);
        return;
    }
    fr_time_print(when_s, text);
    fr_table_text(table, text);
}

void fr_cell_hex(struct fr_table *table, const uint8_t *bytes, size_t n)
{
    char text[2 * 32 + 1];

    fr_hex_print(bytes, n < 32 ? n : 32, text);
    fr_table_text(table, text);
}
