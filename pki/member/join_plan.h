/* What `fedroam join` was asked for: the token, the options, and what an earlier run left.
 *
 * Model    The entry of the wallet as it shall be: options given now, else what the entry says already,
 *          else defaults. Everything that can be refused without asking the federation is refused here.
 * Owns     The entry; fr_join_plan_free. It holds the token's secret.
 * Threads  Not for threaded programs.
 * Errors   FR_E_USAGE, FR_E_MALFORMED (token), FR_E_INVALID (option), FR_E_CONFLICT (network server's
 *          configuration), FR_E_NET (no address). */
#pragma once

#include "enrol/join.h"
#include "member_cli/place.h"

struct fr_join_plan {
    char dir[FR_WALLET_PATH], folder[FR_WALLET_PATH];
    struct fr_ticket ticket;
    struct fr_wallet_entry *entry;
    struct fr_est_place place;
    uid_t owners[FR_WALLET_PROFILES];
    uint32_t wait_s;
};

enum fr_err fr_join_plan_make(const struct fr_cli *cli, struct fr_diag *diag,
                              struct fr_join_plan *out);
void fr_join_plan_free(struct fr_join_plan *plan);
