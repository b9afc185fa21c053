#include "base/table.h"

#include "base/buf.h"
#include "base/json_out.h"
#include "base/mem.h"

#include <string.h>

enum { MAX_COLUMNS = 64, MAX_OUTPUT = 1 << 28 };

/* One cell is kept in both forms, so that printing is only placing. */
struct cell {
    char *text;
    char *json;
};

struct fr_table {
    const struct fr_column *columns;
    size_t n_columns;
    struct cell *cells;
    size_t n_cells;
    size_t cap;
    enum fr_err err;
};

enum fr_err fr_table_new(const struct fr_column *columns, struct fr_table **out)
{
    struct fr_table *t = fr_calloc(1, sizeof *t);

    if (t == NULL) return FR_E_NOMEM;
    t->columns = columns;
    while (t->n_columns < MAX_COLUMNS && columns[t->n_columns].key != NULL) t->n_columns++;
    *out = t;
    return FR_OK;
}

void fr_table_free(struct fr_table *t)
{
    if (t == NULL) return;
    for (size_t i = 0; i < t->n_cells; i++) {
        fr_free(t->cells[i].text);
        fr_free(t->cells[i].json);
    }
    fr_free(t->cells);
    fr_free(t);
}

static void fail(struct fr_table *t, enum fr_err err)
{
    if (!t->err) t->err = err;
}

/* Takes over both buffers. */
static void add(struct fr_table *t, struct fr_buf *text, struct fr_buf *json)
{
    struct cell cell = {0};
    size_t n;

    if (!t->err && t->n_cells == t->cap) {
        size_t cap = t->cap > 0 ? t->cap * 2 : 64;
        struct cell *cells = fr_reallocarray(t->cells, cap, sizeof *cells);
        if (cells == NULL) {
            fail(t, FR_E_NOMEM);
        } else {
            t->cells = cells;
            t->cap = cap;
        }
    }
    if (!t->err) {
        if (fr_buf_err(text)) fail(t, fr_buf_err(text));
        if (fr_buf_err(json)) fail(t, fr_buf_err(json));
    }
    if (!t->err) {
        cell.text = (char *)fr_buf_take(text, &n);
        cell.json = (char *)fr_buf_take(json, &n);
        if (cell.text == NULL || cell.json == NULL) fail(t, FR_E_NOMEM);
    }
    if (t->err) {
        fr_free(cell.text);
        fr_free(cell.json);
    } else {
        t->cells[t->n_cells++] = cell;
    }
    fr_buf_deinit(text);
    fr_buf_deinit(json);
}

static void put_printable(struct fr_buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        fr_buf_add_char(out, (unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text);
    }
}

void fr_table_text(struct fr_table *t, const char *value)
{
    struct fr_buf text = FR_BUF_INIT(MAX_OUTPUT), json = FR_BUF_INIT(MAX_OUTPUT);
    struct fr_json j = fr_json(&json);

    put_printable(&text, value == NULL || value[0] == '\0' ? "-" : value);
    fr_json_str(&j, value);
    add(t, &text, &json);
}

void fr_table_textf(struct fr_table *t, const char *fmt, ...)
{
    struct fr_buf text = FR_BUF_INIT(MAX_OUTPUT);
    va_list args;

    va_start(args, fmt);
    fr_buf_vprintf(&text, fmt, args);
    va_end(args);
    if (fr_buf_err(&text)) {
        fail(t, fr_buf_err(&text));
    } else {
        fr_table_text(t, fr_buf_str(&text));
    }
    fr_buf_deinit(&text);
}

void fr_table_uint(struct fr_table *t, uint64_t v)
{
    struct fr_buf text = FR_BUF_INIT(32), json = FR_BUF_INIT(32);

    fr_buf_printf(&text, "%llu", (unsigned long long)v);
    fr_buf_add_span(&json, fr_buf_span(&text));
    add(t, &text, &json);
}

void fr_table_bool(struct fr_table *t, bool v)
{
    struct fr_buf text = FR_BUF_INIT(8), json = FR_BUF_INIT(8);

    fr_buf_add_str(&text, v ? "yes" : "no");
    fr_buf_add_str(&json, v ? "true" : "false");
    add(t, &text, &json);
}

void fr_table_none(struct fr_table *t)
{
    fr_table_text(t, NULL);
}

void fr_table_texts(struct fr_table *t, const char *const *items, size_t n)
{
    struct fr_buf text = FR_BUF_INIT(MAX_OUTPUT), json = FR_BUF_INIT(MAX_OUTPUT);
    struct fr_json j = fr_json(&json);

    fr_json_array(&j);
    for (size_t i = 0; i < n; i++) {
        if (i > 0) fr_buf_add_str(&text, ", ");
        put_printable(&text, items[i]);
        fr_json_str(&j, items[i]);
    }
    fr_json_end(&j);
    if (n == 0) fr_buf_add_char(&text, '-');
    add(t, &text, &json);
}

size_t fr_table_rows(const struct fr_table *t)
{
    return t->n_columns > 0 ? t->n_cells / t->n_columns : 0;
}

/* Characters, not bytes: what a terminal shows of UTF-8 text without wide or combining
 * characters. */
