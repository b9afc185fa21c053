/* crl.publish */
#include "admin/op.h"

#include "ca/crl.h"
#include "store/acted.h"

/* Reads the whole table of certificates and signs: too long for a group, and nothing in it is a
 * change of the store. */
enum fr_err fr_op_crl_publish_begin(struct fr_op_ctx *ctx, void **state)
{
    *state = NULL;
    return json_object_size(ctx->args) == 0
               ? FR_OK
               : fr_diag_fail(ctx->diag, FR_E_INVALID, "crl.publish has no arguments");
}

static json_t *made(struct fr_op_ctx *ctx, const struct fr_crl_made *list)
{
    json_t *object = json_object();
    fr_op_put(ctx, object, "name", json_string(list->name));
    fr_op_put(ctx, object, "number", fr_op_uint(list->fields.number));
    fr_op_put(ctx, object, "entries", fr_op_uint(list->fields.entries));
    fr_op_put(ctx, object, "this_update", fr_op_time(list->fields.this_update_s));
    fr_op_put(ctx, object, "next_update", fr_op_time(list->fields.next_update_s));
    return object;
}

/* The list goes on while the clock is behind what was done before: dated by that, so that it is not
 * over sooner than the one it replaces. */
static enum fr_err choose_time(struct fr_op_ctx *ctx, int64_t *now_ms)
{
    struct fr_snap *snap = NULL;
    int64_t acted_s = 0;
    *now_ms = fr_op_now_ms(ctx);
    enum fr_err err = fr_snap_begin(ctx->store, &snap);
    if (!err) err = fr_acted_get(snap, &acted_s);
    fr_snap_end(snap);
    if (!err && acted_s > *now_ms / 1000 + FR_CLOCK_BACK_S) *now_ms = acted_s * 1000;
    return err ? err : fr_acted_note(ctx->store, *now_ms / 1000);
}

enum fr_err fr_op_crl_publish_step(struct fr_op_ctx *ctx, void *state, unsigned budget_ms,
                                   bool *done)
{
    struct fr_crl_set set = {0};
    struct fr_ca *ca = NULL;
    int64_t now_ms = 0;
    (void)state;
    (void)budget_ms;
    *done = true;
    enum fr_err err = fr_op_ca(ctx, &ca);
    if (err) return err;
    fr_op_put(ctx, ctx->result, "changed", json_boolean(!ctx->dry_run));
    if (ctx->dry_run) return FR_OK;
    err = choose_time(ctx, &now_ms);
    if (!err) err = fr_crl_publish(ca, ctx->store, fr_op_state(ctx), now_ms, ctx->diag, &set);
    if (err) return err;
    json_t *lists = json_array();
    for (size_t i = 0; i < set.n; i++) fr_op_push(ctx, lists, made(ctx, &set.lists[i]));
    fr_op_put(ctx, ctx->result, "lists", lists);
    return FR_OK;
}
