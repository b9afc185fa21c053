#pragma once
/*
 * The answer to a batch: one line of JSON for each line of it, made while it is sent. Pure.
 *
 * Model: from a letter for each line (admin/batch.h): {"line":1,"status":201,"result":"added"}. A handle owns the letters; what it
 *   writes has the length that fr_api_results_length said.
 */
#include "base/buf.h"

struct fr_api_results;

/* Takes the letters out of `letters`. NULL: no memory (the letters stay). */
struct fr_api_results *fr_api_results_new(struct fr_buf *letters);
void fr_api_results_free(void *results); /* NULL is fine */

uint64_t fr_api_results_length(const struct fr_api_results *results);

/* The next n bytes, of all that fr_api_results_length said. */
void fr_api_results_fill(void *results, uint8_t *p, size_t n);
