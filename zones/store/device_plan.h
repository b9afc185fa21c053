#pragma once
/*
 * Inside of zones/store: what each row of a device job comes to, before anything is written. The rules are here and only here.
 *
 * Model: a plan has one row for each different EUI of the list, ascending, with its outcome; repeated rows are counted and
 *   dropped. Replacing also takes away devices that are not in the list: those are found by walking the table beside the plan.
 * Owns: its rows, until fr_plan_deinit.
 */
#include "store/block.h"
#include "store/device.h"

struct fr_plan_row {
    uint64_t eui;
    uint32_t index;   /* in the user's list */
    uint32_t outcome; /* enum fr_device_outcome */
    uint32_t was;     /* NetID it belongs to now, 0 for none */
};

/* What the rules of one job are decided by, beside the device itself. */
struct fr_judge {
    const struct fr_device_job *job;
    char member[FR_MEMBER_ID_MAX + 1]; /* holder of the job's NetID; without one, who asks, or "" */
    struct fr_blocks blocks;           /* the holder's */
    int64_t now_s;
};

struct fr_plan {
    struct fr_plan_row *rows;
    size_t n;
    struct fr_judge judge;
    struct fr_device_report report;
};

/* FR_OK also when rows are refused; those have been reported through the job's callback. */
enum fr_err fr_plan_make(struct fr_snap *snap, const struct fr_device_job *job, int64_t now_s,
                         struct fr_diag *diag, struct fr_plan *plan);
void fr_plan_deinit(struct fr_plan *plan);

/* The code for refused rows: what a job without keep_going fails with. */
enum fr_err fr_plan_fail(const struct fr_device_report *report, struct fr_diag *diag);

/* Reads who holds the job's NetID, whether the asking member may write there, and the holder's blocks; and how many devices the
 * NetID has now, 0 when the job names none. `judge` starts from all zeros, and may be read again. */
enum fr_err fr_judge_read(struct fr_snap *snap, const struct fr_device_job *job, int64_t now_s,
                          struct fr_diag *diag, struct fr_judge *judge, uint64_t *before);
void fr_judge_deinit(struct fr_judge *judge);

/* The rule: what becomes of one device as it is now (NetID 0: nobody's). owner: the member that has it; not looked at when
 * the NetID is 0 or the job's. */
enum fr_err fr_judge_device(const struct fr_judge *judge, struct fr_snap *snap,
                            const struct fr_device_row *device, const char *owner,
                            enum fr_device_outcome *out);

/* What follows from the rows' outcomes: how many a replacement takes away, and how many there are afterwards. */
void fr_plan_sum_up(const struct fr_device_job *job, struct fr_device_report *report);

/* Whether a refusal names who has the device: not to a member, and not where nothing was looked at. */
bool fr_plan_tells_owner(const struct fr_device_job *job, enum fr_device_outcome outcome);

/* Is this EUI in the plan? */
bool fr_plan_has(const struct fr_plan *plan, uint64_t eui);

static inline bool fr_plan_is_write(enum fr_device_outcome outcome)
{
    return outcome == FR_DEVICE_ADDED || outcome == FR_DEVICE_MOVED || outcome == FR_DEVICE_REMOVED;
}
