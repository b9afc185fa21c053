#pragma once
/* Writes JSON into a buffer, escaping as it goes.
 *
 * Model: calls in document order; commas and colons are put in for you. Errors stick to the
 * buffer (fr_buf_err).
 * Units and limits: at most 32 levels; deeper is FR_E_LIMIT. Trust: texts may be a peer's: they
 * are escaped, bytes that are not UTF-8 become U+FFFD. */

#include "base/buf.h"

struct fr_json {
    struct fr_buf *out;
    unsigned depth;
    uint64_t is_array; /* one bit per level */
    uint64_t has_item; /* one bit per level */
    bool after_key;
};

struct fr_json fr_json(struct fr_buf *out);
void fr_json_object(struct fr_json *j);
void fr_json_array(struct fr_json *j);
void fr_json_end(struct fr_json *j); /* closes the innermost object or array */
void fr_json_key(struct fr_json *j, const char *key);
void fr_json_str(struct fr_json *j, const char *text); /* NULL writes null */
void fr_json_span(struct fr_json *j, struct fr_span text);
void fr_json_uint(struct fr_json *j, uint64_t v);
void fr_json_int(struct fr_json *j, int64_t v);
/* A number already in JSON form, for those that an integer cannot say ("868.1"). */
void fr_json_number(struct fr_json *j, const char *literal);
void fr_json_bool(struct fr_json *j, bool v);
void fr_json_null(struct fr_json *j);

/* A member of the open object: key and value in one line. */
void fr_json_put_str(struct fr_json *j, const char *key, const char *text);
void fr_json_put_uint(struct fr_json *j, const char *key, uint64_t v);
void fr_json_put_bool(struct fr_json *j, const char *key, bool v);
