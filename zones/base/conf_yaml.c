/* YAML text → tree, within limits. The only file that knows libyaml. */
#include "base/conf_internal.h"

#include "base/mem.h"

#include <string.h>
#include <yaml.h>

enum { MAX_DEPTH = 16, MAX_NODES = 1000000, MAX_KEYS = 256, MAX_KEY_LENGTH = 128 };

struct builder {
    yaml_parser_t parser;
    const char *path;
    struct fr_diag *diag;
    struct fr_node *root;
    struct fr_node *open[MAX_DEPTH]; /* from the root to the innermost open mapping or list */
    size_t depth;
    size_t n_nodes;
    char *key; /* read, waiting for its value */
    size_t key_line, key_column;
};

static enum fr_err fail_at(const struct builder *b, const yaml_mark_t *mark, const char *what)
{
    enum fr_err err = fr_diag_fail(b->diag, FR_E_CONFIG, "%s", what);
    fr_diag_where(b->diag, b->path, mark->line + 1, mark->column + 1);
    return err;
}

void fr_node_free(struct fr_node *node)
{
    while (node != NULL) { /* siblings in a loop: only nesting, which is limited, recurses */
        struct fr_node *next = node->next;
        fr_node_free(node->first);
        fr_free(node->key);
        fr_secret_free(node->text, node->text_n); /* any value may be a secret */
        fr_free(node);
        node = next;
    }
}

/* Hangs a node under the innermost open one. It is the tree's from here on, also when an error
 * follows. */
static enum fr_err attach(struct builder *b, const yaml_event_t *event, enum fr_node_kind kind,
                          struct fr_node **out)
{
    struct fr_node *parent = b->depth > 0 ? b->open[b->depth - 1] : NULL;

    if (++b->n_nodes > MAX_NODES)
        return fail_at(b, &event->start_mark, "the file has too many values");
    struct fr_node *node = fr_calloc(1, sizeof *node);
    if (node == NULL) return FR_E_NOMEM;
    node->kind = kind;
    node->line = event->start_mark.line + 1;
    node->column = event->start_mark.column + 1;
    node->key = b->key;
    node->key_line = b->key_line;
    node->key_column = b->key_column;
    b->key = NULL;
    if (parent == NULL) {
        b->root = node;
    } else {
        if (parent->last != NULL) {
            parent->last->next = node;
        } else {
            parent->first = node;
        }
        parent->last = node;
        parent->n_children++;
    }
    *out = node;
    return FR_OK;
}

static bool expects_key(const struct builder *b)
{
    return b->depth > 0 && b->open[b->depth - 1]->kind == FR_NODE_MAP && b->key == NULL;
}

static enum fr_err take_key(struct builder *b, const yaml_event_t *event)
{
    const struct fr_node *map = b->open[b->depth - 1];
    const char *text = (const char *)event->data.scalar.value;
    size_t n = event->data.scalar.length;

    if (n == 0 || n > MAX_KEY_LENGTH || memchr(text, 0, n) != NULL) {
        return fail_at(b, &event->start_mark, "a key is a word");
    }
    if (map->n_children == MAX_KEYS)
        return fail_at(b, &event->start_mark, "the mapping has too many keys");
    for (const struct fr_node *c = map->first; c != NULL; c = c->next) {
        if (strcmp(c->key, text) != 0) continue;
        enum fr_err err =
            fr_diag_fail(b->diag, FR_E_CONFIG, "the key %s stands twice in one mapping", text);
        fr_diag_where(b->diag, b->path, event->start_mark.line + 1, event->start_mark.column + 1);
        fr_diag_hint(b->diag, "the first is in line %zu", c->key_line);
        return err;
    }
    b->key = fr_strndup(text, n);
    b->key_line = event->start_mark.line + 1;
    b->key_column = event->start_mark.column + 1;
    return b->key != NULL ? FR_OK : FR_E_NOMEM;
}

static enum fr_err take_scalar(struct builder *b, const yaml_event_t *event)
{
    const char *text = (const char *)event->data.scalar.value;
    size_t n = event->data.scalar.length;
    struct fr_node *node = NULL;

