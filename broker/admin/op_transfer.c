/* zone.transfer, zone.change, zone.note: what came out of a transfer from a member's name server. Asked by the broker itself.
 *
 * A difference of up to FR_TRANSFER_CHANGES_MAX devices is one change, with the serial it stands for; a larger one goes through
 * bulks, network by network, and the serial follows: cut short, it is simply done again. */
#include "admin/op.h"

#include "admin/args.h"
#include "admin/transfer_walk.h"
#include "base/mem.h"
#include "names/eui.h"
#include "names/netid.h"
#include "store/conflict.h"
#include "store/device.h"
#include "store/network.h"

#include <stdio.h>
#include <string.h>

#define WALK_ROWS 200000

struct zone_args {
    const char *member, *zone;
    struct fr_arg_texts sets;
};

static const struct fr_arg zone_rows[] = {
    {.key = "member", FR_ARG_TEXT, offsetof(struct zone_args, member), .is_required = true},
    {.key = "zone", FR_ARG_TEXT, offsetof(struct zone_args, zone), .is_required = true},
    {.key = NULL},
};

static const struct fr_arg transfer_rows[] = {
    {.key = "member", FR_ARG_TEXT, offsetof(struct zone_args, member), .is_required = true},
    {.key = "zone", FR_ARG_TEXT, offsetof(struct zone_args, zone), .is_required = true},
    {.key = "sets",
     FR_ARG_TEXTS,
     offsetof(struct zone_args, sets),
     .is_required = true,
     .max = FR_PRIMARY_NETIDS_MAX},
    {.key = NULL},
};

/* What every one of the three works with. */
struct work {
    struct fr_op_ctx *ctx;
    struct fr_primary_row row;
    struct fr_transfer_body body;
    struct fr_device_report sum;
    size_t n_taken; /* of others: conflicts to note */
    uint64_t taken[FR_CONFLICTS_AT_ONCE];
    uint32_t netid; /* of the job that runs */
};

static enum fr_err work_begin(struct fr_op_ctx *ctx, struct fr_snap *snap,
                              const struct zone_args *args, struct work *work)
{
    work->ctx = ctx;
    enum fr_err err = fr_transfer_read(ctx->body, &work->body);
    if (err) return fr_diag_fail(ctx->diag, FR_E_INVALID, "the body is not a transfer's state");
    err = fr_primary_get(snap, args->member, args->zone, &work->row);
    if (err == FR_E_NOT_FOUND)
        err = fr_diag_fail(ctx->diag, err, "no zone %s is transferred from %s", args->zone,
                           args->member);
    return err;
}

static const char *why_text(enum fr_device_outcome outcome)
{
    switch ((int)outcome) {
    case FR_DEVICE_TAKEN: return "another member's device";
    case FR_DEVICE_OUTSIDE: return "outside the member's EUI blocks";
    default: return fr_device_outcome_text(outcome);
    }
}

static void on_refused(void *data, const struct fr_device_refusal *refusal)
{
    struct work *work = data;
    char name[FR_EUI_TEXT + 4 + FR_NETID_TEXT], eui[FR_EUI_TEXT], netid[FR_NETID_TEXT];
    fr_eui_print(refusal->deveui, eui);
    fr_netid_print(work->netid, netid);
    (void)snprintf(name, sizeof name, "%s %s", eui, netid);
    fr_transfer_leave(&work->body.left, name, why_text(refusal->outcome));
    work->body.state.left_out++;
    if (refusal->outcome == FR_DEVICE_TAKEN && work->n_taken < FR_CONFLICTS_AT_ONCE)
        work->taken[work->n_taken++] = refusal->deveui;
}

static void sum_up(struct work *work, const struct fr_device_report *report)
{
    for (int i = 0; i < FR_DEVICE_OUTCOMES; i++) work->sum.count[i] += report->count[i];
}

static struct fr_device_job job_of(struct work *work, uint32_t netid, enum fr_device_mode mode)
{
    work->netid = netid;
    return (struct fr_device_job){.netid = netid,
                                  .member = work->row.member,
                                  .mode = mode,
                                  .keep_going = true,
                                  .refused = on_refused,
                                  .data = work};
}

/* --- one change --- */

/* The devices of one NetID that come, or that go. */
static enum fr_err apply_some(struct work *work, struct fr_change *change,
                              const struct fr_transfer_change *changes, size_t n, uint32_t netid,
                              bool is_gone, uint64_t *euis)
{
    struct fr_device_job job = job_of(work, netid, is_gone ? FR_DEVICE_REMOVE : FR_DEVICE_ADD);
    struct fr_device_report report = {0};
    for (size_t i = 0; i < n; i++)
        if (changes[i].netid == netid && changes[i].is_gone == is_gone)
            euis[job.n++] = changes[i].eui;
    if (job.n == 0) return FR_OK;
    job.euis = euis;
    work->n_taken = 0;
    enum fr_err err = fr_device_apply(change, &job, work->ctx->diag, &report);
    sum_up(work, &report);
    if (!err && work->n_taken) err = fr_conflict_note(change, netid, work->taken, work->n_taken);
    return err;
}

