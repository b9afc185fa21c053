#include "enrol/blocks.h"

#include "base/json_out.h"

#include <stdio.h>
#include <string.h>

/* --- lines --- */

struct line {
    struct fr_span all;  /* with its end */
    struct fr_span text; /* without blanks at both ends */
    size_t indent;
    bool is_empty; /* blank, or a comment alone */
    bool has_tab;
};

static struct line line_at(struct fr_span text, size_t at)
{
    struct line l = {0};
    size_t end = at;

    while (end < text.n && text.p[end] != '\n') end++;
    if (end < text.n) end++;
    l.all = fr_span(text.p + at, end - at);
    while (l.indent < l.all.n && l.all.p[l.indent] == ' ') l.indent++;
    l.has_tab = l.indent < l.all.n && l.all.p[l.indent] == '\t';
    l.text = fr_span_trim(l.all);
    l.is_empty = l.text.n == 0 || l.text.p[0] == '#';
    return l;
}

/* Without a comment behind a blank. Quoted texts of ours hold no '#'. */
static struct fr_span without_comment(struct fr_span s)
{
    for (size_t i = 1; i < s.n; i++)
        if (s.p[i] == '#' && s.p[i - 1] == ' ') return fr_span_trim(fr_span(s.p, i));
    return s;
}

/* "key: value" → value (may be empty). */
static bool is_key(struct fr_span text, const char *key, struct fr_span *value)
{
    const size_t n = strlen(key);

    if (!fr_span_starts(text, key) || text.n <= n || text.p[n] != ':') return false;
    const struct fr_span rest = fr_span(text.p + n + 1, text.n - n - 1);
    if (rest.n > 0 && rest.p[0] != ' ') return false;
    *value = without_comment(fr_span_trim(rest));
    if (value->n > 0 && value->p[0] == '#') value->n = 0;
    return true;
}

static struct fr_span unquoted(struct fr_span s)
{
    if (s.n >= 2 && (s.p[0] == '"' || s.p[0] == '\'') && s.p[s.n - 1] == s.p[0])
        return fr_span(s.p + 1, s.n - 2);
    return s;
}

bool fr_blocks_scalar(struct fr_span text, const char *key, char *out, size_t size)
{
    struct fr_span value;

    for (size_t at = 0; at < text.n;) {
        const struct line l = line_at(text, at);
        at += l.all.n;
        if (l.is_empty || l.indent > 0 || !is_key(l.text, key, &value)) continue;
        return fr_span_copy(unquoted(value), out, size);
    }
    return false;
}

/* --- where things are --- */

struct place {
    bool has_key;    /* `federations:` is there */
    size_t key_end;  /* behind its line */
    size_t list_end; /* behind the last line of its list (not counting empty ones) */
    size_t dash;     /* column of the items' dashes */
    size_t n_items;
    bool has_item; /* the one looked for */
    size_t item_at, item_end;
    size_t item_keys; /* column of its keys */
};

static enum fr_err refuse(struct fr_diag *diag, size_t line, const char *what)
{
    enum fr_err err = fr_diag_fail(diag, FR_E_CONFLICT, "line %zu: %s", line, what);
    fr_diag_hint(diag,
                 "write `federations:` on a line alone and each federation below it as `  - name: "
                 "…`, or set the file aside");
    return err;
}

static bool is_item(const struct line *l)
{
    return l->text.n > 0 && l->text.p[0] == '-' && (l->text.n == 1 || l->text.p[1] == ' ');
}

/* The keys of an item begin behind its dash. */
static size_t keys_column(const struct line *l)
{
    size_t at = l->indent + 1;
    while (at < l->all.n && l->all.p[at] == ' ') at++;
    return at;
}

static bool names_it(struct fr_span text, const char *name)
{
    struct fr_span value;
    return is_key(text, "name", &value) && fr_span_is(unquoted(value), name);
}

static const char TWICE[] = "this federation is there already, further up";

static enum fr_err find(struct fr_span text, const char *name, struct fr_diag *diag,
                        struct place *out)
{
    struct place p = {0};
    bool is_inside = false, is_over = false;
    size_t item_at = 0, item_keys = 0, number = 0;
    struct fr_span value;

    if (text.n > FR_BLOCKS_MAX) return fr_diag_fail(diag, FR_E_LIMIT, "the file is too large");
    for (size_t at = 0; at < text.n;) {
        const struct line l = line_at(text, at);
        const size_t begin = at;
        at += l.all.n;
        number++;
        if (l.is_empty) continue;
        if (!is_inside) {
            if (l.indent > 0 || !is_key(l.text, "federations", &value)) continue;
            if (p.has_key) return refuse(diag, number, "federations is there twice");
            if (value.n > 0) return refuse(diag, number, "federations is not a list of blocks");
            p.has_key = is_inside = true;
            p.key_end = p.list_end = at;
            continue;
        }
        if (is_over) continue;
        if (l.has_tab) return refuse(diag, number, "a tab stands where blanks should");
        if (l.indent == 0 && !is_item(&l)) { /* the next key of the top level */
            is_over = true;
            if (is_key(l.text, "federations", &value))
                return refuse(diag, number, "federations is there twice");
            continue;
        }
        if (is_item(&l) && (p.n_items == 0 || l.indent == p.dash)) {
            if (p.has_item && p.item_end == 0) p.item_end = p.list_end;
            p.dash = l.indent;
            p.n_items++;
            item_at = begin;
            item_keys = keys_column(&l);
            const struct fr_span first =
                fr_span_trim(fr_span(l.all.p + item_keys, l.all.n - item_keys));
            if (first.n == 0 || first.p[0] == '{' || first.p[0] == '&' || first.p[0] == '#')
                return refuse(diag, number, "this federation is not a block");
            if (names_it(first, name)) {
                if (p.has_item) return refuse(diag, number, TWICE);
                p.has_item = true;
                p.item_at = item_at;
                p.item_keys = item_keys;
            }
        } else if (p.n_items == 0 || l.indent <= p.dash) {
            return refuse(diag, number, "this is no list of federations");
        } else if (l.indent == item_keys && names_it(l.text, name)) {
            if (p.has_item) return refuse(diag, number, TWICE);
            p.has_item = true;
            p.item_at = item_at;
            p.item_keys = item_keys;
        }
        p.list_end = at;
    }
    if (p.has_item && p.item_end == 0) p.item_end = p.list_end;
    *out = p;
    return FR_OK;
}

