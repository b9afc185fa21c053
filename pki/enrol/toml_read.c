#include "base/hex.h"
#include "enrol/toml_priv.h"

#include <stdio.h>
#include <string.h>

enum { VALUE_MAX = 65536 };

struct reader {
    struct fr_toml *toml;
    struct fr_span text;
    size_t at;
    unsigned line;
    struct fr_diag *diag;
};

/* --- characters --- */

static int peek(const struct reader *r)
{
    return r->at < r->text.n ? r->text.p[r->at] : -1;
}

static bool is_next(const struct reader *r, const char *word)
{
    return fr_span_starts(fr_span(r->text.p + r->at, r->text.n - r->at), word);
}

static const char *file_of(const struct reader *r)
{
    return r->toml->files[r->toml->n_files - 1];
}

static enum fr_err fail(const struct reader *r, const char *what)
{
    enum fr_err err = fr_diag_fail(r->diag, FR_E_MALFORMED, "%s", what);
    fr_diag_where(r->diag, file_of(r), r->line, 0);
    return err;
}

static enum fr_err twice(const struct reader *r, const char *path)
{
    const struct fr_toml_def *old = fr_toml_lookup(r->toml, path);
    enum fr_err err = old ? fr_diag_fail(r->diag, FR_E_CONFLICT, "%s is defined already at %s:%u",
                                         path, old->entry.file, old->entry.line)
                          : FR_E_CONFLICT;
    fr_diag_where(r->diag, file_of(r), r->line, 0);
    return err;
}

static void skip_blanks(struct reader *r)
{
    while (peek(r) == ' ' || peek(r) == '\t') r->at++;
}

static bool is_control(int c)
{
    return (c >= 0 && c < 0x20 && c != '\t') || c == 0x7f;
}

/* A comment, if there is one, and the end of the line or of the text. */
static enum fr_err end_of_line(struct reader *r)
{
    skip_blanks(r);
    if (peek(r) == '#')
        while (peek(r) >= 0 && peek(r) != '\n' && peek(r) != '\r') {
            if (is_control(peek(r))) return fail(r, "a control character in a comment");
            r->at++;
        }
    if (is_next(r, "\r\n")) r->at++;
    if (peek(r) >= 0 && peek(r) != '\n') return fail(r, "something stands behind the value");
    if (peek(r) == '\n') {
        r->at++;
        r->line++;
    }
    return FR_OK;
}

/* Blanks, comments and empty lines, as between the items of an array. */
static enum fr_err skip_lines(struct reader *r)
{
    enum fr_err err = FR_OK;

    for (;;) {
        skip_blanks(r);
        const int c = peek(r);
        if (err || (c != '#' && c != '\n' && !is_next(r, "\r\n"))) return err;
        err = end_of_line(r);
    }
}

/* --- texts --- */

static void put_utf8(struct fr_buf *out, uint32_t c)
{
    if (c < 0x80) {
        fr_buf_add_char(out, (char)c);
    } else if (c < 0x800) {
        fr_buf_add_char(out, (char)(0xc0 | c >> 6));
        fr_buf_add_char(out, (char)(0x80 | (c & 0x3f)));
    } else {
        if (c < 0x10000) {
            fr_buf_add_char(out, (char)(0xe0 | c >> 12));
        } else {
            fr_buf_add_char(out, (char)(0xf0 | c >> 18));
            fr_buf_add_char(out, (char)(0x80 | (c >> 12 & 0x3f)));
        }
        fr_buf_add_char(out, (char)(0x80 | (c >> 6 & 0x3f)));
        fr_buf_add_char(out, (char)(0x80 | (c & 0x3f)));
    }
}

static enum fr_err read_code_point(struct reader *r, unsigned digits, struct fr_buf *out)
{
    uint64_t c = 0;

    if (r->text.n - r->at < digits ||
        fr_hex_parse_u64(fr_span(r->text.p + r->at, digits), digits, &c) != FR_OK || c > 0x10ffff ||
        (c >= 0xd800 && c < 0xe000) || c == 0)
        return fail(r, "not a character that a text may hold");
    r->at += digits;
    put_utf8(out, (uint32_t)c);
    return FR_OK;
}

