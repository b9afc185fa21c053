/* The forms of numbers, dates and booleans. */
#include "enrol/toml_priv.h"

#include <string.h>

/* Digits of a base, with single underscores between them. Gives what is behind. */
static const char *digits(const char *s, const char *set)
{
    const char *start = s;

    while (*s && (strchr(set, *s) ||
                  (*s == '_' && s > start && strchr(set, s[1]) && s[1] && s[-1] != '_')))
        s++;
    return s == start ? NULL : s;
}

static bool is_number(const char *s)
{
    static const char decimal[] = "0123456789";

    if (s[0] == '0' && s[1] && strchr("xob", s[1])) {
        const char *set = s[1] == 'x' ? "0123456789abcdefABCDEF" : s[1] == 'o' ? "01234567" : "01";
        const char *end = digits(s + 2, set);
        return end != NULL && *end == '\0';
    }
    if (*s == '+' || *s == '-') s++;
    if (strcmp(s, "inf") == 0 || strcmp(s, "nan") == 0) return true;
    const bool has_zero = s[0] == '0';
    const char *end = digits(s, decimal);
    if (end == NULL || (has_zero && end != s + 1)) return false;
    if (*end == '.') end = digits(end + 1, decimal);
    if (end != NULL && (*end == 'e' || *end == 'E')) {
        end++;
        if (*end == '+' || *end == '-') end++;
        end = digits(end, decimal);
    }
    return end != NULL && *end == '\0';
}

/* "1979-05-27", "07:32:00": the shape, '0' standing for any digit. */
static bool has_shape(const char *s, const char *shape)
{
    for (; *shape; s++, shape++)
        if (*shape == '0' ? (*s < '0' || *s > '9') : *s != *shape) return false;
    return true;
}

static bool is_time(const char *s)
{
    if (!has_shape(s, "00:00:00")) return false;
    s += 8;
    if (*s == '.') {
        if (s[1] < '0' || s[1] > '9') return false;
        for (s++; *s >= '0' && *s <= '9';) s++;
    }
    if (strcmp(s, "Z") == 0 || strcmp(s, "z") == 0 || *s == '\0') return true;
    return (*s == '+' || *s == '-') && has_shape(s + 1, "00:00") && s[6] == '\0';
}

static bool is_date(const char *s)
{
    if (!has_shape(s, "0000-00-00")) return is_time(s);
    s += 10;
    return *s == '\0' || ((*s == 'T' || *s == 't' || *s == ' ') && is_time(s + 1));
}

bool fr_toml_is_scalar(const char *word)
{
    return strcmp(word, "true") == 0 || strcmp(word, "false") == 0 || is_number(word) ||
           is_date(word);
}
