#include "base/rate.h"

#define WHOLE 1000u /* one of them, in the unit of `used`: then per_s is what a millisecond gives */

bool fr_rate_take(struct fr_rate *rate, int64_t now_ms, uint32_t burst, uint32_t per_s)
{
    if (now_ms > rate->at_ms) {
        uint64_t passed = (uint64_t)(now_ms - rate->at_ms);
        /* used is at most 2^32 thousands, so a day empties any of it and nothing overflows */
        uint64_t back = passed > 86400000u ? rate->used : passed * per_s;
        rate->used -= back < rate->used ? back : rate->used;
        rate->at_ms = now_ms;
    }
    if (rate->used + WHOLE > (uint64_t)burst * WHOLE) return false;
    rate->used += WHOLE;
    return true;
}

void fr_rate_give(struct fr_rate *rate, uint32_t n)
{
    uint64_t back = (uint64_t)n * WHOLE;
    rate->used -= back < rate->used ? back : rate->used;
}
