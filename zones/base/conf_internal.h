#pragma once
/* What the files of conf share: the tree a YAML text becomes, and the storing of one scalar. Not
 * for other libraries. */

#include "base/conf.h"

enum fr_node_kind { FR_NODE_SCALAR, FR_NODE_MAP, FR_NODE_LIST };

/* A value, with the key it stands under when its parent is a mapping. Children are a list in the
 * order of the file. */
struct fr_node {
    enum fr_node_kind kind;
    bool is_null; /* nothing, "~" or "null" without quotes */
    size_t line, column;
    char *key;
    size_t key_line, key_column;
    char *text; /* SCALAR: text_n bytes and a terminator */
    size_t text_n;
    struct fr_node *first, *last, *next;
    size_t n_children;
};

/* The tree of one document, or *out = NULL for an empty one. FR_E_CONFIG with the place in diag;
 * FR_E_NOMEM. */
enum fr_err fr_node_parse(const char *path, struct fr_span yaml, struct fr_diag *diag,
                          struct fr_node **out);
void fr_node_free(struct fr_node *node);

/* Stores a scalar into a zeroed member as its row says. On failure the member holds nothing to
 * free and diag holds what is wrong, without the place. `file` is what relative paths are
 * beside. */
enum fr_err fr_conf_store(const struct fr_conf_row *row, const char *file, struct fr_span text,
                          struct fr_diag *diag, void *member);

/* "a duration, 1s to 1h": what a row takes. `quote` stands on both sides of a word that is written so. */
void fr_conf_describe(struct fr_buf *out, const struct fr_conf_row *row, const char *quote);

/* "a duration", "true or false": for messages and the reference. */
const char *fr_conf_type_text(enum fr_conf_type type);