static size_t width_of(const char *text)
{
    size_t n = 0;

    for (; *text != '\0'; text++) n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

static void put_spaces(struct fr_buf *out, size_t n)
{
    while (n-- > 0) fr_buf_add_char(out, ' ');
}

static void put_cell(struct fr_buf *out, const char *text, size_t width, bool is_right,
                     bool is_last)
{
    size_t shown = width_of(text);
    size_t pad = width > shown ? width - shown : 0;

    if (is_right) put_spaces(out, pad);
    fr_buf_add_str(out, text);
    if (is_last) {
        fr_buf_add_char(out, '\n');
    } else {
        put_spaces(out, (is_right ? 0 : pad) + 2);
    }
}

static const char *title_of(const struct fr_column *c)
{
    return c->title != NULL ? c->title : c->key;
}

static void put_text_table(const struct fr_table *t, struct fr_buf *out)
{
    size_t width[MAX_COLUMNS] = {0};
    size_t rows = fr_table_rows(t);

    if (rows == 0) return;
    for (size_t c = 0; c < t->n_columns; c++) {
        width[c] = width_of(title_of(&t->columns[c]));
        for (size_t r = 0; r < rows; r++) {
            size_t w = width_of(t->cells[r * t->n_columns + c].text);
            if (w > width[c]) width[c] = w;
        }
    }
    for (size_t c = 0; c < t->n_columns; c++) {
        put_cell(out, title_of(&t->columns[c]), width[c], t->columns[c].is_right,
                 c + 1 == t->n_columns);
    }
    for (size_t i = 0; i < rows * t->n_columns; i++) {
        size_t c = i % t->n_columns;
        put_cell(out, t->cells[i].text, width[c], t->columns[c].is_right, c + 1 == t->n_columns);
    }
}

/* In quotes where it must be; a quote is doubled. */
static void put_csv_cell(struct fr_buf *out, const char *text, bool is_last)
{
    bool is_quoted = strpbrk(text, ",\"\r\n") != NULL;

    if (is_quoted) fr_buf_add_char(out, '"');
    for (; *text != '\0'; text++) {
        if (*text == '"') fr_buf_add_char(out, '"');
        fr_buf_add_char(out, *text);
    }
    if (is_quoted) fr_buf_add_char(out, '"');
    fr_buf_add_char(out, is_last ? '\n' : ',');
}

static void put_csv_table(const struct fr_table *t, struct fr_buf *out)
{
    for (size_t c = 0; c < t->n_columns; c++)
        put_csv_cell(out, t->columns[c].key, c + 1 == t->n_columns);
    for (size_t i = 0; i < fr_table_rows(t) * t->n_columns; i++)
        put_csv_cell(out, t->cells[i].text, (i + 1) % t->n_columns == 0);
}

static void put_json_row(const struct fr_table *t, size_t row, struct fr_buf *out)
{
    fr_buf_add_char(out, '{');
    for (size_t c = 0; c < t->n_columns; c++) {
        fr_buf_printf(out, "%s\"%s\": %s", c > 0 ? ", " : "", t->columns[c].key,
                      t->cells[row * t->n_columns + c].json);
    }
    fr_buf_add_char(out, '}');
}

static enum fr_err flush(struct fr_buf *text, FILE *out)
{
    enum fr_err err = fr_buf_err(text);

    if (!err && text->n > 0 && fwrite(text->p, 1, text->n, out) != text->n) err = FR_E_IO;
    fr_buf_deinit(text);
    return err;
}

enum fr_err fr_table_print(const struct fr_table *t, enum fr_output output, FILE *out)
{
    struct fr_buf text = FR_BUF_INIT(MAX_OUTPUT);

    if (t->err) return t->err;
    if (output == FR_OUTPUT_TEXT) {
        put_text_table(t, &text);
    } else if (output == FR_OUTPUT_CSV) {
        put_csv_table(t, &text);
    } else {
        fr_buf_add_char(&text, '[');
        for (size_t r = 0; r < fr_table_rows(t); r++) {
            fr_buf_add_str(&text, r > 0 ? ",\n " : "");
            put_json_row(t, r, &text);
        }
        fr_buf_add_str(&text, "]\n");
    }
    return flush(&text, out);
}

enum fr_err fr_table_print_record(const struct fr_table *t, enum fr_output output, FILE *out)
{
    struct fr_buf text = FR_BUF_INIT(MAX_OUTPUT);
    size_t width = 0;

    if (t->err) return t->err;
    if (fr_table_rows(t) == 0) return FR_E_NOT_FOUND;
    if (output == FR_OUTPUT_JSON) {
        put_json_row(t, 0, &text);
        fr_buf_add_char(&text, '\n');
        return flush(&text, out);
    }
    for (size_t c = 0; c < t->n_columns; c++) {
        size_t w = width_of(t->columns[c].key);
        if (w > width) width = w;
    }
    for (size_t c = 0; c < t->n_columns; c++) {
        put_cell(&text, t->columns[c].key, width, false, false);
        put_cell(&text, t->cells[c].text, 0, false, true);
    }
    return flush(&text, out);
}
