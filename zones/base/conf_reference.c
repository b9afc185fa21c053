/* The reference page, from the rows. */
#include "base/conf_internal.h"

enum { MAX_PATH_TEXT = 256 };

struct unit {
    uint64_t factor;
    const char *word;
};

/* Each list ends with factor 1. */
static const struct unit sizes[] = {
    {1ull << 40, "TiB"}, {1ull << 30, "GiB"}, {1ull << 20, "MiB"}, {1ull << 10, "KiB"}, {1, ""},
};
static const struct unit times[] = {
    {86400000, "d"}, {3600000, "h"}, {60000, "m"}, {1000, "s"}, {1, "ms"},
};
static const struct unit plain[] = {{1, ""}};

/* "64MiB" reads better than 67108864; the same for durations. */
static void put_bound(struct fr_buf *out, enum fr_conf_type type, uint64_t v)
{
    const struct unit *u = type == FR_T_SIZE ? sizes : plain;

    if (type == FR_T_DURATION) u = times;
    while (u->factor > 1 && (v == 0 || v % u->factor != 0)) u++;
    fr_buf_printf(out, "%llu%s", (unsigned long long)(v / u->factor), u->word);
}

void fr_conf_describe(struct fr_buf *out, const struct fr_conf_row *row, const char *quote)
{
    if (row->type == FR_T_ENUM) {
        for (const struct fr_conf_word *w = row->words; w->word != NULL; w++) {
            fr_buf_printf(out, "%s%s%s%s", w == row->words ? "" : " or ", quote, w->word, quote);
        }
    } else {
        fr_buf_add_str(out, fr_conf_type_text(row->type));
    }
    if (row->type == FR_T_UINT || row->type == FR_T_SIZE || row->type == FR_T_DURATION) {
        if (row->min > 0 || row->max > 0) {
            fr_buf_add_str(out, ", ");
            put_bound(out, row->type, row->min);
            if (row->max > 0) {
                fr_buf_add_str(out, " to ");
                put_bound(out, row->type, row->max);
            } else {
                fr_buf_add_str(out, " or more");
            }
        }
    }
}

static void put_rows(struct fr_buf *out, const struct fr_conf_row *rows, const char *prefix)
{
    for (const struct fr_conf_row *row = rows; row->key != NULL; row++) {
        fr_buf_printf(out, "| `%s%s%s` | ", prefix, row->key, row->type == FR_T_LIST ? "[]" : "");
        fr_conf_describe(out, row, "`");
        if (row->flags & FR_CONF_REQUIRED) {
            fr_buf_add_str(out, " | required | ");
        } else if (row->def != NULL) {
            fr_buf_printf(out, " | `%s` | ", row->def);
        } else {
            fr_buf_add_str(out, " | | ");
        }
        fr_buf_printf(out, "%s |\n", row->help != NULL ? row->help : "");
        if (row->type == FR_T_GROUP || row->type == FR_T_LIST) {
            struct fr_buf deeper = FR_BUF_INIT(MAX_PATH_TEXT);
            fr_buf_printf(&deeper, "%s%s%s.", prefix, row->key, row->type == FR_T_LIST ? "[]" : "");
            put_rows(out, row->rows, fr_buf_str(&deeper));
            fr_buf_deinit(&deeper);
        }
    }
}

enum fr_err fr_conf_reference(const struct fr_conf_schema *schema, struct fr_buf *out)
{
    fr_buf_printf(out, "# %s\n\n| key | value | default | meaning |\n| --- | --- | --- | --- |\n",
                  schema->title);
    put_rows(out, schema->rows, "");
    return fr_buf_err(out);
}
