#include "base/mem.h"
#include "store/bulk.h"
#include "store/network.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define APART_FROM 8 /* lists of at least this part of the table are merged apart */

enum fr_err fr_bulk_outcome(struct fr_bulk *bulk, struct fr_snap *snap,
                            const struct fr_device_row *device, enum fr_device_outcome *out)
{
    struct fr_network_row holder;
    struct fr_net *net = NULL;

    if (device->netid != 0 && device->netid != bulk->job.netid) {
        enum fr_err err = fr_nets_at(&bulk->nets, device->netid, &net);
        if (err == FR_OK && !net->is_known) {
            err = fr_network_get(snap, device->netid, &holder);
            if (err == FR_OK) memcpy(net->member, holder.member, sizeof net->member);
            if (err == FR_OK) net->is_known = true;
        }
        if (err) return err == FR_E_NOT_FOUND ? FR_E_MALFORMED : err;
    }
    return fr_judge_device(&bulk->judge, snap, device, net != NULL ? net->member : "", out);
}

enum fr_err fr_bulk_refuse_late(struct fr_bulk *bulk, uint64_t eui, struct fr_diag *diag)
{
    bulk->report.refused++;
    if (bulk->job.keep_going || !bulk->is_apart) return FR_OK;
    return fr_diag_fail(diag, FR_E_CONFLICT,
                        "device %016" PRIx64 " became another member's meanwhile", eui);
}

static enum fr_err keep_refusal(struct fr_bulk *bulk, const struct fr_bulk_item *item,
                                enum fr_device_outcome outcome)
{
    bulk->report.refused++;
    if (bulk->job.refused == NULL || bulk->n_refusals == FR_BULK_REFUSED_MAX) return FR_OK;
    if (bulk->n_refusals == bulk->room) {
        size_t room = bulk->room ? bulk->room * 2 : 64;
        struct fr_bulk_refusal *refusals = fr_reallocarray(bulk->refusals, room, sizeof *refusals);
        if (refusals == NULL) return FR_E_NOMEM;
        bulk->refusals = refusals;
        bulk->room = room;
    }
    bulk->refusals[bulk->n_refusals++] = (struct fr_bulk_refusal){
        .eui = item->eui, .row = item->row, .was = item->device.netid, .outcome = outcome};
    return FR_OK;
}

static int by_row(const void *a, const void *b)
{
    const struct fr_bulk_refusal *x = a, *y = b;

    return x->row < y->row ? -1 : x->row > y->row;
}

static void tell_refusals(struct fr_bulk *bulk, struct fr_snap *snap)
{
    struct fr_network_row holder;

    if (bulk->n_refusals > 0)
        qsort(bulk->refusals, bulk->n_refusals, sizeof *bulk->refusals, by_row);
    for (size_t i = 0; i < bulk->n_refusals; i++) {
        const struct fr_bulk_refusal *r = &bulk->refusals[i];
        bool is_told = fr_plan_tells_owner(&bulk->job, r->outcome);
        bool is_held = is_told && r->was != 0 && fr_network_get(snap, r->was, &holder) == FR_OK;
        const struct fr_device_refusal told = {.row = r->row,
                                               .deveui = r->eui,
                                               .outcome = r->outcome,
                                               .owner = is_held ? holder.member : NULL};
        bulk->job.refused(bulk->job.data, &told);
    }
    fr_free(bulk->refusals);
    bulk->refusals = NULL;
    bulk->n_refusals = bulk->room = 0;
}

/* How the bulk goes on, now that it is known what there is to do. */
static enum fr_err decide(struct fr_bulk *bulk, struct fr_snap *snap, struct fr_diag *diag)
{
    struct fr_device_report *report = &bulk->report;
    uint64_t *count = report->count, devices = 0;

    enum fr_err err = fr_device_count(snap, &devices);
    if (err) return err;
    count[FR_DEVICE_REPEATED] = fr_list_repeated(bulk->list);
    /* Others may have added some of them between two slices. */
    if (report->before < count[FR_DEVICE_SAME]) report->before = count[FR_DEVICE_SAME];
    fr_plan_sum_up(&bulk->job, report);
    tell_refusals(bulk, snap);
    if (report->refused > 0 && !bulk->job.keep_going && !bulk->job.is_dry)
        return fr_plan_fail(report, diag);
    uint64_t writes = count[FR_DEVICE_ADDED] + count[FR_DEVICE_MOVED] + count[FR_DEVICE_REMOVED];
    bulk->at = bulk->from = 0;
    fr_nets_deinit(&bulk->nets);
    bulk->is_apart = !bulk->is_resumed && bulk->job.mode != FR_DEVICE_REMOVE &&
                     writes >= (devices + APART_FROM - 1) / APART_FROM;
    if (bulk->is_resumed)
        bulk->phase = FR_BULK_WRITE; /* also when nothing is left to write: its mark is */
    else if (bulk->job.is_dry || writes == 0)
        bulk->phase = FR_BULK_DONE;
    else
        bulk->phase = bulk->is_apart ? FR_BULK_CLEAR : FR_BULK_WRITE;
    if (bulk->phase == FR_BULK_DONE) return FR_OK;
    memset(report->count, 0, sizeof report->count); /* from here on, as it happens */
    report->refused = 0;
    count[FR_DEVICE_REPEATED] = fr_list_repeated(bulk->list);
    return FR_OK;
}

static enum fr_err check_some(struct fr_bulk *bulk, struct fr_snap *snap, int64_t deadline_ms,
                              struct fr_diag *diag)
{
    struct fr_bulk_walk walk;
    struct fr_bulk_item item;
    enum fr_device_outcome outcome = FR_DEVICE_SAME;

    enum fr_err err = fr_bulk_walk_begin(&walk, snap, bulk->list, bulk->at, bulk->from);
    if (err) return err;
    for (size_t n = 1; err == FR_OK; n++) {
        if (n % FR_BULK_CLOCK_EVERY == 0 && fr_bulk_is_over(deadline_ms)) break;
        err = fr_bulk_walk_next_listed(&walk, &item);
        if (err) break;
        err = fr_bulk_outcome(bulk, snap, &item.device, &outcome);
        if (err) break;
        bulk->report.count[outcome]++;
        if (fr_device_outcome_is_refusal(outcome)) err = keep_refusal(bulk, &item, outcome);
        bulk->at = walk.at;
        bulk->from = item.eui;
    }
    fr_bulk_walk_end(&walk);
    return err == FR_E_NOT_FOUND ? decide(bulk, snap, diag) : err;
}

enum fr_err fr_bulk_check(struct fr_bulk *bulk, int64_t deadline_ms, struct fr_diag *diag)
{
    struct fr_snap *snap = NULL;

    enum fr_err err = fr_snap_begin(bulk->store, &snap);
    if (err == FR_OK && bulk->at == 0)
        err = fr_judge_read(snap, &bulk->job, bulk->record.when_s, diag, &bulk->judge,
                            &bulk->report.before);
    if (err == FR_OK) err = check_some(bulk, snap, deadline_ms, diag);
    fr_snap_end(snap);
    return err;
}
