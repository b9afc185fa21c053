/* TOML, read as strictly as the network servers that are configured with it read it.
 *
 * Model    A document is fed file by file, as if they were one text: what is defined twice over all
 *          of them is an error that names both places. Afterwards values are found by dotted path
 *          ("network.net_id"); items of arrays of tables are numbered ("roaming.servers.0.net_id").
 *          Texts and booleans are kept, other values are checked for their form and kept as written;
 *          arrays and inline tables are checked and have no value here.
 * Owns     The document owns copies; free with fr_toml_free.
 * Threads  One at a time.
 * Errors   FR_E_MALFORMED with file:line; FR_E_CONFLICT (defined twice) naming both; FR_E_LIMIT.
 * Limits   FR_TOML_MAX bytes over all files, FR_TOML_ENTRIES definitions, 32 levels, keys below 512
 *          bytes as a dotted path.
 * Trust    The administrator's bytes.
 * See      TOML 1.0.0 */
#pragma once

#include "base/diag.h"
#include "base/err.h"
#include "base/span.h"

#define FR_TOML_MAX (8 * 1024 * 1024)
#define FR_TOML_ENTRIES 100000

struct fr_toml;

enum fr_toml_kind {
    FR_TOML_TEXT,   /* value: its characters */
    FR_TOML_SCALAR, /* number, boolean, date: as written */
    FR_TOML_VALUE,  /* array or inline table: no value kept */
    FR_TOML_TABLE,  /* [header], or made by a longer one */
    FR_TOML_TABLES, /* [[header]] */
};

struct fr_toml_entry {
    const char *path;
    enum fr_toml_kind kind;
    const char *value; /* "" where there is none */
    const char *file;
    unsigned line;
};

enum fr_err fr_toml_new(struct fr_toml **out);
void fr_toml_free(struct fr_toml *toml);

/* After a failure the document is of no use but to be freed. */
enum fr_err fr_toml_add(struct fr_toml *toml, const char *file, struct fr_span text,
                        struct fr_diag *diag);

/* Borrowed until the document is freed or added to; NULL when it is not there. */
const struct fr_toml_entry *fr_toml_find(const struct fr_toml *toml, const char *path);

/* Every entry, in the order of the text. */
size_t fr_toml_count(const struct fr_toml *toml);
const struct fr_toml_entry *fr_toml_at(const struct fr_toml *toml, size_t i);
