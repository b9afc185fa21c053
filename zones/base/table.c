#include "base/table.h"

#include "base/buf.h"
#include "base/json_out.h"
#include "base/mem.h"

#include <string.h>

enum { MAX_COLUMNS = 64, MAX_CELLS_SIZE = 1 << 29, WRITE_AT_ONCE = 64 * 1024 };

/* What was given is kept once, all cells in one piece of memory, and put into a form at the print. */
enum cell_kind { CELL_NONE, CELL_TEXT, CELL_PLAIN, CELL_LIST };

struct cell {
    size_t at;
    uint32_t n;
    uint8_t kind;
};

struct fr_table {
    const struct fr_column *columns;
    size_t n_columns;
    struct cell *cells;
    size_t n_cells;
    size_t cap;
    struct fr_buf bytes; /* of all cells; each item of a list ends with a zero byte */
    enum fr_err err;
};

enum fr_err fr_table_new(const struct fr_column *columns, struct fr_table **out)
{
    struct fr_table *t = fr_calloc(1, sizeof *t);

    if (t == NULL) return FR_E_NOMEM;
    t->columns = columns;
    t->bytes = FR_BUF_INIT(MAX_CELLS_SIZE);
    while (t->n_columns < MAX_COLUMNS && columns[t->n_columns].key != NULL) t->n_columns++;
    *out = t;
    return FR_OK;
}

void fr_table_free(struct fr_table *t)
{
    if (t == NULL) return;
    fr_buf_deinit(&t->bytes);
    fr_free(t->cells);
    fr_free(t);
}

static void fail(struct fr_table *t, enum fr_err err)
{
    if (!t->err) t->err = err;
}

/* The cell of the bytes that were added since `at`. */
static void add_cell(struct fr_table *t, enum cell_kind kind, size_t at)
{
    if (fr_buf_err(&t->bytes)) fail(t, fr_buf_err(&t->bytes));
    if (t->err) return;
    if (t->n_cells == t->cap) {
        size_t cap = t->cap > 0 ? t->cap * 2 : 64;
        struct cell *cells = fr_reallocarray(t->cells, cap, sizeof *cells);
        if (cells == NULL) {
            fail(t, FR_E_NOMEM);
            return;
        }
        t->cells = cells;
        t->cap = cap;
    }
    t->cells[t->n_cells++] =
        (struct cell){.at = at, .n = (uint32_t)(t->bytes.n - at), .kind = (uint8_t)kind};
}

void fr_table_text(struct fr_table *t, const char *value)
{
    const size_t at = t->bytes.n;

    if (value != NULL) fr_buf_add_str(&t->bytes, value);
    add_cell(t, value != NULL ? CELL_TEXT : CELL_NONE, at);
}

void fr_table_textf(struct fr_table *t, const char *fmt, ...)
{
    const size_t at = t->bytes.n;
    va_list args;

    va_start(args, fmt);
    fr_buf_vprintf(&t->bytes, fmt, args);
    va_end(args);
    add_cell(t, CELL_TEXT, at);
}

void fr_table_uint(struct fr_table *t, uint64_t v)
{
    const size_t at = t->bytes.n;

    fr_buf_printf(&t->bytes, "%llu", (unsigned long long)v);
    add_cell(t, CELL_PLAIN, at);
}

void fr_table_bool(struct fr_table *t, bool v)
{
    const size_t at = t->bytes.n;

    fr_buf_add_str(&t->bytes, v ? "true" : "false");
    add_cell(t, CELL_PLAIN, at);
}

void fr_table_none(struct fr_table *t)
{
    add_cell(t, CELL_NONE, t->bytes.n);
}

void fr_table_texts(struct fr_table *t, const char *const *items, size_t n)
{
    const size_t at = t->bytes.n;

    for (size_t i = 0; i < n; i++) fr_buf_add(&t->bytes, items[i], strlen(items[i]) + 1);
    add_cell(t, CELL_LIST, at);
}

/* --- one cell's forms --- */

static struct fr_span bytes_of(const struct fr_table *t, const struct cell *cell)
{
    return fr_span(t->bytes.p + cell->at, cell->n);
}

static void put_printable(struct fr_buf *out, struct fr_span text)
{
    size_t plain = 0;

    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] >= 0x20 && text.p[i] != 0x7f) continue;
        fr_buf_add(out, text.p + plain, i - plain);
        fr_buf_add_char(out, '?');
        plain = i + 1;
    }
    fr_buf_add(out, text.p + plain, text.n - plain);
}

/* The next item of a list; its zero byte is behind it. */
static struct fr_span take_item(struct fr_span *list)
{
    const uint8_t *end = memchr(list->p, 0, list->n);
    const struct fr_span item = fr_span(list->p, (size_t)(end - list->p));

    *list = fr_span(end + 1, list->n - item.n - 1);
    return item;
}

