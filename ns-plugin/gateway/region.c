#include "gateway/region.h"

#include <stddef.h>

static const char *const EU868_DR[] = {"SF12BW125", "SF11BW125", "SF10BW125", "SF9BW125",
                                       "SF8BW125",  "SF7BW125",  "SF7BW250"};

int fr_eu868_dr_parse(struct fr_span word)
{
    for (size_t i = 0; i < sizeof EU868_DR / sizeof EU868_DR[0]; i++) {
        if (fr_span_is(word, EU868_DR[i])) return (int)i;
    }
    return -1;
}

int fr_eu868_dr_from_fsk(uint32_t bit_rate)
{
    return bit_rate == FR_EU868_FSK_BITRATE ? FR_EU868_FSK_DR : -1;
}

const char *fr_eu868_dr_print(uint8_t dr)
{
    return dr < sizeof EU868_DR / sizeof EU868_DR[0] ? EU868_DR[dr] : NULL;
}

bool fr_eu868_has_hz(uint32_t hz)
{
    return hz >= 863000000 && hz <= 870000000;
}

int fr_eu868_power_dbm(uint32_t hz)
{
    return hz >= 869400000 && hz <= 869650000 ? 27 : 14;
}
