#include "base/parse.h"

/* Reads the digits at the front of *text and moves it behind them. */
static enum fr_err take_digits(struct fr_span *text, uint64_t *out)
{
    uint64_t v = 0;
    size_t i = 0;

    for (; i < text->n && text->p[i] >= '0' && text->p[i] <= '9'; i++) {
        uint64_t digit = (uint64_t)(text->p[i] - '0');
        if (v > (UINT64_MAX - digit) / 10) return FR_E_RANGE;
        v = v * 10 + digit;
    }
    if (i == 0) return FR_E_MALFORMED;
    *text = fr_span(text->p + i, text->n - i);
    *out = v;
    return FR_OK;
}

static enum fr_err in_range(uint64_t v, uint64_t min, uint64_t max, uint64_t *out)
{
    if (v < min || v > max) return FR_E_RANGE;
    *out = v;
    return FR_OK;
}

enum fr_err fr_parse_u64(struct fr_span text, uint64_t min, uint64_t max, uint64_t *out)
{
    uint64_t v;
    enum fr_err err = take_digits(&text, &v);

    if (err) return err;
    return text.n == 0 ? in_range(v, min, max, out) : FR_E_MALFORMED;
}

enum fr_err fr_parse_i64(struct fr_span text, int64_t min, int64_t max, int64_t *out)
{
    bool is_negative = fr_span_starts(text, "-");
    uint64_t v;
    enum fr_err err;

    if (is_negative) text = fr_span(text.p + 1, text.n - 1);
    err = fr_parse_u64(text, 0, (uint64_t)INT64_MAX + is_negative, &v);
    if (err) return err;
    /* INT64_MIN has no positive twin */
    int64_t n = is_negative && v > 0 ? -(int64_t)(v - 1) - 1 : (int64_t)v;
    if (n < min || n > max) return FR_E_RANGE;
    *out = n;
    return FR_OK;
}

struct unit {
    const char *word;
    uint64_t factor;
};

static enum fr_err parse_with_unit(struct fr_span text, const struct unit *units, size_t n_units,
                                   uint64_t *out)
{
    uint64_t v;
    enum fr_err err = take_digits(&text, &v);

    if (err) return err;
    for (size_t i = 0; i < n_units; i++) {
        if (!fr_span_is(text, units[i].word)) continue;
        if (v > UINT64_MAX / units[i].factor) return FR_E_RANGE;
        *out = v * units[i].factor;
        return FR_OK;
    }
    if (text.n == 0 && v == 0) {
        *out = 0;
        return FR_OK;
    }
    return FR_E_MALFORMED;
}

enum fr_err fr_parse_duration_ms(struct fr_span text, uint64_t min, uint64_t max, uint64_t *out)
{
    static const struct unit units[] = {
        {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000},
    };
    uint64_t v;
    enum fr_err err = parse_with_unit(text, units, sizeof units / sizeof units[0], &v);

    return err ? err : in_range(v, min, max, out);
}

enum fr_err fr_parse_size(struct fr_span text, uint64_t min, uint64_t max, uint64_t *out)
{
    static const struct unit units[] = {
        {"", 1}, {"KiB", 1ull << 10}, {"MiB", 1ull << 20}, {"GiB", 1ull << 30}, {"TiB", 1ull << 40},
    };
    uint64_t v;
    enum fr_err err = parse_with_unit(text, units, sizeof units / sizeof units[0], &v);

    return err ? err : in_range(v, min, max, out);
}

enum fr_err fr_parse_bool(struct fr_span text, bool *out)
{
    static const char *const yes[] = {"true", "yes", "on"};
    static const char *const no[] = {"false", "no", "off"};

    for (size_t i = 0; i < 3; i++) {
        bool is_yes = fr_span_equal_nocase(text, fr_span_str(yes[i]));
        if (is_yes || fr_span_equal_nocase(text, fr_span_str(no[i]))) {
            *out = is_yes;
            return FR_OK;
        }
    }
    return FR_E_MALFORMED;
}
