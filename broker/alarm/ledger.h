#pragma once
/*
 * From what is wrong now to the notices that are kept: what is new, what has become worse, what is mended.
 *
 * Model: a reckoning compares a survey's conditions with the rows of the store. A row's stage rises with its condition; it falls only when
 *   the clock went back by more than FR_STAGE_SLACK_S. A row whose condition is gone goes, but for what merely happened, which is kept
 *   for a day after it was last seen. A stage that is new begins untold and unacknowledged.
 * Owns: nothing; borrows the conditions. Threads: the change's. Errors: the store's.
 * Units and limits: about FR_LEDGER_AT_ONCE rows a change, which is what one journal record has room for.
 */
#include "alarm/survey.h"

#define FR_LEDGER_AT_ONCE 150

/* A stage begins; row NULL: it is mended. Told before the change is on disk. */
typedef void (*fr_ledger_fn)(void *data, const char *id, const struct fr_notice_row *row);

struct fr_ledger {
    fr_ledger_fn noted; /* NULL: nobody wants to know */
    void *data;
    const struct fr_condition *conditions; /* in the order of their ids */
    size_t n;
    size_t raised, cleared; /* so far */
    size_t no_room;         /* of the last part: those that FR_NOTICES_MAX rows left out */
};

/* One part of the work, in this change; *done: there was nothing more to do. Of a ledger that begins only conditions, n, noted and data are set. */
enum fr_err fr_ledger_reckon(struct fr_ledger *ledger, struct fr_change *change,
                             struct fr_diag *diag, bool *done);
