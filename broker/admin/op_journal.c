/* journal.trim, zone.rollback */
#include "admin/op.h"

#include "admin/args.h"
#include "base/mem.h"
#include "store/journal.h"
#include "store/release.h"
#include "store/rollback.h"

#define TRIM_AT_ONCE 10000
#define SWEEP_AT_ONCE 2000

/* --- journal.trim: what a broker does by itself once a day --- */

static const struct fr_arg no_rows[] = {{.key = NULL}};

struct trim {
    uint64_t removed;
    struct fr_journal_count count; /* of a trial run */
};

enum fr_err fr_op_journal_trim_begin(struct fr_op_ctx *ctx, void **state)
{
    char none;
    enum fr_err err = fr_args_decode(no_rows, ctx->args, ctx->diag, &none);
    if (err) return err;
    struct trim *trim = fr_calloc(1, sizeof *trim);
    if (!trim) return FR_E_NOMEM;
    *state = trim;
    return FR_OK;
}

/* Releases that are over go with it: they are as old as they look. */
static enum fr_err sweep(struct fr_op_ctx *ctx, bool *left)
{
    struct fr_change *change = NULL;
    enum fr_err err = fr_store_change(ctx->store, &ctx->by, ctx->diag, &change);
    if (err) return err;
    err = fr_release_sweep(change, SWEEP_AT_ONCE, left);
    if (err)
        fr_change_cancel(change);
    else
        err = fr_change_commit(change, ctx->diag, ctx->sequence);
    return err;
}

static enum fr_err count(struct fr_op_ctx *ctx, struct trim *trim, bool *left)
{
    struct fr_snap *snap = NULL;
    enum fr_err err = fr_snap_begin(ctx->store, &snap);
    if (!err) err = fr_journal_trim_count(snap, ctx->by.now_s, TRIM_AT_ONCE, &trim->count, left);
    fr_snap_end(snap);
    trim->removed = trim->count.n;
    return err;
}

enum fr_err fr_op_journal_trim_step(struct fr_op_ctx *ctx, void *state, unsigned budget_ms,
                                    bool *done)
{
    struct trim *trim = state;
    uint64_t removed = 0;
    bool is_left = false;
    enum fr_err err = FR_OK;
    (void)budget_ms;
    if (ctx->dry_run) {
        err = count(ctx, trim, &is_left);
    } else {
        err = fr_journal_trim(ctx->store, ctx->by.now_s, TRIM_AT_ONCE, &removed, &is_left);
        trim->removed += removed;
        if (!err && !is_left) err = sweep(ctx, &is_left);
    }
    if (err || is_left) return err;
    *done = true;
    fr_op_put(ctx, ctx->result, "removed", fr_op_uint(trim->removed));
    fr_op_put(ctx, ctx->result, "changed", json_boolean(trim->removed > 0));
    return FR_OK;
}

void fr_op_journal_trim_end(void *state)
{
    fr_free(state);
}

/* --- zone.rollback --- */

struct rollback_args {
    struct fr_arg_number to;
};

static const struct fr_arg rollback_rows[] = {
    {.key = "to",
     FR_ARG_UINT,
     offsetof(struct rollback_args, to),
     .is_required = true,
     .max = INT64_MAX - 1},
    {.key = NULL},
};

enum fr_err fr_op_rollback_begin(struct fr_op_ctx *ctx, void **state)
{
    struct rollback_args args = {0};
    struct fr_rollback *rollback = NULL;
    enum fr_err err = fr_args_decode(rollback_rows, ctx->args, ctx->diag, &args);
    if (!err) err = fr_rollback_new(args.to.value, &rollback);
    if (!err) *state = rollback;
    return err;
}

static enum fr_err collect(struct fr_op_ctx *ctx, struct fr_rollback *rollback, unsigned budget_ms,
                           bool *done)
{
    struct fr_snap *snap = NULL;
    enum fr_err err = fr_snap_begin(ctx->store, &snap);
    if (!err) err = fr_rollback_collect(rollback, snap, budget_ms, ctx->diag, done);
    fr_snap_end(snap);
    return err;
}

static void put_report(struct fr_op_ctx *ctx, const struct fr_rollback_report *report)
{
    fr_op_put(ctx, ctx->result, "to", fr_op_uint(report->to));
    fr_op_put(ctx, ctx->result, "added", fr_op_uint(report->added));
    fr_op_put(ctx, ctx->result, "removed", fr_op_uint(report->removed));
    fr_op_put(ctx, ctx->result, "moved", fr_op_uint(report->moved));
    fr_op_put(ctx, ctx->result, "hidden", fr_op_uint(report->hidden));
    fr_op_put(ctx, ctx->result, "shown", fr_op_uint(report->shown));
    fr_op_put(ctx, ctx->result, "left", fr_op_uint(report->left));
    fr_op_put(ctx, ctx->result, "changed",
              json_boolean(report->added || report->removed || report->moved || report->hidden ||
                           report->shown));
}

/* All of it in one change, so that nobody ever sees a part. */
static enum fr_err apply(struct fr_op_ctx *ctx, struct fr_rollback *rollback)
{
    struct fr_rollback_report report = {0};
    struct fr_change *change = NULL;
    enum fr_err err = fr_store_change(ctx->store, &ctx->by, ctx->diag, &change);
    if (err) return err;
    err = fr_rollback_apply(rollback, change, ctx->diag, &report);
    if (err || ctx->dry_run)
        fr_change_cancel(change);
    else
        err = fr_change_commit(change, ctx->diag, ctx->sequence);
    if (!err) put_report(ctx, &report);
    return err;
}

enum fr_err fr_op_rollback_step(struct fr_op_ctx *ctx, void *state, unsigned budget_ms, bool *done)
{
    bool is_collected = false;
    enum fr_err err = collect(ctx, state, budget_ms, &is_collected);
    if (err || !is_collected) return err;
    *done = true;
    return apply(ctx, state);
}

void fr_op_rollback_end(void *state)
{
    fr_rollback_free(state);
}