static void put_text(const struct fr_table *t, const struct cell *cell, struct fr_buf *out)
{
    struct fr_span rest = bytes_of(t, cell);

    if (cell->n == 0) {
        fr_buf_add_char(out, '-');
    } else if (cell->kind == CELL_PLAIN) {
        const bool is_word = rest.p[0] == 't' || rest.p[0] == 'f';
        if (is_word)
            fr_buf_add_str(out, rest.p[0] == 't' ? "yes" : "no");
        else
            fr_buf_add_span(out, rest);
    } else if (cell->kind == CELL_TEXT) {
        put_printable(out, rest);
    } else {
        while (rest.n > 0) {
            put_printable(out, take_item(&rest));
            if (rest.n > 0) fr_buf_add_str(out, ", ");
        }
    }
}

static void put_json(const struct fr_table *t, const struct cell *cell, struct fr_buf *out)
{
    struct fr_json j = fr_json(out);
    struct fr_span rest = bytes_of(t, cell);

    if (cell->kind == CELL_NONE) {
        fr_json_null(&j);
    } else if (cell->kind == CELL_PLAIN) {
        fr_buf_add_span(out, rest);
    } else if (cell->kind == CELL_TEXT) {
        fr_json_span(&j, rest);
    } else {
        fr_json_array(&j);
        while (rest.n > 0) fr_json_span(&j, take_item(&rest));
        fr_json_end(&j);
    }
}

/* --- all of them --- */

size_t fr_table_rows(const struct fr_table *t)
{
    return t->n_columns > 0 ? t->n_cells / t->n_columns : 0;
}

/* Characters, not bytes: what a terminal shows of UTF-8 text without wide or combining
 * characters. */
static size_t width_of(struct fr_span text)
{
    size_t n = 0;

    for (size_t i = 0; i < text.n; i++) n += (text.p[i] & 0xc0) != 0x80;
    return n;
}

static size_t width_of_cell(const struct fr_table *t, const struct cell *cell)
{
    const struct fr_span bytes = bytes_of(t, cell);

    if (cell->n == 0) return 1;
    if (cell->kind == CELL_PLAIN && bytes.p[0] == 't') return 3;
    if (cell->kind == CELL_PLAIN && bytes.p[0] == 'f') return 2;
    if (cell->kind != CELL_LIST) return width_of(bytes);
    size_t items = 0;
    for (size_t i = 0; i < bytes.n; i++) items += bytes.p[i] == 0;
    return width_of(bytes) + items - 2; /* ", " for each zero byte but the last */
}

static void put_spaces(struct fr_buf *out, size_t n)
{
    uint8_t *p = n > 0 ? fr_buf_reserve(out, n) : NULL;

    if (p == NULL) return;
    memset(p, ' ', n);
    fr_buf_commit(out, n);
}

/* What stands around a cell of `shown` characters. */
static void put_before(struct fr_buf *out, size_t shown, size_t width, bool is_right)
{
    if (is_right && width > shown) put_spaces(out, width - shown);
}

static void put_after(struct fr_buf *out, size_t shown, size_t width, bool is_right, bool is_last)
{
    const size_t pad = width > shown ? width - shown : 0;

    if (is_last)
        fr_buf_add_char(out, '\n');
    else
        put_spaces(out, (is_right ? 0 : pad) + 2);
}

static void put_word(struct fr_buf *out, const char *word, size_t width, bool is_right,
                     bool is_last)
{
    const size_t shown = width_of(fr_span_str(word));

    put_before(out, shown, width, is_right);
    fr_buf_add_str(out, word);
    put_after(out, shown, width, is_right, is_last);
}

static void put_cell(const struct fr_table *t, const struct cell *cell, size_t width, bool is_right,
                     bool is_last, struct fr_buf *out)
{
    const size_t shown = width_of_cell(t, cell);

    put_before(out, shown, width, is_right);
    put_text(t, cell, out);
    put_after(out, shown, width, is_right, is_last);
}

static const char *title_of(const struct fr_column *c)
{
    return c->title != NULL ? c->title : c->key;
}

/* Where a form goes: through a buffer of bounded size. */
struct page {
    struct fr_buf text;
    FILE *out;
    enum fr_err err;
};

static void write_out(struct page *page)
{
    if (!page->err) page->err = fr_buf_err(&page->text);
    if (!page->err && page->text.n > 0 &&
        fwrite(page->text.p, 1, page->text.n, page->out) != page->text.n)
        page->err = FR_E_IO;
    fr_buf_reset(&page->text);
}

static void end_row(struct page *page)
{
    if (page->text.n >= WRITE_AT_ONCE) write_out(page);
}

static enum fr_err end_page(struct page *page)
{
    write_out(page);
    fr_buf_deinit(&page->text);
    return page->err;
}

