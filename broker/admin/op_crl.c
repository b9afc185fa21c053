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

enum fr_err fr_op_crl_publish_step(struct fr_op_ctx *ctx, void *state, unsigned budget_ms,
                                   bool *done)
{
    struct fr_crl_fields fields = {0};
    struct fr_ca *ca = NULL;
    (void)state;
    (void)budget_ms;
    *done = true;
    enum fr_err err = fr_op_ca(ctx, &ca);
    if (err) return err;
    fr_op_put(ctx, ctx->result, "name", json_string(fr_ca_name(ca)));
    fr_op_put(ctx, ctx->result, "changed", json_boolean(!ctx->dry_run));
    if (ctx->dry_run) return FR_OK;
    err = fr_crl_publish(ca, ctx->store, fr_op_state(ctx), fr_op_now_ms(ctx), ctx->diag, &fields);
    if (err) return err;
    fr_op_put(ctx, ctx->result, "number", fr_op_uint(fields.number));
    fr_op_put(ctx, ctx->result, "entries", fr_op_uint(fields.entries));
    fr_op_put(ctx, ctx->result, "this_update", fr_op_time(fields.this_update_s));
    fr_op_put(ctx, ctx->result, "next_update", fr_op_time(fields.next_update_s));
    return FR_OK;
}
