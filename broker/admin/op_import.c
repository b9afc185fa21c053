/* zone.import: a network's devices, any number of them. Small sets are one change; large ones a
 * bulk of bounded steps. */
#include "admin/op.h"

#include "admin/args.h"
#include "base/mem.h"
#include "base/wire.h"
#include "store/device.h"

#define REFUSED_LISTED_MAX 100000

struct import_args {
    struct fr_arg_number netid;
    bool replace, keep_going;
};

static const struct fr_arg rows[] = {
    {.key = "netid", FR_ARG_NETID, offsetof(struct import_args, netid), .is_required = true},
    {.key = "replace", FR_ARG_BOOL, offsetof(struct import_args, replace)},
    {.key = "keep_going", FR_ARG_BOOL, offsetof(struct import_args, keep_going)},
    {.key = NULL},
};

struct import {
    struct fr_op_ctx *ctx;
    uint64_t *euis;
    struct fr_device_job job;
    struct fr_bulk *bulk; /* NULL before the first step of a large set */
    json_t *refused;
    uint64_t refused_total;
};

static void note_refused(void *data, size_t row, enum fr_device_outcome outcome, const char *owner)
{
    struct import *import = data;
    struct fr_op_ctx *ctx = import->ctx;
    if (++import->refused_total > REFUSED_LISTED_MAX) return;
    json_t *item = json_object();
    fr_op_put(ctx, item, "row", fr_op_uint(row));
    fr_op_put(ctx, item, "deveui", fr_op_eui(import->euis[row]));
    fr_op_put(ctx, item, "outcome", json_string(fr_device_outcome_text(outcome)));
    if (owner) fr_op_put(ctx, item, "owner", json_string(owner));
    fr_op_push(ctx, import->refused, item);
}

static void forget_refused(struct import *import)
{
    import->refused_total = 0;
    (void)json_array_clear(import->refused);
}

enum fr_err fr_op_import_begin(struct fr_op_ctx *ctx, void **state)
{
    struct import_args args = {0};
    enum fr_err err = fr_args_decode(rows, ctx->args, ctx->diag, &args);
    if (err) return err;
    if (ctx->body.n % 8)
        return fr_diag_fail(ctx->diag, FR_E_INVALID, "the body is not a list of 8-byte EUIs");
    size_t n = ctx->body.n / 8;
    struct import *import = fr_calloc(1, sizeof *import);
    uint64_t *euis = fr_calloc(n, sizeof *euis);
    json_t *refused = json_array();
    if (!import || !euis || !refused) {
        json_decref(refused);
        fr_free(euis);
        fr_free(import);
        return FR_E_NOMEM;
    }
    struct fr_rd rd = fr_rd(ctx->body);
    for (size_t i = 0; i < n; i++) euis[i] = fr_rd_u64(&rd);
    *import = (struct import){.ctx = ctx, .euis = euis, .refused = refused};
    import->job = (struct fr_device_job){
        .netid = (uint32_t)args.netid.value,
        .mode = args.replace ? FR_DEVICE_REPLACE : FR_DEVICE_ADD,
        .euis = euis,
        .n = n,
        .keep_going = args.keep_going,
        .refused = note_refused,
        .data = import,
    };
    *state = import;
    return FR_OK;
}

static void put_report(struct import *import, const struct fr_device_report *report,
                       bool is_imported)
{
    static const enum fr_device_outcome told[] = {FR_DEVICE_ADDED, FR_DEVICE_MOVED, FR_DEVICE_SAME,
                                                  FR_DEVICE_REPEATED, FR_DEVICE_REMOVED};
    struct fr_op_ctx *ctx = import->ctx;
    fr_op_put(ctx, ctx->result, "imported", json_boolean(is_imported));
    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++)
        fr_op_put(ctx, ctx->result, fr_device_outcome_text(told[i]),
                  fr_op_uint(report->count[told[i]]));
    fr_op_put(ctx, ctx->result, "before", fr_op_uint(report->before));
    fr_op_put(ctx, ctx->result, "after", fr_op_uint(report->after));
    fr_op_put(ctx, ctx->result, "refused_total", fr_op_uint(import->refused_total));
    fr_op_put(ctx, ctx->result, "refused", json_incref(import->refused));
}

static enum fr_err plan(struct import *import)
{
    struct fr_op_ctx *ctx = import->ctx;
    struct fr_device_report report = {0};
    struct fr_snap *snap = NULL;
    enum fr_err err = fr_snap_begin(ctx->store, &snap);
    if (err) return err;
    err = fr_device_plan(snap, &import->job, ctx->diag, &report);
    if (!err) put_report(import, &report, import->job.keep_going || !import->refused_total);
    fr_snap_end(snap);
    return err;
}

/* FR_E_LIMIT: too many rows for one change. */
static enum fr_err apply(struct import *import, struct fr_device_report *report)
{
    struct fr_op_ctx *ctx = import->ctx;
    struct fr_change *change = NULL;
    if (import->job.n > FR_DEVICE_APPLY_MAX) return FR_E_LIMIT;
    enum fr_err err = fr_store_change(ctx->store, &ctx->by, ctx->diag, &change);
    if (err) return err;
    err = fr_device_apply(change, &import->job, ctx->diag, report);
    if (err)
        fr_change_cancel(change);
    else
        err = fr_change_commit(change, ctx->diag, ctx->sequence);
    return err;
}

/* Rows were refused: that is an answer with a list, not a failure of the call. */
static enum fr_err refusal(struct import *import, enum fr_err err)
{
    struct fr_device_report none = {0};
    if (import->refused_total == 0) return err;
    put_report(import, &none, false);
    return FR_OK;
}

static enum fr_err first_step(struct import *import, bool *done)
{
    struct fr_op_ctx *ctx = import->ctx;
    struct fr_device_report report = {0};
    *done = true;
    if (ctx->dry_run) return plan(import);
    enum fr_err err = apply(import, &report);
    if (!err) put_report(import, &report, true);
    if (err != FR_E_LIMIT) return err ? refusal(import, err) : FR_OK;
    forget_refused(import);
    *ctx->diag = (struct fr_diag){0};
    err = fr_bulk_new(ctx->store, &import->job, &ctx->by, ctx->diag, &import->bulk);
    if (err) return refusal(import, err);
    *done = false;
    return FR_OK;
}

enum fr_err fr_op_import_step(struct fr_op_ctx *ctx, void *state, unsigned budget_ms, bool *done)
{
    struct import *import = state;
    struct fr_device_report report = {0};
    if (!import->bulk) return first_step(import, done);
    enum fr_err err = fr_bulk_step(import->bulk, budget_ms, ctx->diag, done);
    if (err || !*done) return err;
    fr_bulk_report(import->bulk, &report, ctx->sequence);
    put_report(import, &report, true);
    return FR_OK;
}

void fr_op_import_end(void *state)
{
    struct import *import = state;
    if (!import) return;
    fr_bulk_free(import->bulk);
    json_decref(import->refused);
    fr_free(import->euis);
    fr_free(import);
}
