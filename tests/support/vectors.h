#pragma once
/* The LoRaWAN test vectors of tests/vectors/lorawan.json, for unit tests. A helper that does not
 * find what it needs fails the running test. */

#include "support/unit.h"

#include <jansson.h>
#include <stdbool.h>

typedef void vector_check(const char *name, const json_t *inputs, const json_t *expected);

/* Calls `check` for each vector whose name starts with the prefix; returns how many there were. */
size_t vectors_each(const char *prefix, vector_check *check);

/* The input whose key is `key`, or starts with it and a remark ("key(SNwkSIntKey)"); NULL when
 * there is none. */
const json_t *vector_find(const json_t *object, const char *key);

/* Its value: hex text as bytes (returns their number), hex text as a number, or a decimal
 * number. */
size_t vector_bytes(const json_t *object, const char *key, uint8_t *out, size_t size);
uint64_t vector_hex(const json_t *object, const char *key);
uint64_t vector_uint(const json_t *object, const char *key);
