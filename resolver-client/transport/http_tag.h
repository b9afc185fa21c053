/* Entity tags: telling by a short text whether somebody has these bytes already (RFC 9110 §8.8.3, §13.1.2).
 *
 * Model    A strong tag is made of the bytes alone, so every process of every broker makes the same.
 *          Nothing is guarded by it.
 * Owns     Nothing. Threads: any. Errors: none.
 * Trust    Conditions are a peer's. */
#pragma once

#include "base/span.h"

#include <stdbool.h>

#define FR_HTTP_TAG_TEXT 20 /* "0123456789abcdef" with its quotes */

void fr_http_tag_make(struct fr_span content, char out[FR_HTTP_TAG_TEXT]);

/* Whether an If-None-Match names the tag, or "*"; weak ones compare alike. */
bool fr_http_tag_is_held(struct fr_span condition, const char *tag);
