/* Claims of devices and JoinEUIs that another member has: kept while an operation runs, recorded when it is over.
 * They are a change of their own, since the operation's is undone when it is refused. */
#include "admin/op.h"

#include "admin/task.h"
#include "base/mem.h"
#include "store/conflict.h"

static void add(struct fr_op_ctx *ctx, const struct fr_op_conflict *conflict)
{
    struct fr_op_conflicts *c = &ctx->conflicts;
    if (c->n == FR_CONFLICTS_AT_ONCE) return;
    if (!c->items) c->items = fr_calloc(FR_CONFLICTS_AT_ONCE, sizeof *c->items);
    if (c->items)
        c->items[c->n++] = *conflict;
    else
        ctx->is_out_of_memory = true;
}

void fr_op_note_conflict(struct fr_op_ctx *ctx, uint32_t netid, uint64_t deveui)
{
    const struct fr_op_conflict conflict = {.eui = deveui, .netid = netid};
    add(ctx, &conflict);
}

void fr_op_note_joineui_conflict(struct fr_op_ctx *ctx, const char *member, uint64_t base,
                                 uint8_t nibbles)
{
    struct fr_op_conflict conflict = {.eui = base, .nibbles = nibbles};
    if (fr_span_copy(fr_span_str(member), conflict.member, sizeof conflict.member))
        add(ctx, &conflict);
}

static enum fr_err note_all(const struct fr_op_conflicts *c, struct fr_change *change)
{
    enum fr_err err = FR_OK;
    for (size_t i = 0; !err && i < c->n; i++) {
        const struct fr_op_conflict *one = &c->items[i];
        err = one->nibbles ? fr_conflict_note_joineui(change, one->member, one->eui, one->nibbles)
                           : fr_conflict_note(change, one->netid, &one->eui, 1);
    }
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
