/* The end of `fedroam join`: the network server's part, renewal, and what holds from now on.
 *
 * Model    Everything said to work was looked at just before: files read back, keys opened, the look-up
 *          made. What is not done today is said with the reason, for this server only.
 * Owns     Nothing. Threads: one. Errors: those of enrol/chirpstack.h, of programs and of files. */
#pragma once

#include "member_cli/join_check.h"
#include "member_cli/place.h"
#include "member_cli/report.h"

struct fr_join_end {
    const struct fr_cli *cli;
    const char *dir;
    const struct fr_wallet_entry *entry;
    const struct fr_pair *network; /* NULL: no certificate of profile ns */
    const struct fr_join_seen *seen;
    struct fr_report *report;
    bool changed, has_server, has_timer; /* results */
};

enum fr_err fr_join_end_server(struct fr_join_end *end, struct fr_diag *diag);
enum fr_err fr_join_end_renewal(struct fr_join_end *end, struct fr_diag *diag);
