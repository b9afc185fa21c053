/* What is run when the network server has something new to read (--exec), in its time of the day.
 *
 * Model    <folder>/served says what the command was run for last: certificates, and the server's list of
 *          networks. When they are others now, it is due: once for however many changes, and also
 *          when a program was ended in between.
 * Owns     Nothing. Threads: one. Errors: FR_E_BUSY: it is not the time; those of programs and files. */
#pragma once

#include "enrol/pairs.h"

struct fr_after {
    const char *folder; /* <wallet>/<fed> */
    const struct fr_wallet_entry *entry;
    const struct fr_pairs *pairs; /* as they are now */
};

/* Says that what there is now is served already. */
enum fr_err fr_after_mark(const struct fr_after *after, struct fr_diag *diag);

bool fr_after_is_due(const struct fr_after *after);

/* Runs entry->exec, which is due. */
enum fr_err fr_after_run(const struct fr_after *after, int64_t now_s, struct fr_diag *diag);
