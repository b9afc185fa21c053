#pragma once
/*
 * What is taken in during one transfer: devices for each NetID, what is left out, and at the end the task for the writer.
 *
 * Model: begin → fr_intake_record as dns/xfr.h's call-back → after the last record fr_intake_finish in parts → fr_intake_task.
 *   Nothing of it is seen by anybody before the writer runs the task.
 * Owns: lists (in memory, then in files of the state directory) and changes, until deinit. Borrows the row.
 * Threads: the loop's. Errors: FR_E_CONFLICT, FR_E_LIMIT: only a full transfer can tell; others as store/list.h.
 */
#include "admin/engine.h"
#include "store/list.h"
#include "xfr/fold.h"
#include "xfr/form.h"

struct fr_intake {
    struct fr_store *store;
    const struct fr_primary_row *row;
    struct fr_dname zone;
    const struct fr_xfr *xfr;
    struct fr_list *lists[FR_PRIMARY_NETIDS_MAX];
    size_t finished; /* lists that are */
    struct fr_fold fold;
    struct fr_transfer_change *changes;
    size_t n_changes;
    struct fr_primary_left left;
    uint64_t left_out;
    bool is_full;
    bool is_plain; /* afterwards */
    struct fr_diag diag;
};

enum fr_err fr_intake_init(struct fr_intake *intake, struct fr_store *store,
                           const struct fr_primary_row *row, const struct fr_xfr *xfr);
enum fr_err fr_intake_record(void *data, enum fr_xfr_part part, const struct fr_xfr_record *record);
/* After the transfer's end. `old` is the state so far. */
enum fr_err fr_intake_finish(struct fr_intake *intake, const struct fr_primary_state *old,
                             unsigned budget_ms, bool *done);
/* `state` is the one to be written; its part about the set is filled in here. */
enum fr_err fr_intake_task(struct fr_intake *intake, struct fr_primary_state *state,
                           const struct fr_admin_actor *actor, struct fr_diag *diag,
                           struct fr_task **out);
void fr_intake_deinit(struct fr_intake *intake); /* zeroed is legal */

/* A task with state, list and changes as its body. `args` is a JSON object. */
enum fr_err fr_intake_submit_form(const char *op, const char *args,
                                  const struct fr_primary_state *state,
                                  const struct fr_primary_left *left,
                                  const struct fr_transfer_change *changes, size_t n,
                                  const struct fr_admin_actor *actor, struct fr_diag *diag,
                                  struct fr_task **out);
