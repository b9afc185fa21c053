#pragma once
/* The fields of one message, collected name by name into one block of text. Inside transport only.
 *
 * Model:   add, add, …, seal; only then `fields` and texts added with fr_head_text() may be looked at.
 * Owns:    its text; spans handed out live until reset or deinit.
 * Limits:  FR_HEAD_FIELDS fields, `max` bytes of names and values: FR_E_LIMIT beyond. Trust: a peer's bytes.
 */

#include "base/buf.h"
#include "transport/http.h"

#define FR_HEAD_FIELDS 64

struct fr_head_mark {
    uint32_t at, n;
};

struct fr_head {
    struct fr_buf text;
    size_t n;
    struct fr_head_mark names[FR_HEAD_FIELDS], values[FR_HEAD_FIELDS];
    struct fr_http_field fields[FR_HEAD_FIELDS]; /* after seal */
};

void fr_head_init(struct fr_head *h, size_t max);
void fr_head_deinit(struct fr_head *h);

/* Empty again; keeps the memory unless it has grown large. */
void fr_head_reset(struct fr_head *h, size_t max);

/* The name is stored in lower case. FR_E_LIMIT, FR_E_NOMEM. */
enum fr_err fr_head_add(struct fr_head *h, struct fr_span name, struct fr_span value);

/* A text that is not a field (method, path, …), found again by its mark. */
enum fr_err fr_head_text(struct fr_head *h, struct fr_span text, struct fr_head_mark *out);

/* Makes `fields` valid. */
void fr_head_seal(struct fr_head *h);

struct fr_span fr_head_span(const struct fr_head *h, struct fr_head_mark mark);
