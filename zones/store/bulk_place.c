#include "store/bulk.h"

/* In place: what there is to do is little beside the table, so each step writes its rows where they belong. */

#define AT_ONCE 1024 /* rows found before they are written */

/* One row of the list against the present state, which others may have changed since it was checked. */
static enum fr_err write_one(struct fr_bulk *bulk, struct fr_bulk_step *step, uint64_t eui,
                             struct fr_diag *diag)
{
    struct fr_device_row row = {.deveui = eui};
    enum fr_device_outcome outcome = FR_DEVICE_SAME;

    enum fr_err err = fr_device_get(&step->snap, eui, &row);
    if (err && err != FR_E_NOT_FOUND) return err;
    uint32_t was = row.netid;
    err = fr_bulk_outcome(bulk, &step->snap, &row, &outcome);
    if (err == FR_OK && fr_device_outcome_is_refusal(outcome))
        err = fr_bulk_refuse_late(bulk, eui, diag);
    if (err) return err;
    bulk->report.count[outcome]++;
    if (!fr_plan_is_write(outcome)) return FR_OK;
    if (bulk->job.mode == FR_DEVICE_REMOVE)
        return fr_device_take(step->snap.txn, step->table, eui, was, &step->tally);
    row = (struct fr_device_row){.deveui = eui,
                                 .netid = bulk->job.netid,
                                 .change = (uint32_t)(fr_snap_sequence(&step->snap) + 1)};
    return fr_device_put(step->snap.txn, step->table, &row, was, &step->tally);
}

/* Is there something to do for this item in the present phase? */
static bool is_wanted(struct fr_bulk *bulk, const struct fr_bulk_item *item)
{
    bool is_held = item->is_there && item->device.netid == bulk->job.netid;

    if (bulk->phase == FR_BULK_LEAVE) return is_held && !item->is_listed;
    if (bulk->job.mode == FR_DEVICE_REMOVE || !is_held) return true;
    bulk->report.count[FR_DEVICE_SAME]++;
    return false;
}

/* Collects EUIs to do something about, before anything is written: a cursor does not like its table to change. *is_end:
 * there are no more. */
static enum fr_err collect(struct fr_bulk *bulk, struct fr_bulk_step *step, uint64_t *euis,
                           size_t *n, bool *is_end)
{
    struct fr_bulk_walk walk;
    struct fr_bulk_item item;

    enum fr_err err = fr_bulk_walk_begin(&walk, &step->snap, bulk->list, bulk->at, bulk->from);
    if (err) return err;
    *n = 0;
    for (size_t met = 1; err == FR_OK && *n < AT_ONCE; met++) {
        if (met % FR_BULK_CLOCK_EVERY == 0 && fr_bulk_is_over(step->deadline_ms)) break;
        err = bulk->phase == FR_BULK_LEAVE ? fr_bulk_walk_next(&walk, &item)
                                           : fr_bulk_walk_next_listed(&walk, &item);
        if (err) break;
        if (is_wanted(bulk, &item)) euis[(*n)++] = item.eui;
        bulk->at = walk.at;
        bulk->from = item.eui == UINT64_MAX ? item.eui : item.eui + 1;
    }
    fr_bulk_walk_end(&walk);
    *is_end = err == FR_E_NOT_FOUND;
    return *is_end ? FR_OK : err;
}

enum fr_err fr_bulk_write(struct fr_bulk *bulk, struct fr_bulk_step *step, struct fr_diag *diag)
{
    uint64_t euis[AT_ONCE];
    enum fr_err err = FR_OK;
    bool is_end = false;
    size_t n = 0;

    fr_nets_deinit(&bulk->nets); /* who holds what may have changed between two steps */
    do {
        err = collect(bulk, step, euis, &n, &is_end);
        for (size_t i = 0; err == FR_OK && i < n; i++) err = write_one(bulk, step, euis[i], diag);
    } while (err == FR_OK && !is_end && !fr_bulk_is_over(step->deadline_ms));
    if (err || !is_end) return err;
    bulk->phase = bulk->job.mode == FR_DEVICE_REPLACE ? FR_BULK_LEAVE : FR_BULK_FINISH;
    bulk->at = bulk->from = 0;
    return FR_OK;
}

enum fr_err fr_bulk_leave(struct fr_bulk *bulk, struct fr_bulk_step *step)
{
    uint64_t euis[AT_ONCE];
    enum fr_err err = FR_OK;
    bool is_end = false;
    size_t n = 0;

    do {
        err = collect(bulk, step, euis, &n, &is_end);
        for (size_t i = 0; err == FR_OK && i < n; i++)
            err =
                fr_device_take(step->snap.txn, step->table, euis[i], bulk->job.netid, &step->tally);
        bulk->report.count[FR_DEVICE_REMOVED] += n;
    } while (err == FR_OK && !is_end && !fr_bulk_is_over(step->deadline_ms));
    if (err == FR_OK && is_end) bulk->phase = FR_BULK_FINISH;
    return err;
}