/* --- writing --- */

static bool is_plain(const char *text)
{
    return text[strspn(text,
                       "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-:")] ==
               '\0' &&
           text[0] != '\0' && !strchr("-:", text[0]) && text[strlen(text) - 1] != ':';
}

static void put_value(struct fr_buf *out, const char *text)
{
    struct fr_json json = fr_json(out);

    if (is_plain(text))
        fr_buf_add_str(out, text);
    else
        fr_json_str(&json, text);
}

static void put_key(struct fr_buf *out, size_t column, const char *key, const char *value)
{
    fr_buf_printf(out, "%*s%s: ", (int)column, "", key);
    put_value(out, value);
    fr_buf_add_char(out, '\n');
}

static void put_own(struct fr_buf *out, size_t dash, size_t keys, const struct fr_block *block)
{
    fr_buf_printf(out, "%*s-%*sname: ", (int)dash, "", (int)(keys - dash - 1), "");
    put_value(out, block->name);
    fr_buf_add_char(out, '\n');
    put_key(out, keys, "broker", block->broker);
    if (block->n_addresses > 0) {
        struct fr_json json = fr_json(out);
        fr_buf_printf(out, "%*saddresses: ", (int)keys, "");
        fr_json_array(&json);
        for (size_t i = 0; i < block->n_addresses; i++) fr_json_str(&json, block->addresses[i]);
        fr_json_end(&json);
        fr_buf_add_char(out, '\n');
    }
    put_key(out, keys, "ca", block->ca);
    put_key(out, keys, "certificate", block->certificate);
    put_key(out, keys, "key", block->key);
}

static bool is_own_key(struct fr_span text)
{
    static const char *const own[] = {"name", "broker", "addresses", "ca", "certificate", "key"};
    struct fr_span value;

    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        if (is_key(text, own[i], &value)) return true;
    return false;
}

/* What of the present item is not ours. */
static void put_others(struct fr_buf *out, struct fr_span text, const struct place *p)
{
    bool is_ours = true;

    for (size_t at = p->item_at; at < p->item_end;) {
        const struct line l = line_at(text, at);
        const bool is_first = at == p->item_at;
        const size_t column = is_first ? p->item_keys : l.indent;
        at += l.all.n;
        if (!l.is_empty && column == p->item_keys) {
            const struct fr_span key =
                is_first ? fr_span_trim(fr_span(l.all.p + column, l.all.n - column)) : l.text;
            is_ours = is_own_key(key);
            if (!is_ours && is_first) { /* its dash is needed by ours */
                fr_buf_printf(out, "%*s", (int)column, "");
                fr_buf_add_span(out, key);
                fr_buf_add_char(out, '\n');
                continue;
            }
        }
        if (!is_ours || l.is_empty) fr_buf_add_span(out, l.all); /* comments are nobody's */
    }
}

static void end_line(struct fr_buf *out)
{
    if (out->n > 0 && out->p[out->n - 1] != '\n') fr_buf_add_char(out, '\n');
}

enum fr_err fr_blocks_put(struct fr_span text, const struct fr_block *block, struct fr_diag *diag,
                          struct fr_buf *out)
{
    struct place p;
    enum fr_err err = find(text, block->name, diag, &p);
    size_t at;

    if (err) return err;
    if (!p.has_key) {
        fr_buf_add_span(out, text);
        end_line(out);
        fr_buf_add_str(out, "federations:\n");
        put_own(out, 2, 4, block);
        return fr_buf_err(out);
    }
    at = p.has_item ? p.item_at : p.list_end;
    fr_buf_add(out, text.p, at);
    end_line(out);
    if (p.has_item) {
        put_own(out, p.dash, p.item_keys, block);
        put_others(out, text, &p);
        end_line(out);
        at = p.item_end;
    } else {
        const size_t dash = p.n_items > 0 ? p.dash : 2;
        put_own(out, dash, dash + 2, block);
    }
    fr_buf_add(out, text.p + at, text.n - at);
    return fr_buf_err(out);
}

enum fr_err fr_blocks_remove(struct fr_span text, const char *name, struct fr_diag *diag,
                             struct fr_buf *out, size_t *left)
{
    struct place p;
    enum fr_err err = find(text, name, diag, &p);

    if (err) return err;
    *left = p.n_items - (p.has_item ? 1 : 0);
    fr_buf_add(out, text.p, p.has_item ? p.item_at : text.n);
    if (p.has_item) fr_buf_add(out, text.p + p.item_end, text.n - p.item_end);
    return fr_buf_err(out);
}