    if (event->data.scalar.anchor != NULL)
        return fail_at(b, &event->start_mark, "anchors are not accepted");
    if (event->data.scalar.tag != NULL)
        return fail_at(b, &event->start_mark, "tags are not accepted");
    if (expects_key(b)) return take_key(b, event);
    enum fr_err err = attach(b, event, FR_NODE_SCALAR, &node);
    if (err) return err;
    node->text = fr_malloc(n + 1);
    if (node->text == NULL) return FR_E_NOMEM;
    memcpy(node->text, text, n);
    node->text[n] = '\0';
    node->text_n = n;
    node->is_null = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
                    (n == 0 || strcmp(text, "~") == 0 || strcmp(text, "null") == 0);
    return FR_OK;
}

static enum fr_err open_nested(struct builder *b, const yaml_event_t *event, enum fr_node_kind kind)
{
    bool is_map = kind == FR_NODE_MAP;
    const void *anchor =
        is_map ? event->data.mapping_start.anchor : event->data.sequence_start.anchor;
    const void *tag = is_map ? event->data.mapping_start.tag : event->data.sequence_start.tag;
    struct fr_node *node = NULL;

    if (anchor != NULL) return fail_at(b, &event->start_mark, "anchors are not accepted");
    if (tag != NULL) return fail_at(b, &event->start_mark, "tags are not accepted");
    if (expects_key(b)) return fail_at(b, &event->start_mark, "a key is a word");
    if (b->depth == MAX_DEPTH) return fail_at(b, &event->start_mark, "nested too deeply");
    enum fr_err err = attach(b, event, kind, &node);
    if (err) return err;
    b->open[b->depth++] = node;
    return FR_OK;
}

static enum fr_err take_event(struct builder *b, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT: return take_scalar(b, event);
    case YAML_MAPPING_START_EVENT: return open_nested(b, event, FR_NODE_MAP);
    case YAML_SEQUENCE_START_EVENT: return open_nested(b, event, FR_NODE_LIST);
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT: b->depth--; return FR_OK;
    case YAML_ALIAS_EVENT: return fail_at(b, &event->start_mark, "aliases are not accepted");
    case YAML_DOCUMENT_START_EVENT:
        if (b->root != NULL)
            return fail_at(b, &event->start_mark, "a second document is not accepted");
        return FR_OK;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT: return FR_OK;
    }
    return FR_E_INTERNAL;
}

static enum fr_err parser_error(const struct builder *b)
{
    const yaml_parser_t *p = &b->parser;

    if (p->error == YAML_MEMORY_ERROR) return FR_E_NOMEM;
    enum fr_err err = fr_diag_fail(b->diag, FR_E_CONFIG, "not YAML: %s",
                                   p->problem != NULL ? p->problem : "unreadable");
    if (p->error == YAML_READER_ERROR) { /* a byte offset, no line */
        fr_diag_where(b->diag, b->path, 0, 0);
        fr_diag_hint(b->diag, "at byte %zu", p->problem_offset);
    } else {
        fr_diag_where(b->diag, b->path, p->problem_mark.line + 1, p->problem_mark.column + 1);
    }
    return err;
}

enum fr_err fr_node_parse(const char *path, struct fr_span yaml, struct fr_diag *diag,
                          struct fr_node **out)
{
    struct builder b = {.path = path, .diag = diag};
    enum fr_err err = FR_OK;
    bool is_end = false;

    if (!yaml_parser_initialize(&b.parser)) return FR_E_NOMEM;
    yaml_parser_set_input_string(&b.parser, yaml.n > 0 ? yaml.p : (const uint8_t *)"", yaml.n);
    while (!err && !is_end) {
        yaml_event_t event;
        if (!yaml_parser_parse(&b.parser, &event)) {
            err = parser_error(&b);
            break;
        }
        is_end = event.type == YAML_STREAM_END_EVENT;
        err = take_event(&b, &event);
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&b.parser);
    fr_free(b.key);
    if (err) {
        fr_node_free(b.root);
    } else {
        *out = b.root;
    }
    return err;
}