static void put_text_table(const struct fr_table *t, struct page *page)
{
    size_t width[MAX_COLUMNS] = {0};
    size_t rows = fr_table_rows(t);

    if (rows == 0) return;
    for (size_t c = 0; c < t->n_columns; c++)
        width[c] = width_of(fr_span_str(title_of(&t->columns[c])));
    for (size_t r = 0, i = 0; r < rows; r++) {
        for (size_t c = 0; c < t->n_columns; c++, i++) {
            size_t w = width_of_cell(t, &t->cells[i]);
            if (w > width[c]) width[c] = w;
        }
    }
    for (size_t c = 0; c < t->n_columns; c++) {
        put_word(&page->text, title_of(&t->columns[c]), width[c], t->columns[c].is_right,
                 c + 1 == t->n_columns);
    }
    for (size_t r = 0, i = 0; r < rows; r++) {
        for (size_t c = 0; c < t->n_columns; c++, i++)
            put_cell(t, &t->cells[i], width[c], t->columns[c].is_right, c + 1 == t->n_columns,
                     &page->text);
        end_row(page);
    }
}

/* In quotes where it must be; a quote is doubled. */
static void put_csv_cell(struct fr_buf *out, struct fr_span text, bool is_last)
{
    bool is_quoted = false;

    for (size_t i = 0; i < text.n; i++)
        is_quoted = is_quoted || strchr(",\"\r\n", text.p[i]) != NULL;
    if (is_quoted) fr_buf_add_char(out, '"');
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '"') fr_buf_add_char(out, '"');
        fr_buf_add(out, text.p + i, 1);
    }
    if (is_quoted) fr_buf_add_char(out, '"');
    fr_buf_add_char(out, is_last ? '\n' : ',');
}

static void put_csv_table(const struct fr_table *t, struct page *page)
{
    struct fr_buf text = FR_BUF_INIT(MAX_CELLS_SIZE);

    for (size_t c = 0; c < t->n_columns; c++)
        put_csv_cell(&page->text, fr_span_str(t->columns[c].key), c + 1 == t->n_columns);
    for (size_t r = 0, i = 0; r < fr_table_rows(t); r++) {
        for (size_t c = 0; c < t->n_columns; c++, i++) {
            fr_buf_reset(&text);
            put_text(t, &t->cells[i], &text);
            if (fr_buf_err(&text) && !page->err) page->err = fr_buf_err(&text);
            put_csv_cell(&page->text, fr_buf_span(&text), c + 1 == t->n_columns);
        }
        end_row(page);
    }
    fr_buf_deinit(&text);
}

static void put_json_row(const struct fr_table *t, size_t row, struct fr_buf *out)
{
    fr_buf_add_char(out, '{');
    for (size_t c = 0; c < t->n_columns; c++) {
        fr_buf_add_str(out, c > 0 ? ", \"" : "\"");
        fr_buf_add_str(out, t->columns[c].key);
        fr_buf_add_str(out, "\": ");
        put_json(t, &t->cells[row * t->n_columns + c], out);
    }
    fr_buf_add_char(out, '}');
}

static void put_json_table(const struct fr_table *t, struct page *page)
{
    fr_buf_add_char(&page->text, '[');
    for (size_t r = 0; r < fr_table_rows(t); r++) {
        fr_buf_add_str(&page->text, r > 0 ? ",\n " : "");
        put_json_row(t, r, &page->text);
        end_row(page);
    }
    fr_buf_add_str(&page->text, "]\n");
}

enum fr_err fr_table_print(const struct fr_table *t, enum fr_output output, FILE *out)
{
    struct page page = {.text = FR_BUF_INIT(MAX_CELLS_SIZE), .out = out};

    if (t->err) return t->err;
    if (output == FR_OUTPUT_TEXT)
        put_text_table(t, &page);
    else if (output == FR_OUTPUT_CSV)
        put_csv_table(t, &page);
    else
        put_json_table(t, &page);
    return end_page(&page);
}

enum fr_err fr_table_print_record(const struct fr_table *t, enum fr_output output, FILE *out)
{
    struct page page = {.text = FR_BUF_INIT(MAX_CELLS_SIZE), .out = out};
    size_t width = 0;

    if (t->err) return t->err;
    if (fr_table_rows(t) == 0) return FR_E_NOT_FOUND;
    if (output == FR_OUTPUT_JSON) {
        put_json_row(t, 0, &page.text);
        fr_buf_add_char(&page.text, '\n');
        return end_page(&page);
    }
    for (size_t c = 0; c < t->n_columns; c++) {
        size_t w = width_of(fr_span_str(t->columns[c].key));
        if (w > width) width = w;
    }
    for (size_t c = 0; c < t->n_columns; c++) {
        put_word(&page.text, t->columns[c].key, width, false, false);
        put_cell(t, &t->cells[c], 0, false, true, &page.text);
    }
    return end_page(&page);
}
