#include "base/json_out.h"

#include "base/utf8.h"

#include <inttypes.h>

enum { LEVELS = 32 };

struct fr_json fr_json(struct fr_buf *out)
{
    return (struct fr_json){.out = out};
}

static uint64_t level_bit(const struct fr_json *j)
{
    return (uint64_t)1 << j->depth;
}

/* The comma before an item that is not the first of its object or array. */
static void begin_item(struct fr_json *j)
{
    if (j->after_key) {
        j->after_key = false;
        return;
    }
    if (j->has_item & level_bit(j)) fr_buf_add_char(j->out, ',');
    j->has_item |= level_bit(j);
}

static void open_level(struct fr_json *j, bool is_array)
{
    begin_item(j);
    if (j->depth == LEVELS) {
        if (!j->out->err) j->out->err = FR_E_LIMIT;
        return;
    }
    fr_buf_add_char(j->out, is_array ? '[' : '{');
    j->depth++;
    j->has_item &= ~level_bit(j);
    j->is_array = is_array ? j->is_array | level_bit(j) : j->is_array & ~level_bit(j);
}

void fr_json_object(struct fr_json *j)
{
    open_level(j, false);
}

void fr_json_array(struct fr_json *j)
{
    open_level(j, true);
}

void fr_json_end(struct fr_json *j)
{
    if (j->depth == 0) return;
    fr_buf_add_char(j->out, j->is_array & level_bit(j) ? ']' : '}');
    j->depth--;
}

static void put_escaped(struct fr_buf *out, struct fr_span text)
{
    fr_buf_add_char(out, '"');
    for (size_t i = 0; i < text.n;) {
        uint8_t c = text.p[i];
        size_t len = fr_utf8_size(text.p + i, text.n - i);
        if (len == 0) {
            fr_buf_add_str(out, "\xef\xbf\xbd");
            len = 1;
        } else if (c == '"' || c == '\\') {
            fr_buf_printf(out, "\\%c", c);
        } else if (c == '\n') {
            fr_buf_add_str(out, "\\n");
        } else if (c < 0x20 || c == 0x7f) {
            fr_buf_printf(out, "\\u%04x", c);
        } else {
            fr_buf_add(out, text.p + i, len);
        }
        i += len;
    }
    fr_buf_add_char(out, '"');
}

void fr_json_key(struct fr_json *j, const char *key)
{
    begin_item(j);
    put_escaped(j->out, fr_span_str(key));
    fr_buf_add_char(j->out, ':');
    j->after_key = true;
}

void fr_json_span(struct fr_json *j, struct fr_span text)
{
    begin_item(j);
    put_escaped(j->out, text);
}

void fr_json_str(struct fr_json *j, const char *text)
{
    if (text == NULL) {
        fr_json_null(j);
    } else {
        fr_json_span(j, fr_span_str(text));
    }
}

void fr_json_uint(struct fr_json *j, uint64_t v)
{
    begin_item(j);
    fr_buf_printf(j->out, "%" PRIu64, v);
}

void fr_json_int(struct fr_json *j, int64_t v)
{
    begin_item(j);
    fr_buf_printf(j->out, "%" PRId64, v);
}

void fr_json_number(struct fr_json *j, const char *literal)
{
    begin_item(j);
    fr_buf_add_str(j->out, literal);
}

void fr_json_bool(struct fr_json *j, bool v)
{
    begin_item(j);
    fr_buf_add_str(j->out, v ? "true" : "false");
}

void fr_json_null(struct fr_json *j)
{
    begin_item(j);
    fr_buf_add_str(j->out, "null");
}

void fr_json_put_str(struct fr_json *j, const char *key, const char *text)
{
    fr_json_key(j, key);
    fr_json_str(j, text);
}

void fr_json_put_uint(struct fr_json *j, const char *key, uint64_t v)
{
    fr_json_key(j, key);
    fr_json_uint(j, v);
}

void fr_json_put_bool(struct fr_json *j, const char *key, bool v)
{
    fr_json_key(j, key);
    fr_json_bool(j, v);
}
