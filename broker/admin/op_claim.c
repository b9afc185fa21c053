/* device.release, device.claim, device.move: how a device goes from one member to another. */
#include "admin/op.h"

#include "admin/args.h"
#include "admin/op_parts.h"
#include "names/eui.h"
#include "store/release.h"

#include <string.h>

#define SWEEP_AT_ONCE 100 /* stale releases that go with each new one */

struct release_args {
    struct fr_arg_numbers devices;
    const char *to;
    struct fr_arg_number ttl_s, until;
    bool withdraw;
};

static const struct fr_arg release_rows[] = {
    {.key = "devices",
     FR_ARG_EUIS,
     offsetof(struct release_args, devices),
     .is_required = true,
     .max = FR_RELEASE_AT_ONCE},
    {.key = "to", FR_ARG_TEXT, offsetof(struct release_args, to)},
    {.key = "ttl_s",
     FR_ARG_UINT,
     offsetof(struct release_args, ttl_s),
     .min = 1,
     .max = FR_RELEASE_LONGEST_S},
    {.key = "until", FR_ARG_UINT, offsetof(struct release_args, until), .min = 1, .max = INT64_MAX},
    {.key = "withdraw", FR_ARG_BOOL, offsetof(struct release_args, withdraw)},
    {.key = NULL},
};

static enum fr_err check_release(struct fr_op_ctx *ctx, const struct release_args *args)
{
    if (args->withdraw && (args->to || args->ttl_s.is_set || args->until.is_set))
        return fr_diag_fail(ctx->diag, FR_E_INVALID,
                            "to withdraw a release, only its devices are named");
    if (!args->withdraw && !args->to)
        return fr_diag_fail(ctx->diag, FR_E_INVALID, "the member that is to have them is missing");
    if (args->ttl_s.is_set && args->until.is_set)
        return fr_diag_fail(ctx->diag, FR_E_INVALID, "only one of ttl_s and until");
    return FR_OK;
}

static enum fr_err release(struct fr_op_ctx *ctx, const struct release_args *args)
{
    struct fr_release_job job = {
        .by = fr_op_member(ctx),
        .euis = args->devices.items,
        .n = args->devices.n,
        .to = args->to,
        .until_s = fr_change_now(ctx->change) + FR_RELEASE_USUAL_S,
    };
    uint64_t count = 0;
    bool is_left = false;
    if (args->ttl_s.is_set) job.until_s = fr_change_now(ctx->change) + (int64_t)args->ttl_s.value;
    if (args->until.is_set) job.until_s = (int64_t)args->until.value;
    enum fr_err err = args->withdraw ? fr_release_withdraw(ctx->change, &job, ctx->diag, &count)
                                     : fr_release_put(ctx->change, &job, ctx->diag, &count);
    if (err) return err;
    fr_op_put(ctx, ctx->result, "changed", json_boolean(!fr_change_is_empty(ctx->change)));
    fr_op_put(ctx, ctx->result, args->withdraw ? "withdrawn" : "released", fr_op_uint(count));
    if (args->withdraw) return FR_OK;
    fr_op_put(ctx, ctx->result, "to", json_string(job.to));
    fr_op_put(ctx, ctx->result, "until", fr_op_time(job.until_s));
    return fr_release_sweep(ctx->change, SWEEP_AT_ONCE, &is_left);
}

enum fr_err fr_op_device_release(struct fr_op_ctx *ctx)
{
    struct release_args args = {0};
    enum fr_err err = fr_args_decode(release_rows, ctx->args, ctx->diag, &args);
    if (!err) err = check_release(ctx, &args);
    if (!err) err = release(ctx, &args);
    fr_args_free(release_rows, &args);
    return err;
}

enum fr_err fr_op_device_claim(struct fr_op_ctx *ctx)
{
    return fr_op_run_devices(ctx, FR_DEVICE_CLAIM);
}

/* The operator's word above the members': it is to say why. */
enum fr_err fr_op_device_move(struct fr_op_ctx *ctx)
{
    if (!ctx->by.reason || !ctx->by.reason[0]) {
        (void)fr_diag_fail(ctx->diag, FR_E_INVALID,
                           "a device is moved over its member's head only "
                           "with a reason");
        fr_diag_hint(ctx->diag, "--reason TEXT");
        return FR_E_INVALID;
    }
    return fr_op_run_devices(ctx, FR_DEVICE_MOVE);
}
