#include "resolver/draw.h"

#include <stdbool.h>
#include <string.h>

uint64_t fr_draw(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u; /* splitmix64 */
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

uint64_t fr_draw_below(uint64_t *state, uint64_t n)
{
    return fr_draw(state) % n; /* n is small: the bias is far below what anybody could see */
}

void fr_draw_shuffle(uint64_t *state, uint8_t *order, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t at = (size_t)fr_draw_below(state, i + 1);
        order[i] = order[at];
        order[at] = (uint8_t)i;
    }
}

/* The first whose running sum reaches the lot; lot 0 is that of those of weight 0. */
static size_t pick(const uint16_t *weights, const bool *is_taken, size_t n, uint64_t lot)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        if (is_taken[i] || (weights[i] == 0) != (lot == 0)) continue;
        sum += weights[i];
        if (sum >= lot) return i;
    }
    return n; /* not reached: a lot is one of somebody not taken */
}

void fr_draw_by_weight(uint64_t *state, const uint16_t *weights, uint8_t *order, size_t n)
{
    bool is_taken[FR_DRAW_MAX] = {false};
    uint8_t shuffled[FR_DRAW_MAX];
    uint16_t mixed[FR_DRAW_MAX];
    uint64_t sum = 0;
    size_t zeros = 0;
    /* Mixed first: among equal weights, all 0 for one, no place in the list is better. */
    fr_draw_shuffle(state, shuffled, n);
    for (size_t i = 0; i < n; i++) {
        mixed[i] = weights[shuffled[i]];
        sum += mixed[i];
        zeros += mixed[i] == 0;
    }
    for (size_t i = 0; i < n; i++) {
        /* From 0 only where there is a 0: else the RFC's lot would favour the first in the list. */
        uint64_t lot = zeros > 0 ? fr_draw_below(state, sum + 1) : 1 + fr_draw_below(state, sum);
        size_t at = pick(mixed, is_taken, n, lot);
        is_taken[at] = true;
        sum -= mixed[at];
        zeros -= mixed[at] == 0;
        order[i] = shuffled[at];
    }
}
