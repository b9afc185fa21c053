#pragma once
/* EST's answers, as clients in the field need them: one line of base64 with its
 * Content-Transfer-Encoding, empty bodies where a body upsets one of them, few headers. Inside of
 * broker/est.
 *
 * Errors: without memory 503. See: RFC 7030 §4, RFC 8951 §3. */

#include "base/span.h"
#include "transport/http_server.h"

/* 200 with a bag of n certificates (DER). */
void fr_est_reply_bag(struct fr_http_exchange *x, const struct fr_span *ders, size_t n);

/* Anything else. 401 asks for Basic, closes and is empty; 202 is empty and says when to come again,
 * as do 429 and 503; text may be NULL. */
void fr_est_reply_status(struct fr_http_exchange *x, unsigned status, const char *text);

/* The status for what an operation came to. */
unsigned fr_est_status_of(enum fr_err err);
