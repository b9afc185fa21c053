#include "api/query.h"

#include "base/hex.h"
#include "base/parse.h"

#include <string.h>

/* One byte of a value off its front; false: a bad escape, or a byte that no value has. */
static bool take_byte(struct fr_span *text, uint8_t *out)
{
    uint8_t byte = text->p[0];
    size_t used = 1;
    if (byte == '+') byte = ' ';
    if (byte == '%') {
        if (text->n < 3 || fr_hex_parse(fr_span(text->p + 1, 2), &byte, 1)) return false;
        used = 3;
    }
    if (byte < 0x20 || byte == 0x7f) return false;
    *text = fr_span(text->p + used, text->n - used);
    *out = byte;
    return true;
}

static enum fr_err take_value(struct fr_span text, struct fr_query_value *value,
                              struct fr_diag *diag)
{
    size_t n = 0;
    if (value->is_set) return fr_diag_fail(diag, FR_E_INVALID, "%s is there twice", value->name);
    while (text.n > 0) {
        uint8_t byte;
        if (!take_byte(&text, &byte))
            return fr_diag_fail(diag, FR_E_MALFORMED, "the value of %s is not URL-encoded text",
                                value->name);
        if (n == FR_QUERY_VALUE)
            return fr_diag_fail(diag, FR_E_LIMIT, "the value of %s is longer than %d bytes",
                                value->name, FR_QUERY_VALUE);
        value->text[n++] = (char)byte;
    }
    value->text[n] = '\0';
    value->is_set = true;
    return FR_OK;
}

enum fr_err fr_query_read(struct fr_span query, struct fr_query_value *known, struct fr_diag *diag)
{
    enum fr_err err = FR_OK;
    while (!err && query.n > 0) {
        struct fr_span pair, name, text;
        struct fr_query_value *value = known;
        (void)fr_span_cut(query, '&', &pair, &query);
        if (pair.n == 0) continue;
        (void)fr_span_cut(pair, '=', &name, &text);
        while (value->name && !fr_span_is(name, value->name)) value++;
        err = value->name ? take_value(text, value, diag)
                          : fr_diag_fail(diag, FR_E_INVALID, "there is no parameter %.*s here",
                                         (int)(name.n < 64 ? name.n : 64), (const char *)name.p);
    }
    return err;
}

enum fr_err fr_query_uint(const struct fr_query_value *value, uint64_t min, uint64_t max,
                          uint64_t absent, struct fr_diag *diag, uint64_t *out)
{
    if (!value->is_set) {
        *out = absent;
        return FR_OK;
    }
    if (fr_parse_u64(fr_span_str(value->text), min, max, out))
        return fr_diag_fail(diag, FR_E_INVALID, "%s must be a whole number from %llu to %llu",
                            value->name, (unsigned long long)min, (unsigned long long)max);
    return FR_OK;
}

enum fr_err fr_query_bool(const struct fr_query_value *value, struct fr_diag *diag, bool *out)
{
    const bool is_true = value->is_set && strcmp(value->text, "true") == 0;
    if (value->is_set && !is_true && strcmp(value->text, "false") != 0)
        return fr_diag_fail(diag, FR_E_INVALID, "%s must be true or false", value->name);
    *out = is_true;
    return FR_OK;
}
