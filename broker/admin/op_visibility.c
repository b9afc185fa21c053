/* visibility.set, device.set: who sees which devices. */
#include "admin/op.h"

#include "admin/args.h"
#include "store/device.h"
#include "store/visibility.h"

#include <string.h>

static void put_changed(struct fr_op_ctx *ctx)
{
    fr_op_put(ctx, ctx->result, "changed", json_boolean(!fr_change_is_empty(ctx->change)));
}

/* --- visibility.set --- */

struct visibility_args {
    const char *home, *visited;
    bool is_allowed, both;
};

static const struct fr_arg visibility_rows[] = {
    {.key = "home", FR_ARG_TEXT, offsetof(struct visibility_args, home), .is_required = true},
    {.key = "visited", FR_ARG_TEXT, offsetof(struct visibility_args, visited), .is_required = true},
    {.key = "allowed",
     FR_ARG_BOOL,
     offsetof(struct visibility_args, is_allowed),
     .is_required = true},
    {.key = "both", FR_ARG_BOOL, offsetof(struct visibility_args, both)},
    {.key = NULL},
};

static enum fr_err set_pair(struct fr_op_ctx *ctx, const struct visibility_args *args,
                            const char *home, const char *visited)
{
    return args->is_allowed ? fr_visibility_allow(ctx->change, home, visited, ctx->diag)
                            : fr_visibility_deny(ctx->change, home, visited, ctx->diag);
}

/* A home network decides who sees its devices; nobody else's. */
static enum fr_err check_home(const struct fr_op_ctx *ctx, const struct visibility_args *args)
{
    const char *member = fr_op_member(ctx);
    if (!member || (strcmp(member, args->home) == 0 && !args->both)) return FR_OK;
    return fr_diag_fail(ctx->diag, FR_E_DENIED, "%s decides about its own devices alone", member);
}

enum fr_err fr_op_visibility_set(struct fr_op_ctx *ctx)
{
    struct visibility_args args = {0};
    enum fr_err err = fr_args_decode(visibility_rows, ctx->args, ctx->diag, &args);
    if (!err) err = check_home(ctx, &args);
    if (!err) err = set_pair(ctx, &args, args.home, args.visited);
    if (!err && args.both) err = set_pair(ctx, &args, args.visited, args.home);
    if (err) return err;
    fr_op_put(ctx, ctx->result, "home", json_string(args.home));
    fr_op_put(ctx, ctx->result, "visited", json_string(args.visited));
    fr_op_put(ctx, ctx->result, "allowed", json_boolean(args.is_allowed));
    fr_op_put(ctx, ctx->result, "both", json_boolean(args.both));
    put_changed(ctx);
    return FR_OK;
}

/* --- device.set --- */

struct device_args {
    struct fr_arg_numbers devices;
    bool is_hidden;
};

static const struct fr_arg device_rows[] = {
    {.key = "devices",
     FR_ARG_EUIS,
     offsetof(struct device_args, devices),
     .is_required = true,
     .max = FR_DEVICE_APPLY_MAX},
    {.key = "hidden", FR_ARG_BOOL, offsetof(struct device_args, is_hidden), .is_required = true},
    {.key = NULL},
};

enum fr_err fr_op_device_set(struct fr_op_ctx *ctx)
{
    struct device_args args = {0};
    uint64_t changed = 0;
    enum fr_err err = fr_args_decode(device_rows, ctx->args, ctx->diag, &args);
    if (!err) err = fr_op_check_devices(ctx, args.devices.items, args.devices.n);
    if (!err)
        err = fr_device_set_hidden(ctx->change, args.devices.items, args.devices.n, args.is_hidden,
                                   ctx->diag, &changed);
    if (!err) {
        fr_op_put(ctx, ctx->result, "hidden", json_boolean(args.is_hidden));
        fr_op_put(ctx, ctx->result, "devices", fr_op_uint(changed));
        put_changed(ctx);
    }
    fr_args_free(device_rows, &args);
    return err;
}
