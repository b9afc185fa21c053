/* One round of `fedroam renew`: what is due is renewed, the network server's list follows the federation, and
 * what is to be run afterwards is run.
 *
 * Model    A certificate is due at its time, or when the CA that signed it signs no more. Every step looks
 *          at what is on disk, so a round that was ended anywhere is made whole by the next.
 * Owns     The report's lines (fr_report_free).
 * Threads  One; blocks. It takes the wallet's lock.
 * Errors   What keeps the whole round from being made. What fails for one federation is in `worst` and
 *          in the report, and the others go on.
 * Units    Seconds. */
#pragma once

#include "enrol/wallet.h"
#include "member_cli/report.h"

struct fr_round {
    struct fr_cli *cli;
    char dir[FR_WALLET_PATH];
    bool is_now, is_rekey, is_dry;
    bool has_key_after; /* key_after_s was given; else the federation says it */
    uint32_t key_after_s;
    uint32_t every_s; /* when the federation is asked again */
    /* results */
    int64_t now_s;
    struct fr_report report;
    bool changed;
    enum fr_err worst; /* the first failure's */
    int64_t next_s;    /* when there is something to do again; 0: nothing */
};

/* Of the federation --fed, else of all. */
enum fr_err fr_round_run(struct fr_round *round, struct fr_diag *diag);
