#pragma once
/* "Did you mean …": the known word nearest to a mistyped one. */

#include "base/span.h"

/* The word with the smallest edit distance, if that is small against the word's length; else
 * NULL. Borrowed from words. */
const char *fr_nearest(struct fr_span typed, const char *const *words, size_t n);