/* Behind a backslash. */
static enum fr_err read_escape(struct reader *r, bool is_long, struct fr_buf *out)
{
    static const char from[] = "btnfr\"\\", to[] = "\b\t\n\f\r\"\\";
    const int c = peek(r);
    const char *known = c > 0 ? strchr(from, c) : NULL;

    if (known != NULL) {
        r->at++;
        fr_buf_add_char(out, to[known - from]);
        return FR_OK;
    }
    if (c == 'u' || c == 'U') {
        r->at++;
        return read_code_point(r, c == 'u' ? 4 : 8, out);
    }
    if (!is_long) return fail(r, "an unknown escape in a text");
    skip_blanks(r); /* the line goes on: what follows is blank up to the next word */
    if (peek(r) != '\n' && !is_next(r, "\r\n")) return fail(r, "an unknown escape in a text");
    while (peek(r) == ' ' || peek(r) == '\t' || peek(r) == '\n' || is_next(r, "\r\n")) {
        if (peek(r) == '\n') r->line++;
        r->at++;
    }
    return FR_OK;
}

static enum fr_err read_short(struct reader *r, char quote, struct fr_buf *out)
{
    enum fr_err err = FR_OK;

    r->at++;
    while (!err) {
        const int c = peek(r);
        if (c < 0 || is_control(c)) return fail(r, "a text has no end on its line");
        r->at++;
        if (c == quote) return FR_OK;
        if (c == '\\' && quote == '"')
            err = read_escape(r, false, out);
        else
            fr_buf_add_char(out, (char)c);
    }
    return err;
}

static enum fr_err read_long(struct reader *r, char quote, struct fr_buf *out)
{
    const char end[] = {quote, quote, quote, '\0'};
    enum fr_err err = FR_OK;

    r->at += 3;
    if (is_next(r, "\r\n")) r->at++;
    if (peek(r) == '\n') { /* the first line end is not part of it */
        r->at++;
        r->line++;
    }
    while (!err) {
        const int c = peek(r);
        if (is_next(r, end)) {
            r->at += 3;
            for (int i = 0; i < 2 && peek(r) == quote; i++, r->at++) fr_buf_add_char(out, quote);
            return FR_OK;
        }
        if (c < 0 || (is_control(c) && c != '\n' && !is_next(r, "\r\n")))
            return fail(r, "a long text has no end");
        r->at++;
        if (c == '\n') r->line++;
        if (c == '\\' && quote == '"')
            err = read_escape(r, true, out);
        else
            fr_buf_add_char(out, (char)c);
    }
    return err;
}

static enum fr_err read_text(struct reader *r, struct fr_buf *out)
{
    const char quote = (char)peek(r);
    const bool is_long = is_next(r, quote == '"' ? "\"\"\"" : "'''");
    enum fr_err err = is_long ? read_long(r, quote, out) : read_short(r, quote, out);

    if (!err && fr_buf_err(out)) err = fail(r, "a text is too long");
    return err;
}

/* --- numbers, dates, booleans --- */

static bool is_bare(int c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '-';
}

static enum fr_err read_scalar(struct reader *r, struct fr_buf *out)
{
    char word[128];
    const size_t start = r->at;

    while (is_bare(peek(r)) || (peek(r) > 0 && strchr("+.:", peek(r)))) r->at++;
    /* a date and a time may have a blank in between */
    if (r->at - start == 10 && peek(r) == ' ' && r->at + 1 < r->text.n &&
        r->text.p[r->at + 1] >= '0' && r->text.p[r->at + 1] <= '9')
        for (r->at++; is_bare(peek(r)) || (peek(r) > 0 && strchr("+.:", peek(r)));) r->at++;
    const struct fr_span text = fr_span(r->text.p + start, r->at - start);
    if (text.n == 0 || !fr_span_copy(text, word, sizeof word)) return fail(r, "a value is missing");
    if (!fr_toml_is_scalar(word)) return fail(r, "this is no value: texts have quotes");
    fr_buf_add_span(out, text);
    return FR_OK;
}

/* --- keys --- */

/* One part, appended to a dotted path. A dot inside quotes is told from one between parts. */
static enum fr_err read_part(struct reader *r, char path[FR_TOML_PATH])
{
    struct fr_buf part = FR_BUF_INIT(FR_TOML_PATH);
    const size_t n = strlen(path);
    enum fr_err err = FR_OK;

