#pragma once
/* "So many at once, and so many more each second": what one peer has used of such an allowance.
 *
 * Model: plain value, zero at first; what was used comes back with time. Limits are arguments, so
 * that a thousand peers store none. Threads: one at a time. Units: milliseconds of a monotonic
 * clock. */

#include <stdbool.h>
#include <stdint.h>

struct fr_rate {
    int64_t at_ms; /* up to then what came back is counted */
    uint64_t used; /* thousandths */
};

/* One more of at most `burst`, of which per_s come back each second. False: too many, and nothing
 * is taken. */
bool fr_rate_take(struct fr_rate *rate, int64_t now_ms, uint32_t burst, uint32_t per_s);

/* n come back at once. */
void fr_rate_give(struct fr_rate *rate, uint32_t n);