/* Those that come first: a device that moves between the member's NetIDs is never away. */
static enum fr_err apply(struct work *work, struct fr_change *change,
                         const struct fr_transfer_change *changes, size_t n)
{
    uint64_t *euis = fr_calloc(n ? n : 1, sizeof *euis);
    enum fr_err err = euis ? FR_OK : FR_E_NOMEM;
    for (int pass = 0; !err && pass < 2; pass++)
        for (uint8_t i = 0; !err && i < work->row.n_netids; i++)
            err = apply_some(work, change, changes, n, work->row.netids[i], pass == 1, euis);
    fr_free(euis);
    return err;
}

/* How many devices the zone's NetIDs hold now. */
static enum fr_err count_devices(const struct work *work, struct fr_snap *snap, uint64_t *out)
{
    struct fr_network_row network;
    *out = 0;
    for (uint8_t i = 0; i < work->row.n_netids; i++) {
        enum fr_err err = fr_network_get(snap, work->row.netids[i], &network);
        if (err) return err;
        *out += network.devices;
    }
    return FR_OK;
}

/* May so many go? Accepting is for as many as were shown, once. */
static bool may_go(const struct work *work, uint64_t gone, uint64_t before)
{
    if (work->row.has_leave && gone <= work->row.leave_gone) return true;
    return gone * 100 <= (uint64_t)work->row.max_gone * before;
}

static void hold(struct work *work, const struct fr_primary_state *old, uint64_t gone,
                 uint64_t before)
{
    struct fr_primary_state *state = &work->body.state, next = *old;
    next.is_held = true;
    next.held_serial = state->serial;
    next.held_gone = gone;
    next.held_of = before;
    next.contact_s = state->contact_s;
    next.refresh_s = state->refresh_s;
    next.retry_s = state->retry_s;
    next.expire_s = state->expire_s;
    next.asks = state->asks;
    next.failed_s = 0;
    next.fault[0] = '\0';
    *state = next;
    work->body.has_left = false; /* what was left out of the set that is served */
}

/* Writes what became of it: the state, and that a leave is used up. */
static enum fr_err conclude(struct work *work, struct fr_change *change, bool is_held)
{
    struct fr_op_ctx *ctx = work->ctx;
    struct fr_primary_state *state = &work->body.state;
    enum fr_err err = FR_OK;
    if (!is_held) {
        state->is_held = false;
        state->held_serial = 0;
        state->held_gone = state->held_of = 0;
        err = count_devices(work, fr_change_snap(change), &state->taken);
    }
    if (!err && !is_held && work->row.has_leave) {
        work->row.has_leave = false;
        work->row.leave_gone = 0;
        err = fr_primary_put(change, &work->row, ctx->diag);
    }
    if (!err)
        err = fr_primary_note(change, work->row.member, work->row.zone, state,
                              work->body.has_left ? &work->body.left : NULL);
    fr_op_put(ctx, ctx->result, "held", json_boolean(is_held));
    fr_op_put(ctx, ctx->result, "gone", fr_op_uint(is_held ? state->held_gone : 0));
    fr_op_put(ctx, ctx->result, "of", fr_op_uint(is_held ? state->held_of : 0));
    fr_op_put(ctx, ctx->result, "added", fr_op_uint(work->sum.count[FR_DEVICE_ADDED]));
    fr_op_put(ctx, ctx->result, "moved", fr_op_uint(work->sum.count[FR_DEVICE_MOVED]));
    fr_op_put(ctx, ctx->result, "removed", fr_op_uint(work->sum.count[FR_DEVICE_REMOVED]));
    fr_op_put(ctx, ctx->result, "taken", fr_op_uint(state->taken));
    fr_op_put(ctx, ctx->result, "left_out", fr_op_uint(state->left_out));
    return err;
}

static bool is_own_netid(const struct work *work, uint32_t netid)
{
    for (uint8_t i = 0; i < work->row.n_netids; i++)
        if (work->row.netids[i] == netid) return true;
    return false;
}