    if (peek(r) == '"' || peek(r) == '\'') {
        err = read_short(r, (char)peek(r), &part);
        for (size_t i = 0; i < part.n; i++)
            if (part.p[i] == '.') part.p[i] = 1;
    } else {
        while (is_bare(peek(r))) fr_buf_add_char(&part, (char)r->text.p[r->at++]);
        if (part.n == 0) err = fail(r, "a key is missing");
    }
    if (!err && (fr_buf_err(&part) || n + part.n + 2 > FR_TOML_PATH))
        err = fail(r, "a key is too long");
    if (!err)
        (void)snprintf(path + n, FR_TOML_PATH - n, "%s%.*s", n > 0 ? "." : "", (int)part.n,
                       fr_buf_str(&part));
    fr_buf_deinit(&part);
    return err;
}

static bool is_dot(struct reader *r)
{
    skip_blanks(r);
    if (peek(r) != '.') return false;
    r->at++;
    skip_blanks(r);
    return true;
}

/* --- values --- */

static enum fr_err read_value(struct reader *r, unsigned depth, struct fr_buf *out,
                              enum fr_toml_kind *kind);

static enum fr_err read_array(struct reader *r, unsigned depth)
{
    r->at++;
    for (;;) {
        struct fr_buf value = FR_BUF_INIT(VALUE_MAX);
        enum fr_toml_kind kind;
        enum fr_err err = skip_lines(r);
        if (!err && peek(r) == ']') {
            r->at++;
            return FR_OK;
        }
        if (!err) err = read_value(r, depth + 1, &value, &kind);
        fr_buf_deinit(&value);
        if (!err) err = skip_lines(r);
        if (!err && peek(r) != ',' && peek(r) != ']') err = fail(r, "a list has no end");
        if (err) return err;
        if (peek(r) == ',') r->at++;
    }
}

static enum fr_err read_inline(struct reader *r, unsigned depth)
{
    r->at++;
    skip_blanks(r);
    if (peek(r) == '}') {
        r->at++;
        return FR_OK;
    }
    for (;;) {
        struct fr_buf value = FR_BUF_INIT(VALUE_MAX);
        char path[FR_TOML_PATH] = "";
        enum fr_toml_kind kind;
        enum fr_err err;
        skip_blanks(r);
        do err = read_part(r, path);
        while (!err && is_dot(r));
        if (!err && peek(r) != '=') err = fail(r, "a '=' is missing");
        if (!err) {
            r->at++;
            skip_blanks(r);
            err = read_value(r, depth + 1, &value, &kind);
        }
        fr_buf_deinit(&value);
        skip_blanks(r);
        if (!err && peek(r) != ',' && peek(r) != '}') err = fail(r, "a table in braces has no end");
        if (err) return err;
        if (r->text.p[r->at++] == '}') return FR_OK;
    }
}

static enum fr_err read_value(struct reader *r, unsigned depth, struct fr_buf *out,
                              enum fr_toml_kind *kind)
{
    if (depth > FR_TOML_DEPTH) return fail(r, "lists and tables are nested too deep");
    switch (peek(r)) {
    case '"':
    case '\'': *kind = FR_TOML_TEXT; return read_text(r, out);
    case '[': *kind = FR_TOML_VALUE; return read_array(r, depth);
    case '{': *kind = FR_TOML_VALUE; return read_inline(r, depth);
    default: *kind = FR_TOML_SCALAR; return read_scalar(r, out);
    }
}

/* --- definitions --- */

static const struct fr_span none = {NULL, 0};

/* A table on the way to a longer name: there, or made; of an array of tables the last one. */
static enum fr_err step_into(struct reader *r, char path[FR_TOML_PATH], enum fr_toml_origin origin)
{
    const struct fr_toml_def *def = fr_toml_lookup(r->toml, path);
    const size_t n = strlen(path);

    if (def == NULL)
        return fr_toml_define(r->toml, path, FR_TOML_TABLE, origin, none, r->line, r->diag);
    if (def->entry.kind == FR_TOML_TABLE)
        return origin == FR_TOML_BY_KEY && def->origin == FR_TOML_BY_HEADER ? twice(r, path)
                                                                            : FR_OK;
    if (def->entry.kind != FR_TOML_TABLES || origin == FR_TOML_BY_KEY) return twice(r, path);
    if (n + 12 > FR_TOML_PATH) return fail(r, "a key is too long");
    (void)snprintf(path + n, FR_TOML_PATH - n, ".%u", def->n_items - 1);
    return FR_OK;
}

