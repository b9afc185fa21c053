#include "admin/reply.h"

#include "base/mem.h"
#include "base/parse.h"

#include <stdlib.h>
#include <string.h>

struct fr_admin_reply {
    json_t *object;
    char *text; /* jansson's allocation */
};

enum fr_err fr_admin_reply_new(json_t *object, struct fr_admin_reply **out)
{
    struct fr_admin_reply *reply = fr_calloc(1, sizeof *reply);
    char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
    if (!reply || !text) {
        fr_free(reply);
        free(text);
        json_decref(object);
        return FR_E_NOMEM;
    }
    *reply = (struct fr_admin_reply){.object = object, .text = text};
    *out = reply;
    return FR_OK;
}

enum fr_err fr_admin_reply_parse(struct fr_span text, struct fr_admin_reply **out)
{
    json_t *object = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(object)) {
        json_decref(object);
        return FR_E_MALFORMED;
    }
    return fr_admin_reply_new(object, out);
}

const json_t *fr_admin_reply_object(const struct fr_admin_reply *reply)
{
    return reply->object;
}

const char *fr_admin_reply_json(const struct fr_admin_reply *reply)
{
    return reply->text;
}

/* One step of a path: a member of an object, or an item of a list by number. */
static const json_t *step_into(const json_t *value, struct fr_span name)
{
    char key[128];
    uint64_t index = 0;
    if (json_is_array(value)) {
        if (fr_parse_u64(name, 0, SIZE_MAX, &index)) return NULL;
        return json_array_get(value, (size_t)index);
    }
    return fr_span_copy(name, key, sizeof key) ? json_object_get(value, key) : NULL;
}

/* Keys may hold dots themselves ("policy.ttl.deveui"): the longest key that fits the rest of the
 * path wins. */
static const json_t *value_at(const struct fr_admin_reply *reply, const char *path)
{
    const json_t *value = reply->object;
    struct fr_span rest = fr_span_str(path);
    while (value && rest.n > 0) {
        const json_t *whole = step_into(value, rest);
        if (whole) return whole;
        struct fr_span name;
        if (!fr_span_cut(rest, '.', &name, &rest)) return NULL;
        value = step_into(value, name);
    }
    return value;
}

const char *fr_admin_reply_text(const struct fr_admin_reply *reply, const char *path)
{
    return json_string_value(value_at(reply, path));
}

uint64_t fr_admin_reply_uint(const struct fr_admin_reply *reply, const char *path, uint64_t absent)
{
    const json_t *value = value_at(reply, path);
    if (!json_is_integer(value) || json_integer_value(value) < 0) return absent;
    return (uint64_t)json_integer_value(value);
}

bool fr_admin_reply_bool(const struct fr_admin_reply *reply, const char *path)
{
    return json_is_true(value_at(reply, path));
}

size_t fr_admin_reply_count(const struct fr_admin_reply *reply, const char *path)
{
    const json_t *value = value_at(reply, path);
    return json_is_array(value) ? json_array_size(value) : 0;
}

enum fr_err fr_admin_reply_part(const struct fr_admin_reply *reply, const char *path,
                                struct fr_buf *out)
{
    const json_t *value = value_at(reply, path);
    char *text = value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    if (!text) return value ? FR_E_NOMEM : FR_E_NOT_FOUND;
    fr_buf_add_str(out, text);
    free(text);
    return fr_buf_err(out);
}

void fr_admin_reply_free(struct fr_admin_reply *reply)
{
    if (!reply) return;
    json_decref(reply->object);
    fr_secret_free_all(reply->text); /* a token may stand in it */
    fr_free(reply);
}

void fr_admin_wipe_json(void)
{
    json_set_alloc_funcs(fr_malloc, fr_secret_free_all);
}
