#pragma once
/*
 * What a look-up found as JSON, and as an HTTP status.
 *
 * Model: the members are those of `fedroam resolve -o json`. What is not found is a problem document
 *   (RFC 9457) that says why. Pure. Trust: names in an answer come from a broker; they are escaped.
 */
#include "base/buf.h"
#include <fedroam/answer.h>

unsigned fr_answer_status(const struct fedroam_answer *a);

/* found: the object; else the problem. Errors stick to the buffer. */
void fr_answer_json(const struct fedroam_answer *a, struct fr_buf *out);

void fr_problem_json(unsigned status, const char *detail, struct fr_buf *out);
