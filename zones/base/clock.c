#include "base/clock.h"

#include "base/parse.h"

#include <stdio.h>
#include <time.h>

static int64_t system_mono_ms(void *data)
{
    struct timespec t;

    (void)data;
    (void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail for this clock */
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int64_t system_real_ms(void *data)
{
    struct timespec t;

    (void)data;
    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

const struct fr_clock *fr_clock_system(void)
{
    static const struct fr_clock clock = {system_mono_ms, system_real_ms, NULL};
    return &clock;
}

int64_t fr_clock_mono_ms(const struct fr_clock *clock)
{
    return clock->mono_ms(clock->data);
}

int64_t fr_clock_real_ms(const struct fr_clock *clock)
{
    return clock->real_ms(clock->data);
}

int64_t fr_clock_real_s(const struct fr_clock *clock)
{
    return fr_clock_real_ms(clock) / 1000;
}

static const int64_t last_second = 253402300799; /* 9999-12-31T23:59:59Z */

void fr_time_print(int64_t real_s, char out[FR_TIME_TEXT])
{
    struct tm tm;
    time_t t = (time_t)(real_s < 0 ? 0 : real_s > last_second ? last_second : real_s);

    (void)gmtime_r(&t, &tm); /* in its range by the line above */
    (void)strftime(out, FR_TIME_TEXT, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

void fr_time_print_ms(int64_t real_ms, char out[FR_TIME_MS_TEXT])
{
    char whole[FR_TIME_TEXT];

    fr_time_print(real_ms / 1000, whole);
    (void)snprintf(out, FR_TIME_MS_TEXT, "%.19s.%03uZ", whole,
                   (unsigned)(real_ms < 0 ? 0 : real_ms % 1000));
}

/* `n` digits at *text, within bounds, then the separator (0 = none); false when anything else
 * stands there. */
static bool take(struct fr_span *text, size_t n, uint64_t min, uint64_t max, char sep, int *out)
{
    uint64_t v;
    size_t used = n + (sep != 0);

    if (text->n < used || fr_parse_u64(fr_span(text->p, n), min, max, &v) != FR_OK) return false;
    if (sep != 0 && text->p[n] != sep) return false;
    *text = fr_span(text->p + used, text->n - used);
    *out = (int)v;
    return true;
}

static bool skip_fraction(struct fr_span *text)
{
    size_t n = 1;

    if (!fr_span_starts(*text, ".")) return true;
    while (n < text->n && text->p[n] >= '0' && text->p[n] <= '9') n++;
    if (n == 1 || n > 10) return false;
    *text = fr_span(text->p + n, text->n - n);
    return true;
}

enum fr_err fr_time_parse(struct fr_span text, int64_t *out)
{
    struct tm tm = {0};
    int year, month;

    if (!take(&text, 4, 1970, 9999, '-', &year) || !take(&text, 2, 1, 12, '-', &month) ||
        !take(&text, 2, 1, 31, 0, &tm.tm_mday)) {
        return FR_E_MALFORMED;
    }
    if (text.n > 0) {
        if (!fr_span_starts(text, "T")) return FR_E_MALFORMED;
        text = fr_span(text.p + 1, text.n - 1);
        if (!take(&text, 2, 0, 23, ':', &tm.tm_hour) || !take(&text, 2, 0, 59, ':', &tm.tm_min) ||
            !take(&text, 2, 0, 60, 0, &tm.tm_sec) || !skip_fraction(&text) ||
            !fr_span_is(text, "Z")) {
            return FR_E_MALFORMED;
        }
    }
    tm.tm_year = year - 1900;
    tm.tm_mon = month - 1;
    if (tm.tm_sec == 60) tm.tm_sec = 59; /* a leap second has no number of its own */
    int day = tm.tm_mday;
    time_t t = timegm(&tm);
    if (tm.tm_mday != day) return FR_E_MALFORMED; /* the 31st of a shorter month */
    *out = (int64_t)t;
    return FR_OK;
}
