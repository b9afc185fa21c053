/* zone.import: a network's devices, any number of them. Small sets are one change; large ones a
 * bulk of bounded steps. They come in the body, or in a file that the command left in the state
 * directory: then nobody holds them all in memory. */
#include "admin/op.h"

#include "admin/args.h"
#include "base/mem.h"
#include "base/wire.h"
#include "store/device.h"

#include <stdlib.h>

#define REFUSED_LISTED_MAX FR_BULK_REFUSED_MAX
#define ADD_AT_ONCE 250000 /* rows of the body in one step */

struct import_args {
    struct fr_arg_number netid;
    const char *list; /* borrowed from the arguments */
    bool replace, keep_going;
};

static const struct fr_arg rows[] = {
    {.key = "netid", FR_ARG_NETID, offsetof(struct import_args, netid), .is_required = true},
    {.key = "list", FR_ARG_TEXT, offsetof(struct import_args, list)},
    {.key = "replace", FR_ARG_BOOL, offsetof(struct import_args, replace)},
    {.key = "keep_going", FR_ARG_BOOL, offsetof(struct import_args, keep_going)},
    {.key = NULL},
};

struct import {
    struct fr_op_ctx *ctx;
    struct fr_list *list;
    bool is_clear; /* nothing of an earlier one is left to be finished */
    size_t taken;  /* rows of the body that are in the list */
    struct fr_device_job job;
    uint64_t *euis; /* of a small set, in the order of the list's file */
    struct fr_list_row *small;
    struct fr_bulk *bulk; /* NULL before the first step of a large set */
    json_t *refused;
    uint64_t refused_total;
};

static void note_refused(void *data, const struct fr_device_refusal *r)
{
    struct import *import = data;
    struct fr_op_ctx *ctx = import->ctx;
    size_t row = import->small ? import->small[r->row].row : r->row;
    if (r->outcome == FR_DEVICE_TAKEN) fr_op_note_conflict(ctx, import->job.netid, r->deveui);
    if (++import->refused_total > REFUSED_LISTED_MAX) return;
    json_t *item = json_object();
    fr_op_put(ctx, item, "row", fr_op_uint(row));
    fr_op_put(ctx, item, "deveui", fr_op_eui(r->deveui));
    fr_op_put(ctx, item, "outcome", json_string(fr_device_outcome_text(r->outcome)));
    if (r->owner) fr_op_put(ctx, item, "owner", json_string(r->owner));
    fr_op_push(ctx, import->refused, item);
}

static void import_free(struct import *import)
{
    if (!import) return;
    fr_bulk_free(import->bulk);
    fr_list_free(import->list);
    fr_free(import->euis);
    fr_free(import->small);
    json_decref(import->refused);
    fr_free(import);
}

enum fr_err fr_op_import_begin(struct fr_op_ctx *ctx, void **state)
{
    struct import_args args = {0};
    struct import *import = NULL;
    const char *dir = fr_store_dir(ctx->store);
    enum fr_err err = fr_args_decode(rows, ctx->args, ctx->diag, &args);
    if (err) return err;
    if (ctx->body.n % 8)
        return fr_diag_fail(ctx->diag, FR_E_INVALID, "the body is not a list of 8-byte EUIs");
    if (args.list && ctx->body.n)
        return fr_diag_fail(ctx->diag, FR_E_INVALID, "both a list and a body were given");
    import = fr_calloc(1, sizeof *import);
    if (!import) return FR_E_NOMEM;
    import->ctx = ctx;
    import->refused = json_array();
    if (!import->refused) {
        err = FR_E_NOMEM;
        goto out;
    }
    err = args.list ? fr_list_open(dir, args.list, ctx->diag, &import->list)
                    : fr_list_new(dir, ctx->diag, &import->list);
    if (err) goto out;
    import->job = (struct fr_device_job){
        .netid = (uint32_t)args.netid.value,
        .member = fr_op_member(ctx),
        .mode = args.replace ? FR_DEVICE_REPLACE : FR_DEVICE_ADD,
        .keep_going = args.keep_going,
        .is_dry = ctx->dry_run,
        .refused = note_refused,
        .data = import,
    };
    *state = import;
    import = NULL;
out:
    import_free(import);
    return err;
}

void fr_op_import_end(void *state)
{
    import_free(state);
}

/* --- the list --- */

/* Some of the body's rows. */
static enum fr_err take_some(struct import *import)
{
    struct fr_op_ctx *ctx = import->ctx;
    size_t n = ctx->body.n / 8, end = import->taken + ADD_AT_ONCE;
    enum fr_err err = FR_OK;
    struct fr_rd rd = fr_rd(ctx->body);
    fr_rd_seek(&rd, import->taken * 8);
    for (; !err && import->taken < n && import->taken < end; import->taken++)
        err = fr_list_add(import->list, fr_rd_u64(&rd), (uint32_t)import->taken, ctx->diag);
    return err;
}

