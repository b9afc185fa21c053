/* Rows × tree → struct. */
#include "base/conf.h"

#include "base/conf_internal.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/nearest.h"

#include <string.h>

enum { MAX_FILE = 16 << 20, MAX_ITEMS = 256, MAX_KEYS = 256 };

struct load {
    const char *path;
    struct fr_diag *diag;
};

static enum fr_err fill(const struct load *l, const struct fr_conf_row *rows,
                        const struct fr_node *map, char *base);

static enum fr_err at_value(const struct load *l, const struct fr_node *node, enum fr_err err)
{
    if (err == FR_OK || err == FR_E_NOMEM) return err;
    fr_diag_where(l->diag, l->path, node->line, node->column);
    return FR_E_CONFIG;
}

static enum fr_err wrong_kind(const struct load *l, const struct fr_conf_row *row,
                              const struct fr_node *node)
{
    return at_value(l, node,
                    fr_diag_fail(l->diag, FR_E_CONFIG, "%s must be %s", row->key,
                                 fr_conf_type_text(row->type)));
}

static enum fr_err unknown_key(const struct load *l, const struct fr_conf_row *rows,
                               const struct fr_node *node)
{
    const char *names[MAX_KEYS];
    size_t n = 0;

    for (; n < MAX_KEYS && rows[n].key != NULL; n++) names[n] = rows[n].key;
    const char *near = fr_nearest(fr_span_str(node->key), names, n);
    enum fr_err err = fr_diag_fail(l->diag, FR_E_CONFIG, "unknown key %s", node->key);
    fr_diag_where(l->diag, l->path, node->key_line, node->key_column);
    if (near != NULL) fr_diag_hint(l->diag, "did you mean %s?", near);
    return err;
}

static void put_array(const struct fr_conf_row *row, char *base, void *items, size_t n)
{
    memcpy(base + row->at, &items, sizeof items);
    memcpy(base + row->count_at, &n, sizeof n);
}

static enum fr_err check_count(const struct load *l, const struct fr_conf_row *row,
                               const struct fr_node *node, size_t n)
{
    uint64_t max = row->max > 0 ? row->max : MAX_ITEMS;

    if (n <= max) return FR_OK;
    return at_value(l, node,
                    fr_diag_fail(l->diag, FR_E_CONFIG, "%s has more than %llu items", row->key,
                                 (unsigned long long)max));
}

/* One item of a LIST, or a GROUP: a mapping, or a scalar that stands for its first key. */
static enum fr_err fill_mapping(const struct load *l, const struct fr_conf_row *row,
                                const struct fr_node *node, char *base)
{
    if (node->kind == FR_NODE_MAP) return fill(l, row->rows, node, base);
    if (node->kind != FR_NODE_SCALAR || !(row->flags & FR_CONF_SHORT) || node->is_null) {
        return wrong_kind(l, row, node);
    }
    struct fr_node value = *node;
    struct fr_node map = {
        .kind = FR_NODE_MAP, .line = node->line, .column = node->column, .first = &value};
    value.key = (char *)row->rows[0].key; /* read only, like all of the tree here */
    value.key_line = node->line;
    value.key_column = node->column;
    value.next = NULL;
    return fill(l, row->rows, &map, base);
}

static enum fr_err fill_list(const struct load *l, const struct fr_conf_row *row,
                             const struct fr_node *node, char *base)
{
    bool is_list = node->kind == FR_NODE_LIST;
    size_t n = is_list ? node->n_children : 1;
    enum fr_err err = check_count(l, row, node, n);

    if (err) return err;
    if (!is_list && !(row->flags & FR_CONF_SHORT)) return wrong_kind(l, row, node);
    if (n == 0) return FR_OK;
    char *items = fr_calloc(n, row->size);
    if (items == NULL) return FR_E_NOMEM;
    /* owned by the struct from here on: a failure below is freed with it */
    put_array(row, base, items, n);
    const struct fr_node *item = is_list ? node->first : node;
    for (size_t i = 0; i < n && !err; i++, item = item->next) {
        char *to = items + i * row->size;
        err = fill_mapping(l, row, item, to);
        const uint32_t line = (uint32_t)item->line; /* files have at most 16 MiB */
        if (row->flags & FR_CONF_LINE) memcpy(to + row->line_at, &line, sizeof line);
    }
    return err;
}

