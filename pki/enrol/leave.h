/* Telling a federation that this machine leaves it.
 *
 * Owns     Nothing. Threads: one; blocks.
 * Errors   FR_E_AUTH, FR_E_DENIED (revoked or over already), FR_E_NET, FR_E_TIMEOUT …; diag says what.
 * Trust    The answer is the broker's, whose certificate was verified. */
#pragma once

#include "enrol/pairs.h"

/* What went, or in a dry run would go. */
struct fr_leave_result {
    uint64_t devices, certificates;
};

/* Shows the pair's certificate: it and its predecessors end, and the devices of its network when no
 * other machine speaks for it. */
enum fr_err fr_leave_ask(const char *folder, const struct fr_wallet_entry *entry,
                         const struct fr_pair *pair, bool is_dry, struct fr_diag *diag,
                         struct fr_leave_result *out);

/* How far an earlier run came (FR_WALLET_LEAVING) is forgotten: it was not begun, or is joined again. */
void fr_leave_forget(const char *folder);
