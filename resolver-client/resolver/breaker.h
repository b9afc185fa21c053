#pragma once
/* When a broker may be asked: a circuit breaker with exponential rests.
 *
 * Model: *closed*, it is asked. A failure *opens* it for 1 s, the next one after that for 2, 4 …
 *   300 s. When the rest is over it is *half open*: one probe may try it; others turn to it only
 *   when nobody else is left. An answer of any kind closes it.
 * Owns: nothing, a plain value. Threads: any. Errors: none. Pure.
 * Units: ms on the caller's clock. See RFC 9520 3.2 (1 s to 5 min, exponential). */

#include <stdint.h>

enum { FR_REST_FIRST_MS = 1000, FR_REST_MAX_MS = 300000 };

enum fr_breaker_state { FR_BREAKER_CLOSED, FR_BREAKER_OPEN, FR_BREAKER_HALF_OPEN };

struct fr_breaker {
    unsigned failures; /* in a row */
    int64_t rests_until_ms;
};

enum fr_breaker_state fr_breaker_state(const struct fr_breaker *b, int64_t now_ms);

/* A failure while it rests already is one of the same moment and changes nothing. at_least_ms: what
 * the broker itself asked for (Retry-After of a 503), cut to the longest rest. */
void fr_breaker_fail(struct fr_breaker *b, int64_t now_ms, int64_t at_least_ms);

void fr_breaker_close(struct fr_breaker *b);
