#include "admin/args.h"

#include "base/mem.h"
#include "base/span.h"
#include "ca/revoke.h"
#include "names/eui.h"
#include "names/netid.h"

#include <string.h>

typedef enum fr_err (*number_parse_fn)(struct fr_span text, uint64_t *out);

static enum fr_err parse_netid(struct fr_span text, uint64_t *out)
{
    uint32_t netid = 0;
    enum fr_err err = fr_netid_parse(text, &netid);
    if (err) return err;
    *out = netid;
    return FR_OK;
}

static enum fr_err wrong(struct fr_diag *diag, const char *key, const char *expected)
{
    return fr_diag_fail(diag, FR_E_INVALID, "argument \"%s\" must be %s", key, expected);
}

static bool has_control(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c < 0x20 || c == 0x7f) return true;
    }
    return false;
}

static enum fr_err text_of(const char *key, const json_t *value, uint64_t max, struct fr_diag *diag,
                           const char **out)
{
    if (!json_is_string(value)) return wrong(diag, key, "text");
    size_t n = json_string_length(value);
    if (n > (max ? max : FR_ARG_TEXT_MAX))
        return fr_diag_fail(diag, FR_E_INVALID, "argument \"%s\" is longer than %llu bytes", key,
                            (unsigned long long)(max ? max : FR_ARG_TEXT_MAX));
    if (has_control(json_string_value(value), n))
        return fr_diag_fail(diag, FR_E_INVALID, "argument \"%s\" holds a control character", key);
    *out = json_string_value(value);
    return FR_OK;
}

static enum fr_err number_of(const char *key, const json_t *value, number_parse_fn parse,
                             const char *expected, struct fr_diag *diag, uint64_t *out)
{
    const char *text = NULL;
    enum fr_err err = text_of(key, value, 0, diag, &text);
    if (err) return err;
    if (parse(fr_span_str(text), out))
        return fr_diag_fail(diag, FR_E_INVALID, "argument \"%s\": \"%s\" is not %s", key, text,
                            expected);
    return FR_OK;
}

static enum fr_err list_of(const struct fr_arg *row, const json_t *value, struct fr_diag *diag)
{
    uint64_t max = row->max ? row->max : FR_ARG_LIST_MAX;
    if (!json_is_array(value)) return wrong(diag, row->key, "a list");
    if (json_array_size(value) > max)
        return fr_diag_fail(diag, FR_E_INVALID, "argument \"%s\" has more than %llu items",
                            row->key, (unsigned long long)max);
    return FR_OK;
}

static enum fr_err decode_texts(const struct fr_arg *row, const json_t *value, struct fr_diag *diag,
                                struct fr_arg_texts *out)
{
    enum fr_err err = list_of(row, value, diag);
    if (err) return err;
    size_t n = json_array_size(value);
    out->items = fr_calloc(n, sizeof *out->items);
    if (!out->items) return FR_E_NOMEM;
    for (size_t i = 0; i < n; i++) {
        err = text_of(row->key, json_array_get(value, i), 0, diag, &out->items[i]);
        if (err) return err;
    }
    out->n = n;
    out->is_set = true;
    return FR_OK;
}

static enum fr_err decode_numbers(const struct fr_arg *row, const json_t *value,
                                  number_parse_fn parse, const char *expected, struct fr_diag *diag,
                                  struct fr_arg_numbers *out)
{
    enum fr_err err = list_of(row, value, diag);
    if (err) return err;
    size_t n = json_array_size(value);
    out->items = fr_calloc(n, sizeof *out->items);
    if (!out->items) return FR_E_NOMEM;
    for (size_t i = 0; i < n; i++) {
        err = number_of(row->key, json_array_get(value, i), parse, expected, diag, &out->items[i]);
        if (err) return err;
    }
    out->n = n;
    out->is_set = true;
    return FR_OK;
}

static enum fr_err decode_uint(const struct fr_arg *row, const json_t *value, struct fr_diag *diag,
                               struct fr_arg_number *out)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return wrong(diag, row->key, "a whole number");
    uint64_t number = (uint64_t)json_integer_value(value);
    if (number < row->min || (row->max && number > row->max))
        return fr_diag_fail(diag, FR_E_INVALID, "argument \"%s\" must be %llu to %llu", row->key,
                            (unsigned long long)row->min, (unsigned long long)row->max);
    *out = (struct fr_arg_number){number, true};
    return FR_OK;
}

