#pragma once
/*
 * Inside of the engine: what of a task goes into the audit trail, and what may not happen without.
 *
 * Model: before a task runs, *ready* asks whether it could be recorded; before it signs, *intent*
 *   adds a line; when it is over, *outcome* adds one. Lines count once they are synced. A
 *   signature leaves this process only after that (fr_record_release).
 * Errors: FR_E_UNAVAILABLE: the trail cannot be written. FR_E_BUSY: the clock went back.
 */

#include "admin/fed.h"
#include "admin/task.h"

/* May this task begin? */
enum fr_err fr_record_ready(struct fr_admin_fed *fed, struct fr_task *task);

/* May anything be issued at this time? Looks at the latest time at which anything was done. */
enum fr_err fr_record_check_clock(struct fr_admin_fed *fed, int64_t now_s, struct fr_diag *diag);

/* Adds the line that comes before a signature; the task's diag is filled on failure. */
enum fr_err fr_record_intent(struct fr_admin_fed *fed, struct fr_task *task);
enum fr_err fr_record_sync(struct fr_admin_fed *fed, struct fr_diag *diag);

/* Adds the last line of a task whose err, diag and result are set. */
void fr_record_outcome(struct fr_admin_fed *fed, struct fr_task *task);

/* Brings the outcomes to disk and ends the tasks. What was signed and could not be recorded is
 * refused now: nobody gets it. */
void fr_record_release(struct fr_admin_fed *fed, struct fr_task *const *tasks, size_t n);
