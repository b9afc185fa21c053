#include "backend/message.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>

/* ±hh:mm at the end of a timestamp, in seconds. */
static enum fr_err zone_parse(struct fr_span text, int64_t *seconds)
{
    int v[4];
    static const size_t AT[] = {1, 2, 4, 5};

    if (text.n != 6 || text.p[3] != ':') return FR_E_MALFORMED;
    for (size_t i = 0; i < 4; i++) {
        if (text.p[AT[i]] < '0' || text.p[AT[i]] > '9') return FR_E_MALFORMED;
        v[i] = text.p[AT[i]] - '0';
    }
    int hours = v[0] * 10 + v[1], minutes = v[2] * 10 + v[3];
    if (hours > 23 || minutes > 59) return FR_E_MALFORMED;
    *seconds = (int64_t)(hours * 3600 + minutes * 60) * (text.p[0] == '-' ? -1 : 1);
    return FR_OK;
}

/* Up to three digits count, the rest of at most nine is checked and dropped. *used: bytes of "." and digits. */
static enum fr_err fraction_parse(struct fr_span text, int64_t *ms, size_t *used)
{
    size_t i = 1;
    int64_t v = 0, unit = 100;

    if (text.n == 0 || text.p[0] != '.') {
        *ms = 0;
        *used = 0;
        return FR_OK;
    }
    for (; i < text.n && text.p[i] >= '0' && text.p[i] <= '9'; i++) {
        v += (text.p[i] - '0') * unit;
        unit /= 10;
    }
    if (i == 1 || i > 10) return FR_E_MALFORMED;
    *ms = v;
    *used = i;
    return FR_OK;
}

enum fr_err fr_bi_time_parse(struct fr_span text, int64_t *ms)
{
    char whole[FR_TIME_TEXT];
    int64_t seconds, fraction, zone = 0;
    size_t used;

    if (text.n < 20) return FR_E_MALFORMED;
    enum fr_err err = fraction_parse(fr_span(text.p + 19, text.n - 19), &fraction, &used);
    if (err) return err;
    struct fr_span tail = fr_span(text.p + 19 + used, text.n - 19 - used);
    if (fr_span_starts(tail, "+") || fr_span_starts(tail, "-"))
        err = zone_parse(tail, &zone);
    else if (!fr_span_is(tail, "Z"))
        err = FR_E_MALFORMED;
    if (err) return err;
    memcpy(whole, text.p, 19);
    whole[19] = 'Z';
    err = fr_time_parse(fr_span(whole, 20), &seconds);
    if (err) return err;
    *ms = (seconds - zone) * 1000 + fraction;
    return FR_OK;
}

void fr_bi_time_print(int64_t ms, char out[FR_BI_TIME_TEXT])
{
    char whole[FR_TIME_TEXT];

    if (ms < 0) ms = 0;
    fr_time_print(ms / 1000, whole);
    if (ms % 1000 == 0)
        (void)snprintf(out, FR_BI_TIME_TEXT, "%s", whole);
    else
        (void)snprintf(out, FR_BI_TIME_TEXT, "%.19s.%03dZ", whole, (int)(ms % 1000));
}