static enum fr_err decode_serial(const struct fr_arg *row, const json_t *value,
                                 struct fr_diag *diag, struct fr_arg_serial *out)
{
    const char *text = NULL;
    enum fr_err err = text_of(row->key, value, 0, diag, &text);
    if (err) return err;
    if (fr_serial_parse(fr_span_str(text), diag, out->b))
        return fr_diag_fail(diag, FR_E_INVALID, "\"%s\" is not a serial (32 hex digits)", text);
    out->is_set = true;
    return FR_OK;
}

static enum fr_err decode_pairs(const struct fr_arg *row, const json_t *value, struct fr_diag *diag,
                                struct fr_arg_pairs *out)
{
    if (!json_is_object(value)) return wrong(diag, row->key, "an object of texts");
    size_t n = json_object_size(value);
    if (n > (row->max ? row->max : FR_ARG_LIST_MAX))
        return wrong(diag, row->key, "an object with fewer members");
    out->keys = fr_calloc(n, sizeof *out->keys);
    out->values = fr_calloc(n, sizeof *out->values);
    if (!out->keys || !out->values) return FR_E_NOMEM;
    const char *key;
    json_t *item;
    json_object_foreach((json_t *)value, key, item)
    {
        enum fr_err err = text_of(row->key, item, 0, diag, &out->values[out->n]);
        if (err) return err;
        out->keys[out->n++] = key;
    }
    return FR_OK;
}

static enum fr_err decode_one(const struct fr_arg *row, const json_t *value, struct fr_diag *diag,
                              void *out)
{
    void *to = (char *)out + row->at;
    struct fr_arg_number *number = to;
    enum fr_err err = FR_OK;
    switch (row->type) {
    case FR_ARG_TEXT: return text_of(row->key, value, row->max, diag, (const char **)to);
    case FR_ARG_TEXTS: return decode_texts(row, value, diag, to);
    case FR_ARG_BOOL:
        if (!json_is_boolean(value)) return wrong(diag, row->key, "true or false");
        *(bool *)to = json_is_true(value);
        return FR_OK;
    case FR_ARG_UINT: return decode_uint(row, value, diag, to);
    case FR_ARG_NETID:
        err =
            number_of(row->key, value, parse_netid, "a NetID (6 hex digits)", diag, &number->value);
        number->is_set = !err;
        return err;
    case FR_ARG_EUI:
        err = number_of(row->key, value, fr_eui_parse, "an EUI (16 hex digits)", diag,
                        &number->value);
        number->is_set = !err;
        return err;
    case FR_ARG_NETIDS:
        return decode_numbers(row, value, parse_netid, "a NetID (6 hex digits)", diag, to);
    case FR_ARG_EUIS:
        return decode_numbers(row, value, fr_eui_parse, "an EUI (16 hex digits)", diag, to);
    case FR_ARG_SERIAL: return decode_serial(row, value, diag, to);
    case FR_ARG_PAIRS: return decode_pairs(row, value, diag, to);
    }
    return FR_E_INTERNAL;
}

static const struct fr_arg *row_find(const struct fr_arg *rows, const char *key)
{
    for (; rows->key; rows++)
        if (strcmp(rows->key, key) == 0) return rows;
    return NULL;
}

enum fr_err fr_args_decode(const struct fr_arg *rows, const json_t *object, struct fr_diag *diag,
                           void *out)
{
    if (!json_is_object(object))
        return fr_diag_fail(diag, FR_E_INVALID, "the arguments must be one JSON object");
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value)
    {
        const struct fr_arg *row = row_find(rows, key);
        if (!row) return fr_diag_fail(diag, FR_E_INVALID, "unknown argument \"%.64s\"", key);
        enum fr_err err = decode_one(row, value, diag, out);
        if (err) return err;
    }
    for (; rows->key; rows++)
        if (rows->is_required && !json_object_get(object, rows->key))
            return fr_diag_fail(diag, FR_E_INVALID, "argument \"%s\" is missing", rows->key);
    return FR_OK;
}

void fr_args_free(const struct fr_arg *rows, void *out)
{
    for (; rows->key; rows++) {
        void *at = (char *)out + rows->at;
        if (rows->type == FR_ARG_TEXTS) {
            struct fr_arg_texts *texts = at;
            fr_free(texts->items);
            *texts = (struct fr_arg_texts){0};
        } else if (rows->type == FR_ARG_NETIDS || rows->type == FR_ARG_EUIS) {
            struct fr_arg_numbers *numbers = at;
            fr_free(numbers->items);
            *numbers = (struct fr_arg_numbers){0};
        } else if (rows->type == FR_ARG_PAIRS) {
            struct fr_arg_pairs *pairs = at;
            fr_free(pairs->keys);
            fr_free(pairs->values);
            *pairs = (struct fr_arg_pairs){0};
        }
    }
}
