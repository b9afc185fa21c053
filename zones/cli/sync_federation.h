#pragma once
/* fedroam sync: one federation, once: read both sides, say what differs, do it. */
#include "base/cli.h"
#include "sync/chirpstack.h"

struct fr_sync_run {
    struct fr_cli *cli;
    const struct fr_sync_federation_conf *fed;
    struct fr_sync_source *source; /* the caller's */
    uint32_t max_withdraw;         /* percent */
    bool is_dry;
};

/* Prints what came of it, also when it was held back (FR_E_PENDING: nothing was sent). *refused: lines that the broker refused. */
enum fr_err fr_sync_federation(const struct fr_sync_run *run, struct fr_diag *diag,
                               uint64_t *refused);
