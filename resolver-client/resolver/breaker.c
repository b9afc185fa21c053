#include "resolver/breaker.h"

enum fr_breaker_state fr_breaker_state(const struct fr_breaker *b, int64_t now_ms)
{
    if (b->failures == 0) return FR_BREAKER_CLOSED;
    return now_ms < b->rests_until_ms ? FR_BREAKER_OPEN : FR_BREAKER_HALF_OPEN;
}

void fr_breaker_fail(struct fr_breaker *b, int64_t now_ms, int64_t at_least_ms)
{
    if (fr_breaker_state(b, now_ms) == FR_BREAKER_OPEN) return;
    int64_t rest_ms = FR_REST_FIRST_MS;
    for (unsigned i = 0; i < b->failures && rest_ms < FR_REST_MAX_MS; i++) rest_ms *= 2;
    if (rest_ms < at_least_ms) rest_ms = at_least_ms;
    if (rest_ms > FR_REST_MAX_MS) rest_ms = FR_REST_MAX_MS;
    b->failures++;
    b->rests_until_ms = now_ms + rest_ms;
}

void fr_breaker_close(struct fr_breaker *b)
{
    *b = (struct fr_breaker){0};
}
