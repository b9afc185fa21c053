#pragma once
/* Configuration files: a table of rows says what YAML keys a program knows, where they go and
 * what they mean.
 *
 * Model: one static array of rows per program; a row = key, type, place in the program's struct,
 * default, bounds, help. GROUP is a nested mapping into a nested struct, LIST a sequence of
 * mappings into a growable array of structs. Load is parse into a fresh struct, then copy to the
 * caller's: a bad file changes nothing.
 * Owns: strings and arrays inside the loaded struct; fr_conf_free gives them back.
 * Errors: FR_E_CONFIG with file:line:column and the nearest known key in diag; FR_E_NOMEM; those
 * of reading the file.
 * Units and limits: durations are ms, sizes bytes; file at most 16 MiB, 16 levels, no anchors,
 * aliases, tags or second document.
 * Trust: user's bytes. Cross-checks of two keys are the program's, after load. */

#include "base/addr.h"
#include "base/buf.h"
#include "base/diag.h"

enum fr_conf_type {
    FR_T_BOOL,     /* bool */
    FR_T_UINT,     /* an unsigned integer of any width; min and max apply */
    FR_T_SIZE,     /* the same, "64MiB" */
    FR_T_DURATION, /* the same, "2s" → ms */
    FR_T_STRING,   /* char *, NULL when absent; max = longest (0: 4096) */
    FR_T_PATH,     /* char *, relative to the folder of the file */
    FR_T_ENUM,     /* an int or enum, by word */
    FR_T_IP,       /* struct fr_ip */
    FR_T_ADDR,     /* struct fr_addr; min = default port (0: the port must be given) */
    FR_T_STRINGS,  /* char ** and count; a scalar stands for a list of one; max items (0: 256) */
    FR_T_CUSTOM,   /* scalar given to parse() */
    FR_T_GROUP,    /* nested struct by rows */
    FR_T_LIST,     /* pointer to an array of structs and count, by rows; max items (0: 256) */
};

enum {
    FR_CONF_REQUIRED = 1, /* absent is an error (for lists: at least one) */
    FR_CONF_SECRET = 2,   /* its value is never quoted in a message */
    /* GROUP, LIST: a scalar stands for a mapping with only the first row's key, and a LIST may be
     * one mapping or scalar without the dash */
    FR_CONF_SHORT = 4,
    FR_CONF_LINE = 8, /* LIST: every item learns where it begins in the file, for later checks */
};

struct fr_conf_word {
    const char *word;
    int value;
};

struct fr_conf_row {
    const char *key;
    enum fr_conf_type type;
    size_t at;       /* offset; FR_CONF_AT fills at and size */
    size_t size;     /* of the member, or of one item for STRINGS and LIST */
    size_t count_at; /* STRINGS, LIST: of a size_t; FR_CONF_ARRAY fills all three */
    size_t line_at;  /* LINE: of a uint32_t in the item */
    /* the default as it would be written; NULL = zero. Not for STRINGS, LIST, GROUP */
    const char *def;
    uint64_t min, max; /* max 0 = what the type allows */
    unsigned flags;
    const struct fr_conf_word *words; /* ENUM; ends with {NULL, 0} */
    const struct fr_conf_row *rows;   /* GROUP, LIST; ends with {NULL} */
    /* CUSTOM; fills diag on failure */
    enum fr_err (*parse)(struct fr_span text, void *member, struct fr_diag *diag);
    /* CUSTOM; frees what parse made; may be NULL */
    void (*release)(void *member);
    const char *help; /* one line */
};

#define FR_CONF_AT(type_, member_)                                                                 \
    .at = offsetof(type_, member_), .size = sizeof(((type_ *)0)->member_)
#define FR_CONF_ARRAY(type_, member_, count_)                                                      \
    .at = offsetof(type_, member_), .size = sizeof(*((type_ *)0)->member_),                        \
    .count_at = offsetof(type_, count_)

struct fr_conf_schema {
    const char *title;              /* "broker.yaml" */
    const char *summary;            /* what is in it: one line for its manual page */
    size_t size;                    /* of the program's struct */
    bool is_private;                /* the file must be readable by its owner only */
    const struct fr_conf_row *rows; /* ends with {NULL} */
};

/* Reads the file into `out` (schema->size bytes, whatever it held is overwritten, not freed).
 * Untouched on failure. */
enum fr_err fr_conf_load(const struct fr_conf_schema *schema, const char *path,
                         struct fr_diag *diag, void *out);

/* The same from text in memory; `path` is used in messages and for relative paths. */
enum fr_err fr_conf_parse(const struct fr_conf_schema *schema, const char *path,
                          struct fr_span text, struct fr_diag *diag, void *out);

/* Every default, as an empty file would give; REQUIRED is not checked. */
enum fr_err fr_conf_defaults(const struct fr_conf_schema *schema, void *out);

/* Frees what loading allocated and zeroes the struct. A zeroed struct is legal. */
void fr_conf_free(const struct fr_conf_schema *schema, void *conf);

/* The reference page (Markdown) made from the rows. */
enum fr_err fr_conf_reference(const struct fr_conf_schema *schema, struct fr_buf *out);