static enum fr_err fill_strings(const struct load *l, const struct fr_conf_row *row,
                                const struct fr_node *node, char *base)
{
    struct fr_conf_row one = {.key = row->key, .type = FR_T_STRING, .flags = row->flags};
    bool is_list = node->kind == FR_NODE_LIST;
    size_t n = is_list ? node->n_children : 1;
    enum fr_err err = check_count(l, row, node, n);

    if (err) return err;
    if (node->kind == FR_NODE_MAP) return wrong_kind(l, row, node);
    if (n == 0) return FR_OK;
    char **items = fr_calloc(n, sizeof *items);
    if (items == NULL) return FR_E_NOMEM;
    put_array(row, base, items, n);
    const struct fr_node *item = is_list ? node->first : node;
    for (size_t i = 0; i < n && !err; i++, item = item->next) {
        if (item->kind != FR_NODE_SCALAR) return wrong_kind(l, row, item);
        err = at_value(
            l, item,
            fr_conf_store(&one, l->path, fr_span(item->text, item->text_n), l->diag, &items[i]));
    }
    return err;
}

static enum fr_err fill_value(const struct load *l, const struct fr_conf_row *row,
                              const struct fr_node *node, char *base)
{
    if (row->type == FR_T_LIST) return fill_list(l, row, node, base);
    if (row->type == FR_T_STRINGS) return fill_strings(l, row, node, base);
    if (row->type == FR_T_GROUP) return fill_mapping(l, row, node, base + row->at);
    if (node->kind != FR_NODE_SCALAR) return wrong_kind(l, row, node);
    return at_value(
        l, node,
        fr_conf_store(row, l->path, fr_span(node->text, node->text_n), l->diag, base + row->at));
}

static enum fr_err fill_default(const struct load *l, const struct fr_conf_row *row, char *base)
{
    if (row->type == FR_T_GROUP) return fill(l, row->rows, NULL, base + row->at);
    if (row->def == NULL) return FR_OK;
    return fr_conf_store(row, l->path, fr_span_str(row->def), l->diag, base + row->at);
}

static enum fr_err missing(const struct load *l, const struct fr_conf_row *row,
                           const struct fr_node *map)
{
    enum fr_err err = fr_diag_fail(l->diag, FR_E_CONFIG, "%s is missing", row->key);
    fr_diag_where(l->diag, l->path, map->line, map->column);
    fr_diag_hint(l->diag, "%s", row->help);
    return err;
}

static const struct fr_node *find_child(const struct fr_node *map, const char *key)
{
    for (const struct fr_node *c = map != NULL ? map->first : NULL; c != NULL; c = c->next) {
        if (strcmp(c->key, key) == 0) return c;
    }
    return NULL;
}

static bool is_known(const struct fr_conf_row *rows, const char *key)
{
    for (; rows->key != NULL; rows++) {
        if (strcmp(rows->key, key) == 0) return true;
    }
    return false;
}

/* A mapping into the struct at `base`; map NULL = all defaults, nothing required. */
static enum fr_err fill(const struct load *l, const struct fr_conf_row *rows,
                        const struct fr_node *map, char *base)
{
    for (const struct fr_node *c = map != NULL ? map->first : NULL; c != NULL; c = c->next) {
        if (!is_known(rows, c->key)) return unknown_key(l, rows, c);
    }
    for (const struct fr_conf_row *row = rows; row->key != NULL; row++) {
        const struct fr_node *node = find_child(map, row->key);
        bool is_given = node != NULL && !node->is_null &&
                        !(node->kind == FR_NODE_LIST && node->n_children == 0);
        enum fr_err err;
        if (is_given) {
            err = fill_value(l, row, node, base);
        } else if (map != NULL && (row->flags & FR_CONF_REQUIRED)) {
            err = missing(l, row, map);
        } else {
            err = fill_default(l, row, base);
        }
        if (err) return err;
    }
    return FR_OK;
}

