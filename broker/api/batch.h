#pragma once
/*
 * POST /api/v1/devices:batch: a member's devices, line by line, any number up to FR_API_BATCH_LINES, in bounded memory.
 *
 * Model: lines (api/line.h) are read as they come and handed to the writer in parts (admin/batch.h), one at a time; meanwhile the
 *   next part is read, and when it is full the connection is held. A part has what came while the one before was written, at least
 *   FR_BATCH_ROWS lines and at most FR_BATCH_PART: the busier the disk, the longer, and long parts write less to it. When the last part
 *   is on disk the answer is sent, one line for each (api/results.h). With an Idempotency-Key what was done of an earlier request with
 *   that key is not done again: its results are told again, if its lines were the same.
 * Owns: a batch lives until it is answered or its peer is gone and the writer is done with it.
 * Threads: the worker's. Errors: every batch is answered while there is somebody to answer.
 * Units and limits: FR_API_BATCH_LINES lines of FR_API_LINE_MAX bytes; FR_API_BATCHES of a member at once, each with up to two parts and
 *   a letter for each line in memory.
 * Trust: all of it is a member's.
 */
#include "api/api.h"

#define FR_API_BATCH_PATH "/api/v1/devices:batch"
#define FR_API_BATCH_LINES 1000000
#define FR_API_LINE_MAX 512
#define FR_API_BATCHES 2
#define FR_API_KEY_MAX 128

/* The head of such a request, its body to come: takes the body, or answers. */
void fr_api_batch_head(struct fr_api *api, struct fr_http_exchange *x);
