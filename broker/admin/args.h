#pragma once
/*
 * The arguments of an operation: one JSON object, decoded strictly by a table of rows into the
 * operation's own struct.
 *
 * Model: a row = key, type, place in the struct, whether it must be there, bounds. Every member of
 *   the object must have a row.
 * Owns: texts are borrowed from the JSON value; arrays are owned by the struct until fr_args_free.
 * Threads: any; no shared state.
 * Errors: FR_E_INVALID with a diag that names the member and says what was expected; FR_E_NOMEM.
 * Units and limits: a text at most `max` bytes (0: FR_ARG_TEXT_MAX), a list at most `max` items (0:
 *   FR_ARG_LIST_MAX).
 * Trust: the object is an outsider's. Texts are UTF-8 without control characters.
 */

#include "base/diag.h"
#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FR_ARG_TEXT_MAX 1024
#define FR_ARG_LIST_MAX 10000

enum fr_arg_type {
    FR_ARG_TEXT,   /* const char *, NULL when absent */
    FR_ARG_TEXTS,  /* struct fr_arg_texts */
    FR_ARG_BOOL,   /* bool, false when absent */
    FR_ARG_UINT,   /* struct fr_arg_number, a JSON integer in [min, max] */
    FR_ARG_NETID,  /* struct fr_arg_number, text */
    FR_ARG_NETIDS, /* struct fr_arg_numbers, list of texts */
    FR_ARG_EUI,    /* struct fr_arg_number, text */
    FR_ARG_EUIS,   /* struct fr_arg_numbers, list of texts */
    FR_ARG_SERIAL, /* struct fr_arg_serial, 32 hex digits, colons allowed */
    FR_ARG_PAIRS,  /* struct fr_arg_pairs, an object of texts */
};

struct fr_arg_number {
    uint64_t value;
    bool is_set;
};

struct fr_arg_numbers {
    uint64_t *items;
    size_t n;
    bool is_set;
};

struct fr_arg_texts {
    const char **items;
    size_t n;
    bool is_set;
};

struct fr_arg_serial {
    uint8_t b[16];
    bool is_set;
};

struct fr_arg_pairs {
    const char **keys;
    const char **values;
    size_t n;
};

struct fr_arg {
    const char *key;
    enum fr_arg_type type;
    size_t at; /* offset in the operation's struct */
    bool is_required;
    uint64_t min, max;
};

/*
 * Decodes `object` by `rows` (ended by a NULL key) into `out`, a zeroed struct. On failure too,
 * fr_args_free(rows, out) releases what was decoded.
 */
enum fr_err fr_args_decode(const struct fr_arg *rows, const json_t *object, struct fr_diag *diag,
                           void *out);
void fr_args_free(const struct fr_arg *rows, void *out);
