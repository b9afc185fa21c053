#pragma once
/*
 * Makes a change again that a deposed primary had made and the present one lacks.
 *
 * Model: such a change is known by its journal facts, each the state of one row after it. A fact is made good when nobody has
 *   touched that row here since the fork; else what was decided here stands. Devices go through the same rules as ever.
 *   Not made again: certificates and tokens that were issued there (issue them again; what is unknown here is refused), and
 *   imports (repeat them).
 * Errors: FR_E_CONFLICT (touched here meanwhile, or against the rules), FR_E_UNSUPPORTED (to be done by hand; the diag says
 *   how), FR_E_MALFORMED (no such row).
 * Trust: facts come from a file that an operator chose; rows are decoded before they are written.
 */
#include "store/change.h"
#include "store/journal.h"

#define FR_REAPPLY_VALUE 16384

enum fr_reapplied {
    FR_REAPPLY_SAME, /* it is so here, too */
    FR_REAPPLY_DONE,
};
const char *fr_reapplied_text(enum fr_reapplied outcome);

/* What was decided here meanwhile: the journal's records after `fork`, the last that both had, up to `until`, the last before
 * any of them was made again. */
struct fr_reapply_span {
    uint64_t fork, until;
};
enum fr_err fr_reapply(struct fr_change *change, const struct fr_fact *fact,
                       const struct fr_reapply_span *span, struct fr_diag *diag,
                       enum fr_reapplied *outcome);
