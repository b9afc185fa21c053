#include "base/roff.h"

#include "base/utf8.h"

#include <ctype.h>
#include <string.h>

enum { LINE_MAX_BYTES = 76 };

/* The character at *p, and *p behind it; '?' for a byte that is not UTF-8. */
static uint32_t next_char(const char **p)
{
    const uint8_t *at = (const uint8_t *)*p;
    size_t size = fr_utf8_size(at, strlen(*p));

    *p += size > 0 ? size : 1;
    return size > 0 ? fr_utf8_char(at, size) : '?';
}

static void put_char(struct fr_buf *out, uint32_t c)
{
    switch (c) {
    case '\\': fr_buf_add_str(out, "\\e"); break;
    case '-': fr_buf_add_str(out, "\\-"); break;
    case '\'': fr_buf_add_str(out, "\\(aq"); break;
    case '"': fr_buf_add_str(out, "\\(dq"); break;
    case '^': fr_buf_add_str(out, "\\(ha"); break;
    case '~': fr_buf_add_str(out, "\\(ti"); break;
    case '`': fr_buf_add_str(out, "\\(ga"); break;
    default:
        if (c < 0x80)
            fr_buf_add_char(out, (char)c);
        else
            fr_buf_printf(out, "\\[u%04X]", (unsigned)c);
    }
}

/* The word up to a blank, a line break or the end. */
static void take_word(const char **p, struct fr_buf *word)
{
    fr_buf_reset(word);
    while (**p != '\0' && **p != ' ' && **p != '\n') put_char(word, next_char(p));
}

/* "end." but not "e.g." in the middle of a sentence: a break there does no harm. */
static bool ends_sentence(const struct fr_buf *word)
{
    return word->n > 0 && strchr(".!?", word->p[word->n - 1]) != NULL;
}

void fr_roff_prose(struct fr_buf *out, const char *text)
{
    struct fr_buf word = FR_BUF_INIT(4096);
    size_t column = 0;
    bool is_new = true; /* the next word begins a line */

    for (const char *p = text; *p != '\0';) {
        if (*p == ' ' || *p == '\n') {
            if (p[0] == '\n' && p[1] == '\n') {
                fr_buf_add_str(out, column > 0 ? "\n.Pp\n" : ".Pp\n");
                column = 0;
                is_new = true;
            }
            p++;
            continue;
        }
        take_word(&p, &word);
        if (!is_new && column + 1 + word.n > LINE_MAX_BYTES) is_new = true;
        if (is_new && column > 0) fr_buf_add_char(out, '\n');
        if (is_new) column = 0;
        if (!is_new) fr_buf_add_char(out, ' ');
        if (is_new && word.n > 0 && word.p[0] == '.') fr_buf_add_str(out, "\\&");
        fr_buf_add_span(out, fr_buf_span(&word));
        column += word.n + 1;
        is_new = ends_sentence(&word);
    }
    if (column > 0) fr_buf_add_char(out, '\n');
    if (word.err != FR_OK && out->err == FR_OK) out->err = word.err;
    fr_buf_deinit(&word);
}

/* A word that the formatter might take for a macro ("No") or a delimiter ("|"). */
static bool is_special(const struct fr_buf *word)
{
    return (word->n == 2 && isupper(word->p[0]) && islower(word->p[1])) ||
           (word->n == 1 && ispunct(word->p[0]));
}

void fr_roff_words(struct fr_buf *out, const char *text)
{
    struct fr_buf word = FR_BUF_INIT(4096);

    for (const char *p = text; *p != '\0';) {
        if (*p == ' ' || *p == '\n') {
            p++;
            continue;
        }
        take_word(&p, &word);
        fr_buf_add_str(out, is_special(&word) ? " \\&" : " ");
        fr_buf_add_span(out, fr_buf_span(&word));
    }
    if (word.err != FR_OK && out->err == FR_OK) out->err = word.err;
    fr_buf_deinit(&word);
}

void fr_roff_word(struct fr_buf *out, const char *word)
{
    while (*word != '\0') put_char(out, next_char(&word));
}

void fr_roff_literal(struct fr_buf *out, const char *text)
{
    bool is_new = true;

    fr_buf_add_str(out, ".Bd -literal -offset indent\n");
    for (const char *p = text; *p != '\0';) {
        if (is_new && *p == '.') fr_buf_add_str(out, "\\&");
        is_new = *p == '\n';
        put_char(out, next_char(&p));
    }
    fr_buf_add_str(out, is_new ? ".Ed\n" : "\n.Ed\n");
}
