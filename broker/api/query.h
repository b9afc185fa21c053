#pragma once
/*
 * The query of a target: "after=…&limit=100". Pure.
 *
 * Model: names and values are cut at '&' and '=', '+' stands for a blank, %XX for a byte.
 * Errors: FR_E_MALFORMED (a bad %XX, a control byte), FR_E_INVALID (a name that is not among `known`,
 *   one that is there twice), FR_E_LIMIT (a value longer than FR_QUERY_VALUE).
 * Trust: a peer's bytes.
 */

#include "base/diag.h"
#include "base/span.h"

#define FR_QUERY_NAMES 8
#define FR_QUERY_VALUE 1024

/* One value: fr_query_read fills those whose name is there. */
struct fr_query_value {
    const char *name; /* NULL ends the list */
    bool is_set;
    char text[FR_QUERY_VALUE + 1];
};

enum fr_err fr_query_read(struct fr_span query, struct fr_query_value *known, struct fr_diag *diag);

/* A whole number in [min, max]; `absent` when it is not there. FR_E_INVALID. */
enum fr_err fr_query_uint(const struct fr_query_value *value, uint64_t min, uint64_t max,
                          uint64_t absent, struct fr_diag *diag, uint64_t *out);

/* "true" or "false"; false when it is not there. FR_E_INVALID. */
enum fr_err fr_query_bool(const struct fr_query_value *value, struct fr_diag *diag, bool *out);
