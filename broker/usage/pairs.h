#pragma once
/*
 * How often one worker's members found devices of each network: counted by the worker without a
 * lock, read by another thread while it counts.
 *
 * Model: a fixed table of pairs (account, NetID) whose counts only grow. A reader is told what came
 *   since it read last.
 * Owns: the table. Threads: count is for one thread, read for one other (or the same) at a time.
 * Errors: FR_E_NOMEM. When the table is full further pairs are not counted; how often is.
 * Units and limits: FR_PAIRS_MAX pairs, 24 octets each, touched as they are used.
 */
#include <stdint.h>

#include "base/err.h"

#define FR_PAIRS_MAX 12288

struct fr_pairs;

enum fr_err fr_pairs_new(struct fr_pairs **out);
void fr_pairs_free(struct fr_pairs *pairs);

void fr_pairs_count(struct fr_pairs *pairs, uint32_t account, uint32_t netid);

typedef void (*fr_pairs_fn)(void *data, uint32_t account, uint32_t netid, uint64_t more);
void fr_pairs_read(struct fr_pairs *pairs, fr_pairs_fn fn, void *data);

uint64_t fr_pairs_lost(struct fr_pairs *pairs);