/* Which of those that go are there. */
static enum fr_err count_gone(const struct work *work, struct fr_snap *snap,
                              const struct fr_transfer_change *changes, size_t n, uint64_t *gone)
{
    struct fr_device_row row;
    for (size_t i = 0; i < n; i++) {
        if (!changes[i].is_gone) continue;
        enum fr_err err = fr_device_get(snap, changes[i].eui, &row);
        if (err && err != FR_E_NOT_FOUND) return err;
        if (!err && is_own_netid(work, row.netid)) ++*gone;
    }
    return FR_OK;
}

static enum fr_err change_run(struct work *work, struct fr_transfer_change *changes)
{
    struct fr_op_ctx *ctx = work->ctx;
    struct fr_snap *snap = fr_change_snap(ctx->change);
    struct fr_primary_state old;
    uint64_t before = 0, gone = 0;
    enum fr_err err = FR_OK;
    for (size_t i = 0; !err && i < work->body.n; i++) {
        err = fr_transfer_next(&work->body, &changes[i]);
        if (err || !is_own_netid(work, changes[i].netid))
            err = fr_diag_fail(ctx->diag, FR_E_INVALID, "the body has a change of another's NetID");
    }
    if (!err) err = fr_primary_state_get(snap, work->row.member, work->row.zone, &old);
    if (!err) err = count_devices(work, snap, &before);
    if (!err) err = count_gone(work, snap, changes, work->body.n, &gone);
    if (err) return err;
    if (!may_go(work, gone, before)) {
        hold(work, &old, gone, before);
        return conclude(work, ctx->change, true);
    }
    err = apply(work, ctx->change, changes, work->body.n);
    return err ? err : conclude(work, ctx->change, false);
}

static enum fr_err with_zone(struct fr_op_ctx *ctx, enum fr_err (*run)(struct work *work))
{
    struct zone_args args = {0};
    struct work *work = fr_calloc(1, sizeof *work);
    enum fr_err err = work ? fr_args_decode(zone_rows, ctx->args, ctx->diag, &args) : FR_E_NOMEM;
    if (!err) err = work_begin(ctx, fr_change_snap(ctx->change), &args, work);
    if (!err) err = run(work);
    fr_free(work);
    fr_args_free(zone_rows, &args);
    return err;
}

static enum fr_err run_change(struct work *work)
{
    struct fr_transfer_change *changes = fr_calloc(work->body.n + 1, sizeof *changes);
    enum fr_err err = changes ? change_run(work, changes) : FR_E_NOMEM;
    fr_free(changes);
    return err;
}

enum fr_err fr_op_zone_change(struct fr_op_ctx *ctx)
{
    return with_zone(ctx, run_change);
}

static enum fr_err run_note(struct work *work)
{
    return fr_primary_note(work->ctx->change, work->row.member, work->row.zone, &work->body.state,
                           work->body.has_left ? &work->body.left : NULL);
}

enum fr_err fr_op_zone_note(struct fr_op_ctx *ctx)
{
    return with_zone(ctx, run_note);
}

/* --- a whole zone --- */

struct transfer {
    struct work work;
    struct fr_transfer_walk walk;
    struct fr_bulk *bulk; /* the one that runs */
    size_t next_bulk;     /* adding for each NetID, then replacing for each */
};

static void transfer_free(struct transfer *transfer)
{
    if (!transfer) return;
    fr_bulk_free(transfer->bulk);
    fr_transfer_walk_deinit(&transfer->walk);
    fr_free(transfer);
}

/* "000013:import-…": the list of a NetID's devices. Every NetID of the zone has one. */
static enum fr_err open_set(struct transfer *transfer, const char *text)
{
    struct fr_op_ctx *ctx = transfer->work.ctx;
    struct fr_span netid, name;
    char file[FR_LIST_NAME];
    uint32_t number = 0;
    struct fr_list *list = NULL;
    if (!fr_span_cut(fr_span_str(text), ':', &netid, &name) ||
        !fr_span_copy(name, file, sizeof file) || fr_netid_parse(netid, &number) ||
        !is_own_netid(&transfer->work, number))
        return fr_diag_fail(ctx->diag, FR_E_INVALID, "\"%s\" is not a NetID of the zone and a list",
                            text);
    enum fr_err err = fr_list_open(fr_store_dir(ctx->store), file, ctx->diag, &list);
    if (err) return err;
    err = fr_transfer_walk_add(&transfer->walk, number, list);
    if (err) fr_list_free(list);
    return err;
}

