#include "base/nearest.h"

enum { LONGEST = 48 }; /* words longer than this are not compared */

static size_t min3(size_t a, size_t b, size_t c)
{
    size_t m = a < b ? a : b;
    return m < c ? m : c;
}

/* Insertions, deletions and replacements that lead from one to the other, one row of the table
 * at a time. */
static size_t distance(struct fr_span a, struct fr_span b)
{
    size_t row[LONGEST + 1];

    for (size_t j = 0; j <= b.n; j++) row[j] = j;
    for (size_t i = 1; i <= a.n; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.n; j++) {
            size_t up = row[j];
            row[j] = min3(up + 1, row[j - 1] + 1, diagonal + (a.p[i - 1] != b.p[j - 1]));
            diagonal = up;
        }
    }
    return row[b.n];
}

const char *fr_nearest(struct fr_span typed, const char *const *words, size_t n)
{
    const char *best = NULL;
    /* must be below: 1 for short words, more for long ones */
    size_t best_distance = typed.n / 3 + 2;

    if (typed.n > LONGEST) return NULL;
    for (size_t i = 0; i < n; i++) {
        struct fr_span word = fr_span_str(words[i]);
        if (word.n > LONGEST) continue;
        size_t d = distance(typed, word);
        if (d < best_distance && d < word.n) {
            best = words[i];
            best_distance = d;
        }
    }
    return best;
}
