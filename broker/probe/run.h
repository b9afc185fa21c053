#pragma once
/*
 * One member's endpoints, looked at: what there is to look at, what came of it, and how that is told.
 *
 * Model: a *run* has a target for each endpoint of each of the member's networks, from the store of one
 *   moment, with a finding for those that are not to be connected to. It is *over* when every target has
 *   a finding. As JSON: {"member","when","result":"right"|"wrong"|"none","endpoints":[{"netid","name",
 *   "endpoint","result","ms","steps":[{"step","state":"right"|"wrong"|"untried","seen"?,"todo"?}]}]}.
 * Owns: nothing. Threads: the snap's. Errors: those of the store; FR_E_NOT_FOUND: no such member.
 * Units and limits: FR_RUN_TARGETS endpoints; `left_out` says how many there are beyond.
 */
#include "base/buf.h"
#include "probe/check.h"
#include "store/policy.h"

#define FR_RUN_TARGETS 32
#define FR_RUN_JSON_MAX (256 * 1024)

struct fr_run_target {
    uint32_t netid;
    struct fr_addr at;
    bool is_over;
    struct fr_check_finding finding; /* once it is */
};

struct fr_run {
    char member[FR_MEMBER_ID_MAX + 1];
    int64_t when_s;
    size_t n, n_over, n_wrong, left_out;
    struct fr_run_target targets[FR_RUN_TARGETS];
};

enum fr_err fr_run_plan(struct fr_snap *snap, const char *member, int64_t now_s,
                        struct fr_run *out);
void fr_run_found(struct fr_run *run, size_t target, const struct fr_check_finding *finding);

/* "right", "wrong", "none". */
const char *fr_run_result(const struct fr_run *run);
/* The first that is wrong, as "000013 192.0.2.1:8005 tcp: …"; "" where none is. */
void fr_run_print(const struct fr_run *run, char *out, size_t size);
enum fr_err fr_run_write(const struct fr_run *run, const char *federation, struct fr_buf *out);
