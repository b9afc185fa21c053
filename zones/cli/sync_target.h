#pragma once
/* fedroam sync: what a federation has of a NetID, and sending it what differs; over the API or, on the broker's host, as the operator.
 *
 * Model: opened for one NetID; its devices are read once, ascending (a fr_sync_stream_fn); then the plan is sent, part by part. What is
 *   cut in between is found and done by the next run.
 * Owns: what it opened. Threads: one; blocks.
 * Errors: the broker's, or the store's. A line that is refused is no error: it is counted. */
#include "base/cli.h"
#include "sync/conf.h"
#include "sync/plan.h"

struct fr_sync_refusal {
    uint64_t deveui;
    char why[24];
};

struct fr_sync_outcome {
    uint64_t done, refused;
    struct fr_sync_refusal examples[FR_SYNC_EXAMPLES];
};

void fr_sync_outcome_refuse(struct fr_sync_outcome *outcome, uint64_t deveui, struct fr_span why);

struct fr_sync_target;

struct fr_sync_target_kind {
    fr_sync_stream_fn next; /* data: the target */
    enum fr_err (*send)(struct fr_sync_target *target, struct fr_sync_plan *plan,
                        struct fr_sync_outcome *outcome, struct fr_diag *diag);
    void (*close)(struct fr_sync_target *target);
};

struct fr_sync_target {
    const struct fr_sync_target_kind *kind;
};

enum fr_err fr_sync_remote_open(struct fr_cli *cli, const struct fr_sync_federation_conf *fed,
                                struct fr_diag *diag, struct fr_sync_target **out);
enum fr_err fr_sync_local_open(struct fr_cli *cli, const struct fr_sync_federation_conf *fed,
                               struct fr_diag *diag, struct fr_sync_target **out);
