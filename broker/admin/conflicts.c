/* Claims of devices that another member has: kept while an operation runs, recorded when it is over.
 * They are a change of their own, since the operation's is undone when it is refused. */
#include "admin/op.h"

#include "admin/task.h"
#include "base/mem.h"
#include "store/conflict.h"

void fr_op_note_conflict(struct fr_op_ctx *ctx, uint32_t netid, uint64_t deveui)
{
    struct fr_op_conflicts *c = &ctx->conflicts;
    if (c->n == FR_CONFLICTS_AT_ONCE) return;
    if (!c->items) c->items = fr_calloc(FR_CONFLICTS_AT_ONCE, sizeof *c->items);
    if (!c->items) {
        ctx->is_out_of_memory = true;
        return;
    }
    c->items[c->n].netid = netid;
    c->items[c->n++].deveui = deveui;
}

static enum fr_err note_all(const struct fr_op_conflicts *c, struct fr_change *change)
{
    enum fr_err err = FR_OK;
    for (size_t i = 0; !err && i < c->n; i++)
        err = fr_conflict_note(change, c->items[i].netid, &c->items[i].deveui, 1);
    return err;
}

enum fr_err fr_task_record_conflicts(struct fr_task *task, struct fr_batch *batch)
{
    struct fr_op_ctx *ctx = &task->ctx;
    struct fr_change_by by = ctx->by;
    struct fr_change *change = NULL;
    uint64_t sequence = 0;
    if (!ctx->conflicts.n || ctx->dry_run) return FR_OK;
    by.reason = "claimed, but another member has it";
    enum fr_err err = batch ? fr_batch_change(batch, &by, NULL, &change)
                            : fr_store_change(ctx->store, &by, NULL, &change);
    if (err) return err;
    err = note_all(&ctx->conflicts, change);
    if (err)
        fr_change_cancel(change);
    else
        err = fr_change_commit(change, NULL, &sequence);
    return err;
}