static enum fr_err define_table(struct reader *r, const char *path)
{
    struct fr_toml_def *def = fr_toml_lookup(r->toml, path);

    if (def == NULL)
        return fr_toml_define(r->toml, path, FR_TOML_TABLE, FR_TOML_BY_HEADER, none, r->line,
                              r->diag);
    if (def->entry.kind != FR_TOML_TABLE || def->origin != FR_TOML_BY_LONGER_HEADER)
        return twice(r, path);
    def->origin = FR_TOML_BY_HEADER;
    def->entry.line = r->line;
    def->entry.file = file_of(r);
    return FR_OK;
}

static enum fr_err define_item(struct reader *r, char path[FR_TOML_PATH])
{
    struct fr_toml_def *def = fr_toml_lookup(r->toml, path);
    const size_t n = strlen(path);
    enum fr_err err = FR_OK;

    if (def == NULL) {
        err = fr_toml_define(r->toml, path, FR_TOML_TABLES, FR_TOML_BY_HEADER, none, r->line,
                             r->diag);
        if (err) return err;
        def = fr_toml_lookup(r->toml, path);
    }
    if (def->entry.kind != FR_TOML_TABLES) return twice(r, path);
    if (n + 12 > FR_TOML_PATH) return fail(r, "a key is too long");
    (void)snprintf(path + n, FR_TOML_PATH - n, ".%u", def->n_items++);
    return fr_toml_define(r->toml, path, FR_TOML_TABLE, FR_TOML_BY_HEADER, none, r->line, r->diag);
}

static enum fr_err read_header(struct reader *r)
{
    const bool is_item = is_next(r, "[[");
    char path[FR_TOML_PATH] = "";
    enum fr_err err;

    r->at += is_item ? 2 : 1;
    skip_blanks(r);
    for (;;) {
        err = read_part(r, path);
        if (err || !is_dot(r)) break;
        err = step_into(r, path, FR_TOML_BY_LONGER_HEADER);
        if (err) break;
    }
    if (!err && !is_next(r, is_item ? "]]" : "]")) err = fail(r, "a header has no end");
    if (err) return err;
    r->at += is_item ? 2 : 1;
    err = is_item ? define_item(r, path) : define_table(r, path);
    if (!err) memcpy(r->toml->table, path, sizeof path);
    return err ? err : end_of_line(r);
}

static enum fr_err read_pair(struct reader *r)
{
    struct fr_buf value = FR_BUF_INIT(VALUE_MAX);
    char path[FR_TOML_PATH];
    enum fr_toml_kind kind = FR_TOML_SCALAR;
    const unsigned line = r->line;
    enum fr_err err;

    memcpy(path, r->toml->table, sizeof path);
    for (;;) {
        err = read_part(r, path);
        if (err || !is_dot(r)) break;
        err = step_into(r, path, FR_TOML_BY_KEY);
        if (err) break;
    }
    if (!err && peek(r) != '=') err = fail(r, "a '=' is missing");
    if (!err && fr_toml_lookup(r->toml, path) != NULL) err = twice(r, path);
    if (!err) {
        r->at++;
        skip_blanks(r);
        err = read_value(r, 0, &value, &kind);
    }
    if (!err)
        err =
            fr_toml_define(r->toml, path, kind, FR_TOML_BY_KEY, fr_buf_span(&value), line, r->diag);
    fr_buf_deinit(&value);
    return err ? err : end_of_line(r);
}

enum fr_err fr_toml_read(struct fr_toml *toml, struct fr_span text, struct fr_diag *diag)
{
    struct reader r = {.toml = toml, .text = text, .line = 1, .diag = diag};
    enum fr_err err = FR_OK;

    if (is_next(&r, "\xef\xbb\xbf")) r.at += 3;
    while (!err) {
        err = skip_lines(&r);
        if (err || peek(&r) < 0) break;
        err = peek(&r) == '[' ? read_header(&r) : read_pair(&r);
    }
    return err;
}
