#include "base/mem.h"
#include "store/bulk.h"

/* In place: what there is to do is little beside the table, so each step writes its rows where they belong. */

#define LEAVERS_MAX 4096 /* taken away at once: a cursor does not like its table to change */

/* One row of the list against the present state, which others may have changed since it was checked. */
static enum fr_err write_one(struct fr_bulk *bulk, struct fr_bulk_step *step, uint64_t eui,
                             struct fr_diag *diag)
{
    struct fr_device_row row;
    enum fr_device_outcome outcome = FR_DEVICE_SAME;
    uint32_t was = 0;

    enum fr_err err = fr_device_get(&step->snap, eui, &row);
    if (err == FR_OK) was = row.netid;
    if (err && err != FR_E_NOT_FOUND) return err;
    err = fr_bulk_outcome(bulk, &step->snap, eui, was, &outcome);
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

enum fr_err fr_bulk_write(struct fr_bulk *bulk, struct fr_bulk_step *step, struct fr_diag *diag)
{
    const struct fr_list_row *rows;
    size_t n = 0, handled = 0;

    fr_nets_deinit(&bulk->nets); /* who holds what may have changed between two steps */
    for (;;) {
        enum fr_err err = fr_list_read(bulk->list, bulk->at, &rows, &n);
        if (err) return err;
        if (n == 0) break;
        for (size_t i = 0; i < n; i++) {
            if (++handled % FR_BULK_CLOCK_EVERY == 0 && fr_bulk_is_over(step->deadline_ms))
                return FR_OK;
            err = write_one(bulk, step, rows[i].eui, diag);
            if (err) return err;
            bulk->at++;
        }
    }
    bulk->phase = bulk->job.mode == FR_DEVICE_REPLACE ? FR_BULK_LEAVE : FR_BULK_FINISH;
    bulk->at = bulk->from = 0;
    return FR_OK;
}

/* Collects devices of the NetID that the list does not name; *is_end: there are no more. */
static enum fr_err collect(struct fr_bulk *bulk, struct fr_bulk_step *step, uint64_t *euis,
                           size_t *n, bool *is_end)
{
    struct fr_bulk_walk walk;
    struct fr_bulk_item item;

    enum fr_err err = fr_bulk_walk_begin(&walk, &step->snap, bulk->list, bulk->at, bulk->from);
    *n = 0;
    for (size_t met = 1; err == FR_OK && *n < LEAVERS_MAX; met++) {
        if (met % FR_BULK_CLOCK_EVERY == 0 && fr_bulk_is_over(step->deadline_ms)) break;
        err = fr_bulk_walk_next(&walk, &item);
        if (err) break;
        if (item.is_there && !item.is_listed && item.device.netid == bulk->job.netid)
            euis[(*n)++] = item.eui;
        bulk->at = walk.at;
        bulk->from = item.eui == UINT64_MAX ? item.eui : item.eui + 1;
    }
    fr_bulk_walk_end(&walk);
    *is_end = err == FR_E_NOT_FOUND;
    return *is_end ? FR_OK : err;
}

enum fr_err fr_bulk_leave(struct fr_bulk *bulk, struct fr_bulk_step *step)
{
    uint64_t *euis = fr_reallocarray(NULL, LEAVERS_MAX, sizeof *euis);
    enum fr_err err = euis == NULL ? FR_E_NOMEM : FR_OK;
    bool is_end = false;
    size_t n = 0;

    while (err == FR_OK && !is_end) {
        err = collect(bulk, step, euis, &n, &is_end);
        for (size_t i = 0; err == FR_OK && i < n; i++)
            err =
                fr_device_take(step->snap.txn, step->table, euis[i], bulk->job.netid, &step->tally);
        bulk->report.count[FR_DEVICE_REMOVED] += n;
        if (err || fr_bulk_is_over(step->deadline_ms)) break;
    }
    if (err == FR_OK && is_end) bulk->phase = FR_BULK_FINISH;
    fr_free(euis);
    return err;
}