enum fr_err fr_op_zone_transfer_begin(struct fr_op_ctx *ctx, void **state)
{
    struct zone_args args = {0};
    struct fr_snap *snap = NULL;
    struct transfer *transfer = fr_calloc(1, sizeof *transfer);
    enum fr_err err =
        transfer ? fr_args_decode(transfer_rows, ctx->args, ctx->diag, &args) : FR_E_NOMEM;
    if (!err) err = fr_snap_begin(ctx->store, &snap);
    if (!err) err = work_begin(ctx, snap, &args, &transfer->work);
    fr_snap_end(snap);
    if (!err) err = fr_transfer_walk_init(&transfer->walk, ctx->store);
    for (size_t i = 0; !err && i < args.sets.n; i++) err = open_set(transfer, args.sets.items[i]);
    if (!err && transfer->walk.n_sides != transfer->work.row.n_netids)
        err = fr_diag_fail(ctx->diag, FR_E_CONFLICT, "the zone's NetIDs were changed meanwhile");
    fr_args_free(transfer_rows, &args);
    if (err)
        transfer_free(transfer);
    else
        *state = transfer;
    return err;
}

void fr_op_zone_transfer_end(void *state)
{
    transfer_free(state);
}

static enum fr_err old_state(struct transfer *transfer, struct fr_primary_state *out)
{
    const struct fr_primary_row *row = &transfer->work.row;
    struct fr_snap *snap = NULL;
    enum fr_err err = fr_snap_begin(transfer->work.ctx->store, &snap);
    if (!err) err = fr_primary_state_get(snap, row->member, row->zone, out);
    fr_snap_end(snap);
    return err;
}

/* The end, in one change: with `changes`, those too. */
static enum fr_err finish(struct transfer *transfer, const struct fr_transfer_change *changes,
                          size_t n, bool is_held)
{
    struct work *work = &transfer->work;
    struct fr_op_ctx *ctx = work->ctx;
    struct fr_change *change = NULL;
    enum fr_err err = fr_store_change(ctx->store, &ctx->by, ctx->diag, &change);
    if (err) return err;
    err = apply(work, change, changes, n);
    if (!err) err = conclude(work, change, is_held);
    if (err || ctx->dry_run)
        fr_change_cancel(change);
    else
        err = fr_change_commit(change, ctx->diag, ctx->sequence);
    return err;
}

static enum fr_err begin_bulk(struct transfer *transfer)
{
    struct work *work = &transfer->work;
    struct fr_op_ctx *ctx = work->ctx;
    const struct fr_transfer_walk *walk = &transfer->walk;
    const size_t adds = walk->n_sides > 1 ? walk->n_sides : 0;
    const bool is_add = transfer->next_bulk < adds;
    const size_t side = is_add ? transfer->next_bulk : transfer->next_bulk - adds;
    struct fr_device_job job =
        job_of(work, walk->sides[side].netid, is_add ? FR_DEVICE_ADD : FR_DEVICE_REPLACE);
    job.list = walk->sides[side].list;
    job.is_dry = ctx->dry_run;
    if (!is_add && adds) job.refused = NULL; /* told while adding */
    transfer->next_bulk++;
    return fr_bulk_new(ctx->store, &job, &ctx->by, ctx->diag, &transfer->bulk);
}

static enum fr_err bulk_step(struct transfer *transfer, unsigned budget_ms, bool *done)
{
    struct work *work = &transfer->work;
    struct fr_device_report report = {0};
    uint64_t sequence = 0;
    bool is_done = false;
    enum fr_err err = fr_bulk_step(transfer->bulk, budget_ms, work->ctx->diag, &is_done);
    if (err || !is_done) return err;
    fr_bulk_report(transfer->bulk, &report, &sequence);
    sum_up(work, &report);
    fr_bulk_free(transfer->bulk);
    transfer->bulk = NULL;
    const size_t n = transfer->walk.n_sides;
    if (transfer->next_bulk < (n > 1 ? 2 * n : n)) return begin_bulk(transfer);
    *done = true;
    return finish(transfer, NULL, 0, false);
}

enum fr_err fr_op_zone_transfer_step(struct fr_op_ctx *ctx, void *state, unsigned budget_ms,
                                     bool *done)
{
    struct transfer *transfer = state;
    struct fr_transfer_walk *walk = &transfer->walk;
    struct fr_primary_state old;
    (void)ctx;
    *done = false;
    if (transfer->bulk) return bulk_step(transfer, budget_ms, done);
    enum fr_err err = fr_transfer_walk_step(walk, WALK_ROWS);
    if (err || !walk->is_over) return err;
    if (!may_go(&transfer->work, walk->gone, walk->before)) {
        err = old_state(transfer, &old);
        if (err) return err;
        hold(&transfer->work, &old, walk->gone, walk->before);
        *done = true;
        return finish(transfer, NULL, 0, true);
    }
    if (walk->differences > FR_TRANSFER_CHANGES_MAX) return begin_bulk(transfer);
    *done = true;
    return finish(transfer, walk->changes, (size_t)walk->differences, false);
}
