/* Inside of enrol/toml.h: the definitions of a document, and the reader that adds to them.
 *
 * Owns     See enrol/toml.h. Threads: one. */
#pragma once

#include "base/buf.h"
#include "enrol/toml.h"

#define FR_TOML_PATH 512
#define FR_TOML_DEPTH 32

enum fr_toml_origin { FR_TOML_BY_HEADER, FR_TOML_BY_LONGER_HEADER, FR_TOML_BY_KEY };

struct fr_toml_def {
    struct fr_toml_entry entry;
    enum fr_toml_origin origin;
    unsigned n_items; /* FR_TOML_TABLES */
    size_t next;      /* in its bucket; n: none */
};

struct fr_toml {
    struct fr_toml_def *defs;
    size_t n, room;
    size_t *buckets;
    char **files;
    size_t n_files;
    size_t bytes;
    char table[FR_TOML_PATH]; /* that keys go into; "" is the top */
};

struct fr_toml_def *fr_toml_lookup(const struct fr_toml *toml, const char *path);

/* Adds a definition; the path must be free. *out may be NULL. It moves when another is added. */
enum fr_err fr_toml_define(struct fr_toml *toml, const char *path, enum fr_toml_kind kind,
                           enum fr_toml_origin origin, struct fr_span value, unsigned line,
                           struct fr_diag *diag);

/* The text of one file into the document. */
enum fr_err fr_toml_read(struct fr_toml *toml, struct fr_span text, struct fr_diag *diag);

/* Whether a word is a number, a date, a time or a boolean. */
bool fr_toml_is_scalar(const char *word);
