/* crl.publish */
#include "admin/op.h"

#include "ca/crl.h"

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

enum fr_err fr_op_crl_publish_step(struct fr_op_ctx *ctx, void *state, unsigned budget_ms,
                                   bool *done)
{
    struct fr_crl_set set = {0};
    struct fr_ca *ca = NULL;
    (void)state;
    (void)budget_ms;
    *done = true;
    enum fr_err err = fr_op_ca(ctx, &ca);
    if (err) return err;
    fr_op_put(ctx, ctx->result, "changed", json_boolean(!ctx->dry_run));
    if (ctx->dry_run) return FR_OK;
    err = fr_crl_publish(ca, ctx->store, fr_op_state(ctx), fr_op_now_ms(ctx), ctx->diag, &set);
    if (err) return err;
    json_t *lists = json_array();
    for (size_t i = 0; i < set.n; i++) fr_op_push(ctx, lists, made(ctx, &set.lists[i]));
    fr_op_put(ctx, ctx->result, "lists", lists);
    return FR_OK;
}
