#include "store/device_plan.h"

#include "base/mem.h"
#include "store/network.h"
#include "store/release.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static int by_eui(const void *a, const void *b)
{
    const struct fr_plan_row *x = a, *y = b;

    if (x->eui != y->eui) return x->eui < y->eui ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

static int by_index(const void *a, const void *b)
{
    const struct fr_plan_row *x = a, *y = b;

    return x->index < y->index ? -1 : x->index > y->index;
}

/* Sorted, each EUI once (its first row); most lists come sorted, and then sorting costs one pass. */
static enum fr_err make_rows(const struct fr_device_job *job, struct fr_plan *plan)
{
    bool is_sorted = true;

    plan->rows = fr_calloc(job->n ? job->n : 1, sizeof *plan->rows);
    if (plan->rows == NULL) return FR_E_NOMEM;
    for (size_t i = 0; i < job->n; i++) {
        plan->rows[i] = (struct fr_plan_row){.eui = job->euis[i], .index = (uint32_t)i};
        if (i > 0 && job->euis[i] < job->euis[i - 1]) is_sorted = false;
    }
    if (!is_sorted) qsort(plan->rows, job->n, sizeof *plan->rows, by_eui);
    plan->n = 0;
    for (size_t i = 0; i < job->n; i++) {
        if (plan->n > 0 && plan->rows[plan->n - 1].eui == plan->rows[i].eui)
            plan->report.count[FR_DEVICE_REPEATED]++;
        else
            plan->rows[plan->n++] = plan->rows[i];
    }
    return FR_OK;
}

/* Another member's device: its own word decides. */
static enum fr_err judge_released(const struct fr_judge *judge, struct fr_snap *snap,
                                  const struct fr_device_row *device, const char *owner,
                                  enum fr_device_outcome *out)
{
    bool is_claim = judge->job->mode == FR_DEVICE_CLAIM;
    struct fr_release_row release;

    enum fr_err err = fr_release_get(snap, device->deveui, &release);
    if (err && err != FR_E_NOT_FOUND) return err;
    if (err == FR_OK && fr_release_is_good(&release, device, owner, judge->member, judge->now_s))
        *out = FR_DEVICE_MOVED;
    else
        *out = is_claim ? FR_DEVICE_UNRELEASED : FR_DEVICE_TAKEN;
    return FR_OK;
}

static enum fr_device_outcome judge_removal(const struct fr_judge *judge, uint32_t was,
                                            const char *owner)
{
    const struct fr_device_job *job = judge->job;

    if (was == 0) return FR_DEVICE_ABSENT;
    if (was == job->netid) return FR_DEVICE_REMOVED;
    if (job->member != NULL && strcmp(owner, job->member) != 0) return FR_DEVICE_ABSENT;
    return job->netid == 0 ? FR_DEVICE_REMOVED : FR_DEVICE_FOREIGN;
}

enum fr_err fr_judge_device(const struct fr_judge *judge, struct fr_snap *snap,
                            const struct fr_device_row *device, const char *owner,
                            enum fr_device_outcome *out)
{
    const struct fr_device_job *job = judge->job;
    uint64_t eui = device->deveui;
    uint32_t was = device->netid;

    if (eui == 0 || eui == UINT64_MAX)
        *out = FR_DEVICE_RESERVED;
    else if (job->mode == FR_DEVICE_REMOVE)
        *out = judge_removal(judge, was, owner);
    else if (job->mode == FR_DEVICE_REPLACE && was == job->netid)
        *out =
            FR_DEVICE_SAME; /* a list of all there is may name what was there before the blocks */
    else if (job->mode != FR_DEVICE_MOVE && !fr_blocks_allow(&judge->blocks, eui))
        *out = FR_DEVICE_OUTSIDE;
    else if (was != 0 && was == job->netid)
        *out = FR_DEVICE_SAME;
    else if (was == 0 && job->mode == FR_DEVICE_MOVE)
        *out = FR_DEVICE_UNKNOWN;
    else if (was == 0)
        *out = job->mode == FR_DEVICE_CLAIM ? FR_DEVICE_UNRELEASED : FR_DEVICE_ADDED;
    else if (job->mode == FR_DEVICE_MOVE || strcmp(owner, judge->member) == 0)
        *out = FR_DEVICE_MOVED;
    else
        return judge_released(judge, snap, device, owner, out);
    return FR_OK;
}

static enum fr_err find_outcome(struct fr_snap *snap, const struct fr_judge *judge,
                                const struct fr_device_row *device, enum fr_device_outcome *out)
{
    struct fr_network_row holder = {0};

    if (device->netid != 0 && device->netid != judge->job->netid) {
        enum fr_err err = fr_network_get(snap, device->netid, &holder);
        if (err) return err == FR_E_NOT_FOUND ? FR_E_MALFORMED : err;
    }
    return fr_judge_device(judge, snap, device, holder.member, out);
}

static enum fr_err decide(struct fr_snap *snap, struct fr_plan *plan)
{
    uint64_t devices = 0;

    enum fr_err err = fr_device_count(snap, &devices);
    for (size_t i = 0; err == FR_OK && i < plan->n; i++) {
        struct fr_plan_row *row = &plan->rows[i];
        struct fr_device_row device = {.deveui = row->eui};
        enum fr_device_outcome outcome = FR_DEVICE_ADDED;
        if (devices > 0) err = fr_device_get(snap, row->eui, &device);
        if (err == FR_E_NOT_FOUND) err = FR_OK;
        if (err == FR_OK) err = find_outcome(snap, &plan->judge, &device, &outcome);
        row->was = device.netid;
        row->outcome = outcome;
        plan->report.count[outcome]++;
        if (fr_device_outcome_is_refusal(outcome)) plan->report.refused++;
    }
    return err;
}

bool fr_plan_tells_owner(const struct fr_device_job *job, enum fr_device_outcome outcome)
{
    return job->member == NULL && outcome != FR_DEVICE_OUTSIDE;
}

static void report_refused(struct fr_snap *snap, const struct fr_device_job *job,
                           const struct fr_plan_row *row)
{
    struct fr_network_row holder;
    bool is_told = fr_plan_tells_owner(job, (enum fr_device_outcome)row->outcome);
    bool is_held = is_told && row->was != 0 && fr_network_get(snap, row->was, &holder) == FR_OK;

    const struct fr_device_refusal told = {.row = row->index,
                                           .deveui = row->eui,
                                           .outcome = (enum fr_device_outcome)row->outcome,
                                           .owner = is_held ? holder.member : NULL};
    job->refused(job->data, &told);
}

/* In the order of the user's list, which the plan's rows are not in. */
static enum fr_err report_all(struct fr_snap *snap, const struct fr_device_job *job,
                              const struct fr_plan *plan)
{
    size_t n = 0;

    if (plan->report.refused == 0 || job->refused == NULL) return FR_OK;
    struct fr_plan_row *refused = fr_calloc((size_t)plan->report.refused, sizeof *refused);
    if (refused == NULL) return FR_E_NOMEM;
    for (size_t i = 0; i < plan->n; i++)
        if (fr_device_outcome_is_refusal((enum fr_device_outcome)plan->rows[i].outcome))
            refused[n++] = plan->rows[i];
    qsort(refused, n, sizeof *refused, by_index);
    for (size_t i = 0; i < n; i++) report_refused(snap, job, &refused[i]);
    fr_free(refused);
    return FR_OK;
}

void fr_plan_sum_up(const struct fr_device_job *job, struct fr_device_report *r)
{
    uint64_t arriving = r->count[FR_DEVICE_ADDED] + r->count[FR_DEVICE_MOVED];

    /* Replacing keeps the devices that are in the list and takes the rest of the NetID's away. */
    if (job->mode == FR_DEVICE_REPLACE)
        r->count[FR_DEVICE_REMOVED] = r->before - r->count[FR_DEVICE_SAME];
    r->after = r->before + arriving - r->count[FR_DEVICE_REMOVED];
    if (job->mode == FR_DEVICE_REMOVE && job->netid == 0) r->after = 0;
}

/* What a member asks for is not its own: said the same way whether there is such a network or not. */
static enum fr_err deny(uint32_t netid, struct fr_diag *diag)
{
    return fr_diag_fail(diag, FR_E_DENIED, "NetID %06" PRIx32 " is not yours", netid);
}

enum fr_err fr_judge_read(struct fr_snap *snap, const struct fr_device_job *job, int64_t now_s,
                          struct fr_diag *diag, struct fr_judge *judge, uint64_t *before)
{
    struct fr_network_row network = {0};

    if (job->mode != FR_DEVICE_REMOVE || job->netid != 0) {
        enum fr_err err = fr_network_get(snap, job->netid, &network);
        if (err == FR_E_NOT_FOUND && job->member != NULL) return deny(job->netid, diag);
        if (err == FR_E_NOT_FOUND) {
            (void)fr_diag_fail(diag, err, "no member holds NetID %06" PRIx32, job->netid);
            fr_diag_hint(diag, "fedroam member add ID --netid %06" PRIx32, job->netid);
        }
        if (err) return err;
        if (job->member != NULL && strcmp(job->member, network.member) != 0)
            return deny(job->netid, diag);
    } else if (job->member != NULL) {
        (void)fr_span_copy(fr_span_str(job->member), network.member, sizeof network.member);
    }
    enum fr_err err = fr_blocks_load(snap, network.member, &judge->blocks);
    if (err) return err;
    judge->job = job;
    judge->now_s = now_s;
    memcpy(judge->member, network.member, sizeof judge->member);
    *before = network.devices;
    return FR_OK;
}

void fr_judge_deinit(struct fr_judge *judge)
{
    fr_blocks_deinit(&judge->blocks);
}

enum fr_err fr_plan_make(struct fr_snap *snap, const struct fr_device_job *job, int64_t now_s,
                         struct fr_diag *diag, struct fr_plan *plan)
{
    struct fr_plan made = {0};

    enum fr_err err = fr_judge_read(snap, job, now_s, diag, &made.judge, &made.report.before);
    if (err == FR_OK) err = make_rows(job, &made);
    if (err == FR_OK) err = decide(snap, &made);
    if (err == FR_OK && made.report.before < made.report.count[FR_DEVICE_SAME])
        err = FR_E_MALFORMED;
    if (err == FR_OK) err = report_all(snap, job, &made);
    if (err) {
        fr_plan_deinit(&made);
        return err;
    }
    fr_plan_sum_up(job, &made.report);
    *plan = made;
    return FR_OK;
}

void fr_plan_deinit(struct fr_plan *plan)
{
    fr_free(plan->rows);
    fr_judge_deinit(&plan->judge);
    *plan = (struct fr_plan){0};
}

static enum fr_err code_of(const uint64_t *count)
{
    if (count[FR_DEVICE_OUTSIDE] > 0) return FR_E_DENIED;
    if (count[FR_DEVICE_TAKEN] > 0 || count[FR_DEVICE_FOREIGN] > 0) return FR_E_CONFLICT;
    if (count[FR_DEVICE_UNRELEASED] > 0 || count[FR_DEVICE_UNKNOWN] > 0) return FR_E_NOT_FOUND;
    return FR_E_INVALID;
}

enum fr_err fr_plan_fail(const struct fr_device_report *report, struct fr_diag *diag)
{
    const uint64_t *count = report->count;

    return fr_diag_fail(
        diag, code_of(count),
        "%" PRIu64 " of the devices are refused (%" PRIu64 " outside the member's blocks, %" PRIu64
        " taken by another member, %" PRIu64 " not released, %" PRIu64
        " of another network, %" PRIu64 " reserved); nothing was changed",
        report->refused, count[FR_DEVICE_OUTSIDE], count[FR_DEVICE_TAKEN],
        count[FR_DEVICE_UNRELEASED], count[FR_DEVICE_FOREIGN], count[FR_DEVICE_RESERVED]);
}

bool fr_plan_has(const struct fr_plan *plan, uint64_t eui)
{
    size_t low = 0, high = plan->n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (plan->rows[mid].eui == eui)
            return !fr_device_outcome_is_refusal((enum fr_device_outcome)plan->rows[mid].outcome);
        if (plan->rows[mid].eui < eui)
            low = mid + 1;
        else
            high = mid;
    }
    return false;
}