static int by_row(const void *a, const void *b)
{
    const struct fr_list_row *x = a, *y = b;
    return x->row < y->row ? -1 : x->row > y->row;
}

/* A small list as an array, in the user's order. */
static enum fr_err load_small(struct import *import)
{
    size_t n = (size_t)fr_list_count(import->list), got = 0;
    const struct fr_list_row *part;
    import->small = fr_calloc(n ? n : 1, sizeof *import->small);
    import->euis = fr_calloc(n ? n : 1, sizeof *import->euis);
    if (!import->small || !import->euis) return FR_E_NOMEM;
    for (size_t at = 0; at < n; at += got) {
        enum fr_err err = fr_list_read(import->list, at, &part, &got);
        if (err) return err;
        for (size_t i = 0; i < got; i++) import->small[at + i] = part[i];
    }
    if (n) qsort(import->small, n, sizeof *import->small, by_row);
    for (size_t i = 0; i < n; i++) import->euis[i] = import->small[i].eui;
    import->job.euis = import->euis;
    import->job.n = n;
    return FR_OK;
}

static void forget_small(struct import *import)
{
    fr_free(import->small);
    fr_free(import->euis);
    import->small = NULL;
    import->euis = NULL;
    import->job.euis = NULL;
    import->job.n = 0;
    import->refused_total = 0;
    (void)json_array_clear(import->refused);
    *import->ctx->diag = (struct fr_diag){0};
}

/* --- what comes of it --- */

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

/* Rows were refused: that is an answer with a list, not a failure of the call. */
static enum fr_err refusal(struct import *import, enum fr_err err)
{
    struct fr_device_report none = {0};
    if (import->refused_total == 0 || import->job.keep_going) return err;
    put_report(import, &none, false);
    return FR_OK;
}

/* A small set in one change. *is_large: it was too much for one, nothing has happened. */
static enum fr_err apply(struct import *import, bool *is_large)
{
    struct fr_op_ctx *ctx = import->ctx;
    struct fr_device_report report = {0};
    struct fr_change *change = NULL;
    *is_large = ctx->dry_run || fr_list_count(import->list) > FR_DEVICE_APPLY_MAX;
    if (*is_large) return FR_OK;
    enum fr_err err = load_small(import);
    if (err) return err;
    err = fr_store_change(ctx->store, &ctx->by, ctx->diag, &change);
    if (err) return err;
    err = fr_device_apply(change, &import->job, ctx->diag, &report);
    if (err)
        fr_change_cancel(change);
    else
        err = fr_change_commit(change, ctx->diag, ctx->sequence);
    *is_large = err == FR_E_LIMIT;
    if (*is_large) {
        forget_small(import);
        return FR_OK;
    }
    if (err) return refusal(import, err);
    report.count[FR_DEVICE_REPEATED] += fr_list_repeated(import->list);
    put_report(import, &report, true);
    return FR_OK;
}

static enum fr_err bulk_step(struct import *import, unsigned budget_ms, bool *done)
{
    struct fr_op_ctx *ctx = import->ctx;
    struct fr_device_report report = {0};
    uint64_t sequence = 0;
    enum fr_err err = fr_bulk_step(import->bulk, budget_ms, ctx->diag, done);
    if (err) {
        *done = true;
        return refusal(import, err);
    }
    if (!*done) return FR_OK;
    fr_bulk_report(import->bulk, &report, &sequence);
    if (!ctx->dry_run) *ctx->sequence = sequence;
    put_report(import, &report, !ctx->dry_run || import->job.keep_going || !import->refused_total);
    return FR_OK;
}

/* What an import that was cut short has begun comes first. */
static enum fr_err clear(struct import *import, unsigned budget_ms)
{
    struct fr_op_ctx *ctx = import->ctx;
    import->is_clear = ctx->dry_run;
    if (ctx->dry_run) return FR_OK;
    enum fr_err err = fr_bulk_tidy(ctx->store, budget_ms, &import->is_clear);
    return err ? fr_diag_fail(ctx->diag, err, "an import that was cut short cannot be finished: %s",
                              fr_err_text(err))
               : FR_OK;
}

enum fr_err fr_op_import_step(struct fr_op_ctx *ctx, void *state, unsigned budget_ms, bool *done)
{
    struct import *import = state;
    bool is_listed = false, is_large = false;
    *done = false;
    if (import->bulk) return bulk_step(import, budget_ms, done);
    if (!import->is_clear) return clear(import, budget_ms);
    if (import->taken < ctx->body.n / 8) return take_some(import);
    enum fr_err err = fr_list_finish(import->list, budget_ms, ctx->diag, &is_listed);
    if (err || !is_listed) return err;
    err = apply(import, &is_large);
    if (err) return err;
    *done = !is_large;
    if (*done) return FR_OK;
    import->job.list = import->list;
    return fr_bulk_new(ctx->store, &import->job, &ctx->by, ctx->diag, &import->bulk);
}
