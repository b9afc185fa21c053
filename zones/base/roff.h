#pragma once
/* Text as mdoc(7) wants it: escaped, so that no word of ours is a request of the formatter.
 *
 * Model: appends to a buffer; test fr_buf_err once at the end. Lines of prose stay below 80 bytes,
 * a sentence begins a line.
 * Trust: our own texts, UTF-8; what is not UTF-8 becomes "?". */

#include "base/buf.h"

/* One paragraph or, where the text has empty lines, several. Single line breaks are blanks. */
void fr_roff_prose(struct fr_buf *out, const char *text);

/* Arguments of a macro, with a blank before each: the words of `text`. */
void fr_roff_words(struct fr_buf *out, const char *text);

/* One word, with no blank before it. */
void fr_roff_word(struct fr_buf *out, const char *word);

/* A block whose lines are kept as they are. */
void fr_roff_literal(struct fr_buf *out, const char *text);
