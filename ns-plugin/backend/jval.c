#include "backend/jval.h"

#include "base/hex.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* struct fr_jval is never defined: a handle is jansson's own value under another name. */
static const json_t *value_of(const struct fr_jval *value)
{
    return (const json_t *)value;
}

static const struct fr_jval *handle_of(const json_t *value)
{
    if (value == NULL || json_is_null(value)) return NULL;
    return (const struct fr_jval *)value;
}

/* The parser recurses once a level and allows 2048 of them: far more stack than a message of six levels deserves. */
static bool is_too_deep(struct fr_span text)
{
    unsigned depth = 0;
    bool is_string = false;

    for (size_t i = 0; i < text.n; i++) {
        uint8_t c = text.p[i];
        if (is_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                is_string = false;
        } else if (c == '"') {
            is_string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > FR_JVAL_DEPTH_MAX) return true;
        } else if ((c == '}' || c == ']') && depth > 0) {
            depth--;
        }
    }
    return false;
}

enum fr_err fr_jval_parse(struct fr_span text, struct fr_jval **out)
{
    json_error_t error;

    if (text.n == 0 || is_too_deep(text)) return FR_E_MALFORMED;
    json_t *doc = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, &error);
    if (doc == NULL) {
        return json_error_code(&error) == json_error_out_of_memory ? FR_E_NOMEM : FR_E_MALFORMED;
    }
    *out = (struct fr_jval *)doc;
    return FR_OK;
}

void fr_jval_free(struct fr_jval *doc)
{
    json_decref((json_t *)doc);
}

const struct fr_jval *fr_jval_get(const struct fr_jval *value, const char *name)
{
    return handle_of(json_object_get(value_of(value), name));
}

bool fr_jval_is_object(const struct fr_jval *value)
{
    return json_is_object(value_of(value));
}

bool fr_jval_is_array(const struct fr_jval *value)
{
    return json_is_array(value_of(value));
}

size_t fr_jval_count(const struct fr_jval *array)
{
    return json_array_size(value_of(array));
}

const struct fr_jval *fr_jval_at(const struct fr_jval *array, size_t i)
{
    return handle_of(json_array_get(value_of(array), i));
}

bool fr_jval_text(const struct fr_jval *value, struct fr_span *out)
{
    if (!json_is_string(value_of(value))) return false;
    *out = fr_span(json_string_value(value_of(value)), json_string_length(value_of(value)));
    return true;
}

bool fr_jval_integer(const struct fr_jval *value, int64_t *out)
{
    if (!json_is_integer(value_of(value))) return false;
    *out = json_integer_value(value_of(value));
    return true;
}

bool fr_jval_number(const struct fr_jval *value, double *out)
{
    if (!json_is_number(value_of(value))) return false;
    *out = json_number_value(value_of(value));
    return true;
}

bool fr_jval_bool(const struct fr_jval *value, bool *out)
{
    if (!json_is_boolean(value_of(value))) return false;
    *out = json_is_true(value_of(value));
    return true;
}

bool fr_jval_hex(const struct fr_jval *value, uint8_t *out, size_t size, size_t *n)
{
    struct fr_span text;

    if (!fr_jval_text(value, &text)) return false;
    if (fr_span_starts(text, "0x") || fr_span_starts(text, "0X")) {
        text = fr_span(text.p + 2, text.n - 2);
    }
    if (text.n % 2 != 0 || text.n / 2 > size) return false;
    if (fr_hex_parse(text, out, text.n / 2) != FR_OK) return false;
    *n = text.n / 2;
    return true;
}

/* The member, or NULL with the fault noted when it must be there. */
static const struct fr_jval *member(struct fr_jread *r, const char *name,
                                    enum fr_jpresence presence)
{
    const struct fr_jval *value = fr_jval_get(r->object, name);

    if (value == NULL && presence == FR_J_MUST && r->wrong == NULL) r->wrong = name;
    return value;
}

static bool wrong(struct fr_jread *r, const char *name)
{
    if (r->wrong == NULL) r->wrong = name;
    return false;
}

