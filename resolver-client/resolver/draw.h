#pragma once
/* Drawing lots: the order of equals, for sharing load among servers.
 *
 * Model: a state of 64 bits that each draw moves on; the same state gives the same draws, so that a
 *   simulated course of things can be run again. Not for secrets.
 * Owns: nothing. Threads: any. Errors: none. See RFC 2782 (weights). */

#include <stddef.h>
#include <stdint.h>

/* Any number. */
uint64_t fr_draw(uint64_t *state);

/* A number below n, which is not 0. */
uint64_t fr_draw_below(uint64_t *state, uint64_t n);

enum { FR_DRAW_MAX = 32 };

/* Any order of 0 … n-1, each as likely. n is at most FR_DRAW_MAX. */
void fr_draw_shuffle(uint64_t *state, uint8_t *order, size_t n);

/* RFC 2782: the order in which servers of one priority are tried. The heavier are more likely to
 * come early; those of weight 0 have a small chance beside others. */
void fr_draw_by_weight(uint64_t *state, const uint16_t *weights, uint8_t *order, size_t n);
