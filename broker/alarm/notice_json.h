#pragma once
/*
 * A notice as an operator's program gets it: one JSON object.
 *
 * Model: {"federation", "id", "level", "stage", "since", "until"?, "what", "mend"}; `id` and `stage` together name what is told once, so
 *   that a receiver knows one that comes twice. "test": true stands in one that only tries the way.
 * Owns: nothing. Errors: the buffer's.
 */
#include "base/buf.h"
#include "store/notice.h"

void fr_notice_write_json(struct fr_buf *out, const char *federation,
                          const struct fr_notice_row *row, bool is_test);