static void release(const struct fr_conf_row *rows, char *base)
{
    for (const struct fr_conf_row *row = rows; row->key != NULL; row++) {
        char *member = base + row->at;
        char *p = NULL;
        size_t n = 0;
        if (row->type == FR_T_GROUP) release(row->rows, member);
        if (row->type == FR_T_CUSTOM && row->release != NULL) row->release(member);
        if (row->type == FR_T_STRING || row->type == FR_T_PATH) {
            memcpy(&p, member, sizeof p);
            fr_secret_free(p, p != NULL ? strlen(p) : 0);
        }
        if (row->type != FR_T_STRINGS && row->type != FR_T_LIST) continue;
        memcpy(&p, member, sizeof p);
        memcpy(&n, base + row->count_at, sizeof n);
        for (size_t i = 0; i < n && row->type == FR_T_LIST; i++)
            release(row->rows, p + i * row->size);
        for (size_t i = 0; i < n && row->type == FR_T_STRINGS; i++)
            fr_free(((char **)(void *)p)[i]);
        fr_free(p);
    }
}

void fr_conf_free(const struct fr_conf_schema *schema, void *conf)
{
    if (conf == NULL) return;
    release(schema->rows, conf);
    fr_secret_zero(conf, schema->size);
}

/* Fills a fresh struct and only then the caller's. */
static enum fr_err load_tree(const struct fr_conf_schema *schema, const struct load *l,
                             const struct fr_node *root, void *out)
{
    enum fr_err err = FR_E_NOMEM;
    char *fresh = fr_calloc(1, schema->size);

    if (fresh == NULL) return err;
    err = fill(l, schema->rows, root, fresh);
    if (err) {
        release(schema->rows, fresh);
    } else {
        memcpy(out, fresh, schema->size);
    }
    fr_secret_free(fresh, schema->size);
    return err;
}

enum fr_err fr_conf_parse(const struct fr_conf_schema *schema, const char *path,
                          struct fr_span text, struct fr_diag *diag, void *out)
{
    struct load l = {path, diag};
    struct fr_node *root = NULL;
    struct fr_node empty = {.kind = FR_NODE_MAP, .line = 1, .column = 1};
    enum fr_err err = fr_node_parse(path, text, diag, &root);

    if (err) return err;
    if (root != NULL && root->kind != FR_NODE_MAP && !root->is_null) {
        err = at_value(
            &l, root,
            fr_diag_fail(diag, FR_E_CONFIG, "the file must be a mapping, \"key: value\" lines"));
    } else {
        err = load_tree(schema, &l, root != NULL && root->kind == FR_NODE_MAP ? root : &empty, out);
    }
    fr_node_free(root);
    return err;
}

enum fr_err fr_conf_load(const struct fr_conf_schema *schema, const char *path,
                         struct fr_diag *diag, void *out)
{
    struct fr_buf text = FR_BUF_INIT(MAX_FILE);
    enum fr_err err;

    err = schema->is_private ? fr_file_read_private(path, diag, &text)
                             : fr_file_read(path, diag, &text);
    if (!err) err = fr_conf_parse(schema, path, fr_buf_span(&text), diag, out);
    fr_buf_deinit_secret(&text);
    return err;
}

enum fr_err fr_conf_defaults(const struct fr_conf_schema *schema, void *out)
{
    struct load l = {"", NULL};

    return load_tree(schema, &l, NULL, out);
}
