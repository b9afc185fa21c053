#include "resolver_cli/http_date.h"

#include "base/clock.h"
#include "base/parse.h"

#include <stdio.h>

enum { LENGTH = 29 };

enum fr_err fr_http_date_parse(struct fr_span text, int64_t *out)
{
    static const char MONTHS[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char iso[FR_TIME_TEXT];
    uint64_t day, year;
    unsigned month = 0;

    if (text.n != LENGTH) return FR_E_MALFORMED;
    struct fr_span name = fr_span(text.p + 8, 3), time = fr_span(text.p + 17, 8);
    while (month < 12 && !fr_span_equal(name, fr_span(MONTHS + 3 * (size_t)month, 3))) month++;
    if (month == 12 || !fr_span_ends(text, " GMT") || text.p[3] != ',' || text.p[4] != ' ' ||
        text.p[7] != ' ' || text.p[11] != ' ' || text.p[16] != ' ' ||
        fr_parse_u64(fr_span(text.p + 5, 2), 1, 31, &day) != FR_OK ||
        fr_parse_u64(fr_span(text.p + 12, 4), 1970, 9999, &year) != FR_OK)
        return FR_E_MALFORMED;
    (void)snprintf(iso, sizeof iso, "%04u-%02u-%02uT%.8sZ", (unsigned)year, month + 1,
                   (unsigned)day, (const char *)time.p);
    return fr_time_parse(fr_span_str(iso), out);
}
