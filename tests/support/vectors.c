#include "support/vectors.h"

#include "base/hex.h"

#include <string.h>

size_t vectors_each(const char *prefix, vector_check *check)
{
    json_error_t error;
    json_t *all = json_load_file(FR_VECTORS, JSON_REJECT_DUPLICATES, &error);
    size_t n = 0, i;
    const json_t *vector;

    if (all == NULL) fail_msg("vectors: %s", error.text);
    json_array_foreach(all, i, vector)
    {
        const char *name = json_string_value(json_object_get(vector, "name"));
        assert_non_null(name);
        if (strncmp(name, prefix, strlen(prefix)) != 0) continue;
        check(name, json_object_get(vector, "inputs"), json_object_get(vector, "expected"));
        n++;
    }
    json_decref(all);
    return n;
}

const json_t *vector_find(const json_t *object, const char *key)
{
    const char *name;
    json_t *value;
    size_t n = strlen(key);

    if (json_object_get(object, key) != NULL) return json_object_get(object, key);
    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    {
        if (strncmp(name, key, n) == 0 && name[n] == '(') return value;
    }
    return NULL;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_is_string(object) ? json_string_value(object)
                                              : json_string_value(vector_find(object, key));

    if (text == NULL) fail_msg("no text %s", key);
    return text;
}

size_t vector_bytes(const json_t *object, const char *key, uint8_t *out, size_t size)
{
    const char *text = text_of(object, key);
    size_t n = strlen(text) / 2;

    assert_true(n <= size);
    assert_int_equal(fr_hex_parse(fr_span_str(text), out, n), FR_OK);
    return n;
}

uint64_t vector_hex(const json_t *object, const char *key)
{
    const char *text = text_of(object, key);
    uint64_t v = 0;

    assert_int_equal(fr_hex_parse_u64(fr_span_str(text), (unsigned)strlen(text), &v), FR_OK);
    return v;
}

uint64_t vector_uint(const json_t *object, const char *key)
{
    const json_t *value = vector_find(object, key);

    if (!json_is_integer(value)) fail_msg("no number %s", key);
    return (uint64_t)json_integer_value(value);
}