bool fr_jread_text(struct fr_jread *r, const char *name, enum fr_jpresence presence,
                   struct fr_span *out)
{
    const struct fr_jval *value = member(r, name, presence);

    if (value == NULL) return false;
    return fr_jval_text(value, out) || wrong(r, name);
}

bool fr_jread_int(struct fr_jread *r, const char *name, enum fr_jpresence presence, int64_t min,
                  int64_t max, int64_t *out)
{
    const struct fr_jval *value = member(r, name, presence);
    int64_t got;

    if (value == NULL) return false;
    if (!fr_jval_integer(value, &got) || got < min || got > max) return wrong(r, name);
    *out = got;
    return true;
}

bool fr_jread_u64(struct fr_jread *r, const char *name, enum fr_jpresence presence, uint64_t max,
                  uint64_t *out)
{
    int64_t top = max > INT64_MAX ? INT64_MAX : (int64_t)max;
    int64_t got;

    if (!fr_jread_int(r, name, presence, 0, top, &got)) return false;
    *out = (uint64_t)got;
    return true;
}

bool fr_jread_number(struct fr_jread *r, const char *name, enum fr_jpresence presence, double *out)
{
    const struct fr_jval *value = member(r, name, presence);

    if (value == NULL) return false;
    return fr_jval_number(value, out) || wrong(r, name);
}

bool fr_jread_bool(struct fr_jread *r, const char *name, enum fr_jpresence presence, bool *out)
{
    const struct fr_jval *value = member(r, name, presence);

    if (value == NULL) return false;
    return fr_jval_bool(value, out) || wrong(r, name);
}

bool fr_jread_mhz(struct fr_jread *r, const char *name, enum fr_jpresence presence, uint32_t *hz)
{
    double mhz;

    if (!fr_jread_number(r, name, presence, &mhz)) return false;
    /* Compared before the conversion: a double out of range has no uint32_t value at all. */
    if (!(mhz > 0.0 && mhz < 4294.0)) return wrong(r, name);
    *hz = (uint32_t)llround(mhz * 1e6);
    return true;
}

bool fr_jread_hex(struct fr_jread *r, const char *name, enum fr_jpresence presence, uint8_t *out,
                  size_t n)
{
    const struct fr_jval *value = member(r, name, presence);
    uint8_t bytes[32];
    size_t got;

    if (value == NULL) return false;
    if (n > sizeof bytes || !fr_jval_hex(value, bytes, n, &got) || got != n) return wrong(r, name);
    memcpy(out, bytes, n);
    return true;
}

bool fr_jread_id(struct fr_jread *r, const char *name, enum fr_jpresence presence, size_t n,
                 uint64_t *out)
{
    uint8_t bytes[8];
    uint64_t id = 0;

    if (!fr_jread_hex(r, name, presence, bytes, n)) return false;
    for (size_t i = 0; i < n; i++) id = id << 8 | bytes[i];
    *out = id;
    return true;
}

const struct fr_jval *fr_jread_object(struct fr_jread *r, const char *name,
                                      enum fr_jpresence presence)
{
    const struct fr_jval *value = member(r, name, presence);

    if (value == NULL || fr_jval_is_object(value)) return value;
    (void)wrong(r, name);
    return NULL;
}

const struct fr_jval *fr_jread_array(struct fr_jread *r, const char *name,
                                     enum fr_jpresence presence)
{
    const struct fr_jval *value = member(r, name, presence);

    if (value == NULL || fr_jval_is_array(value)) return value;
    (void)wrong(r, name);
    return NULL;
}

void fr_mhz_print(uint32_t hz, char out[FR_MHZ_TEXT])
{
    unsigned decimals = 6;
    uint32_t fraction = hz % 1000000;

    while (decimals > 0 && fraction % 10 == 0) {
        fraction /= 10;
        decimals--;
    }
    if (decimals == 0)
        (void)snprintf(out, FR_MHZ_TEXT, "%u", hz / 1000000);
    else
        (void)snprintf(out, FR_MHZ_TEXT, "%u.%0*u", hz / 1000000, (int)decimals, fraction);
}
