#pragma once
/* A borrowed run of bytes. Owns nothing: whoever hands one out says until when it is valid. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fr_span {
    const uint8_t *p; /* may be NULL when n is 0 */
    size_t n;
};

#define FR_SPAN_LIT(literal) ((struct fr_span){(const uint8_t *)("" literal), sizeof(literal) - 1})

struct fr_span fr_span(const void *p, size_t n);
struct fr_span fr_span_str(const char *text); /* without the terminator; NULL gives an empty span */
bool fr_span_equal(struct fr_span a, struct fr_span b);
bool fr_span_equal_nocase(struct fr_span a, struct fr_span b); /* ASCII letters only */
bool fr_span_is(struct fr_span a, const char *text);           /* equal to the text */
bool fr_span_starts(struct fr_span a, const char *prefix);
bool fr_span_ends(struct fr_span a, const char *suffix);

/* Without the blanks (space, tab, CR, LF) at both ends. */
struct fr_span fr_span_trim(struct fr_span a);

/* Cuts at the first `sep`: *head gets what stands before it, *rest what follows (empty when
 * there is none). Returns whether a separator was found. */
bool fr_span_cut(struct fr_span a, char sep, struct fr_span *head, struct fr_span *rest);

/* Copies into out as a terminated string. False (nothing written) when it does not fit or holds
 * a zero byte. */
bool fr_span_copy(struct fr_span a, char *out, size_t size);
