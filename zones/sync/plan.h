#pragma once
/*
 * What has to be done so that a broker has what a network server has: the differences of two sorted lists of any length.
 *
 * Model: two streams of DevEUIs, ascending, are read side by side; what only one of them has is written to a file without a name. A
 *   plan is complete before anything is sent, so that what it would withdraw can be looked at first; then it is read from its start.
 * Owns: its file, until freed. Threads: one; blocks on the streams and the file.
 * Errors: those of the streams; FR_E_MALFORMED (a stream that does not ascend), FR_E_IO, FR_E_NOMEM.
 * Units and limits: 9 bytes of disk for each difference; constant memory.
 */
#include "base/diag.h"

#include <stdbool.h>
#include <stdint.h>

#define FR_SYNC_EXAMPLES 5

/* The next DevEUI; FR_E_CLOSED: there is none. */
typedef enum fr_err (*fr_sync_stream_fn)(void *data, struct fr_diag *diag, uint64_t *deveui);

struct fr_sync_plan;

struct fr_sync_report {
    uint64_t wanted, had, put, withdrawn;
    uint64_t put_examples[FR_SYNC_EXAMPLES], withdrawn_examples[FR_SYNC_EXAMPLES];
};

enum fr_err fr_sync_plan_make(fr_sync_stream_fn wanted, void *wanted_data, fr_sync_stream_fn had,
                              void *had_data, struct fr_diag *diag, struct fr_sync_plan **out);
void fr_sync_plan_free(struct fr_sync_plan *plan); /* NULL is fine */
const struct fr_sync_report *fr_sync_plan_report(const struct fr_sync_plan *plan);

/* Would it withdraw more than so many percent of what is there? */
bool fr_sync_plan_is_held(const struct fr_sync_plan *plan, uint32_t max_percent);

/* The differences, ascending; FR_E_CLOSED: no more. */
enum fr_err fr_sync_plan_next(struct fr_sync_plan *plan, bool *is_put, uint64_t *deveui);
