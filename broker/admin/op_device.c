/* device.add, device.remove: single devices, or a few. Sets of any size: zone.import. */
#include "admin/op.h"

#include "admin/args.h"
#include "admin/op_parts.h"
#include "names/eui.h"
#include "store/device.h"

#include <inttypes.h>

struct device_args {
    struct fr_arg_number netid;
    struct fr_arg_numbers devices;
};

static const struct fr_arg add_rows[] = {
    {.key = "netid", FR_ARG_NETID, offsetof(struct device_args, netid), .is_required = true},
    {.key = "devices",
     FR_ARG_EUIS,
     offsetof(struct device_args, devices),
     .is_required = true,
     .max = FR_DEVICE_APPLY_MAX},
    {.key = NULL},
};

static const struct fr_arg remove_rows[] = {
    {.key = "netid", FR_ARG_NETID, offsetof(struct device_args, netid)},
    {.key = "devices",
     FR_ARG_EUIS,
     offsetof(struct device_args, devices),
     .is_required = true,
     .max = FR_DEVICE_APPLY_MAX},
    {.key = NULL},
};

static void put_count(struct fr_op_ctx *ctx, const struct fr_device_report *report,
                      enum fr_device_outcome outcome)
{
    fr_op_put(ctx, ctx->result, fr_device_outcome_text(outcome),
              fr_op_uint(report->count[outcome]));
}

/* The first refused device and why, for the sentence: one that is asked for singly deserves its
 * reason. */
struct refusal {
    struct fr_op_ctx *ctx;
    uint32_t netid;
    uint64_t n;
    uint64_t eui;
    enum fr_device_outcome outcome;
    char owner[FR_MEMBER_ID_MAX + 1];
};

static void note_refused(void *data, const struct fr_device_refusal *r)
{
    struct refusal *refusal = data;
    if (r->outcome == FR_DEVICE_TAKEN) fr_op_note_conflict(refusal->ctx, refusal->netid, r->deveui);
    if (refusal->n++) return;
    refusal->eui = r->deveui;
    refusal->outcome = r->outcome;
    if (r->owner) (void)fr_span_copy(fr_span_str(r->owner), refusal->owner, sizeof refusal->owner);
}

/* "taken by acme" */
static const char *text_of(enum fr_device_outcome outcome)
{
    if (outcome == FR_DEVICE_OUTSIDE) return "outside of the EUI blocks of the network's member";
    if (outcome == FR_DEVICE_UNRELEASED) return "not released";
    return fr_device_outcome_text(outcome);
}

static enum fr_err refuse(struct fr_op_ctx *ctx, enum fr_err err, const struct refusal *refusal)
{
    char eui[FR_EUI_TEXT];
    if (!refusal->n) return err;
    fr_eui_print(refusal->eui, eui);
    err = fr_diag_fail(ctx->diag, err, "device %s: %s%s%s; nothing was changed", eui,
                       text_of(refusal->outcome), refusal->owner[0] ? " by " : "", refusal->owner);
    if (refusal->n > 1)
        fr_diag_hint(ctx->diag, "%llu devices were refused", (unsigned long long)refusal->n);
    return err;
}

static enum fr_err check_own(struct fr_op_ctx *ctx, const struct device_args *args,
                             enum fr_device_mode mode)
{
    struct fr_snap *snap = fr_change_snap(ctx->change);
    enum fr_err err = FR_OK;
    if (args->netid.is_set) err = fr_op_check_netid(ctx, snap, (uint32_t)args->netid.value);
    if (!err && mode == FR_DEVICE_REMOVE)
        err = fr_op_check_devices(ctx, args->devices.items, args->devices.n);
    return err;
}

enum fr_err fr_op_run_devices(struct fr_op_ctx *ctx, enum fr_device_mode mode)
{
    static const enum fr_device_outcome told[][4] = {
        [FR_DEVICE_ADD] = {FR_DEVICE_ADDED, FR_DEVICE_MOVED, FR_DEVICE_SAME, FR_DEVICE_REPEATED},
        [FR_DEVICE_REMOVE] = {FR_DEVICE_REMOVED, FR_DEVICE_ABSENT, FR_DEVICE_REPEATED,
                              FR_DEVICE_REPEATED},
        [FR_DEVICE_CLAIM] = {FR_DEVICE_MOVED, FR_DEVICE_SAME, FR_DEVICE_REPEATED,
                             FR_DEVICE_REPEATED},
        [FR_DEVICE_MOVE] = {FR_DEVICE_MOVED, FR_DEVICE_SAME, FR_DEVICE_REPEATED,
                            FR_DEVICE_REPEATED},
    };
    const struct fr_arg *rows = mode == FR_DEVICE_REMOVE ? remove_rows : add_rows;
    struct device_args args = {0};
    struct fr_device_report report = {0};
    enum fr_err err = fr_args_decode(rows, ctx->args, ctx->diag, &args);
    if (err) goto out;
    err = check_own(ctx, &args, mode);
    if (err) goto out;
    struct refusal refusal = {.ctx = ctx, .netid = (uint32_t)args.netid.value};
    struct fr_device_job job = {
        .refused = note_refused,
        .data = &refusal,
        .netid = (uint32_t)args.netid.value,
        .member = fr_op_member(ctx),
        .mode = mode,
        .euis = args.devices.items,
        .n = args.devices.n,
    };
    err = fr_device_apply(ctx->change, &job, ctx->diag, &report);
    if (err) {
        err = refuse(ctx, err, &refusal);
        goto out;
    }
    for (size_t i = 0; i < sizeof told[0] / sizeof told[0][0]; i++)
        put_count(ctx, &report, told[mode][i]);
    fr_op_put(ctx, ctx->result, "changed", json_boolean(!fr_change_is_empty(ctx->change)));
out:
    fr_args_free(rows, &args);
    return err;
}

enum fr_err fr_op_device_add(struct fr_op_ctx *ctx)
{
    return fr_op_run_devices(ctx, FR_DEVICE_ADD);
}

enum fr_err fr_op_device_remove(struct fr_op_ctx *ctx)
{
    return fr_op_run_devices(ctx, FR_DEVICE_REMOVE);
}
