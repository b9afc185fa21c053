#include "enrol/window.h"

#include "base/parse.h"

static enum fr_err parse_time(struct fr_span text, unsigned *out)
{
    struct fr_span hours, minutes;
    uint64_t h = 0, m = 0;

    if (text.n != 5 || !fr_span_cut(text, ':', &hours, &minutes) || hours.n != 2 ||
        fr_parse_u64(hours, 0, 23, &h) != FR_OK || fr_parse_u64(minutes, 0, 59, &m) != FR_OK)
        return FR_E_INVALID;
    *out = (unsigned)(60 * h + m);
    return FR_OK;
}

enum fr_err fr_window_parse(struct fr_span text, struct fr_diag *diag, struct fr_window *out)
{
    struct fr_span from, to;
    struct fr_window w = {0};

    if (fr_span_cut(text, '-', &from, &to) && parse_time(from, &w.from_min) == FR_OK &&
        parse_time(to, &w.to_min) == FR_OK && w.from_min != w.to_min) {
        *out = w;
        return FR_OK;
    }
    return fr_diag_fail(diag, FR_E_INVALID, "\"%.*s\" is no time of the day such as 02:00-04:00",
                        (int)(text.n < 64 ? text.n : 64), text.n ? (const char *)text.p : "");
}

bool fr_window_has(const struct fr_window *window, unsigned minute_of_day)
{
    if (window->from_min < window->to_min)
        return minute_of_day >= window->from_min && minute_of_day < window->to_min;
    return minute_of_day >= window->from_min || minute_of_day < window->to_min;
}
