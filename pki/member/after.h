/* What is run after certificates changed (--exec), in its time of the day.
 *
 * Model    <folder>/served names the certificates that the command was run for last; when others are in
 *          use, it is due. So a program that was ended in between runs it later, and never twice for one.
 * Owns     Nothing. Threads: one. Errors: FR_E_BUSY: it is not the time; those of programs and files. */
#pragma once

#include "enrol/pairs.h"

/* Says that the present certificates are served already (after join). */
enum fr_err fr_after_mark(const char *folder, const struct fr_pairs *pairs, struct fr_diag *diag);

/* Runs entry->exec if it is due. *ran tells. */
enum fr_err fr_after_run(const char *folder, const struct fr_wallet_entry *entry,
                         const struct fr_pairs *pairs, int64_t now_s, struct fr_diag *diag,
                         bool *ran);
