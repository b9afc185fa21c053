/* clock.accept, grace.open, grace.close, audit.rotate: what an operator says after an outage */
#include "admin/op.h"

#include "admin/args.h"
#include "admin/fed.h"
#include "store/acted.h"
#include "store/grace.h"

enum fr_err fr_op_clock_accept(struct fr_op_ctx *ctx)
{
    int64_t acted_s = 0;
    if (json_object_size(ctx->args))
        return fr_diag_fail(ctx->diag, FR_E_INVALID, "clock.accept has no arguments");
    enum fr_err err = fr_acted_get(fr_change_snap(ctx->change), &acted_s);
    if (err) return err;
    fr_op_put(ctx, ctx->result, "now", fr_op_time(ctx->by.now_s));
    if (acted_s) fr_op_put(ctx, ctx->result, "last", fr_op_time(acted_s));
    if (ctx->by.now_s < acted_s) err = fr_acted_set(ctx->change, ctx->by.now_s);
    fr_op_put(ctx, ctx->result, "changed", json_boolean(!fr_change_is_empty(ctx->change)));
    return err;
}

struct grace_args {
    const char *member, *until;
    bool is_all;
};

static const struct fr_arg open_rows[] = {
    {.key = "member", FR_ARG_TEXT, offsetof(struct grace_args, member)},
    {.key = "all", FR_ARG_BOOL, offsetof(struct grace_args, is_all)},
    {.key = "until", FR_ARG_TEXT, offsetof(struct grace_args, until), .is_required = true},
    {.key = NULL},
};

static const struct fr_arg close_rows[] = {
    {.key = "member", FR_ARG_TEXT, offsetof(struct grace_args, member)},
    {.key = "all", FR_ARG_BOOL, offsetof(struct grace_args, is_all)},
    {.key = NULL},
};

static enum fr_err read_grace(struct fr_op_ctx *ctx, const struct fr_arg *rows,
                              struct grace_args *args)
{
    enum fr_err err = fr_args_decode(rows, ctx->args, ctx->diag, args);
    if (err) return err;
    if ((args->member != NULL) == args->is_all || (args->member && !args->member[0]))
        return fr_diag_fail(ctx->diag, FR_E_INVALID, "give one of member and all");
    return FR_OK;
}

static void put_grace(struct fr_op_ctx *ctx, const struct grace_args *args)
{
    if (args->member) fr_op_put(ctx, ctx->result, "member", json_string(args->member));
    fr_op_put(ctx, ctx->result, "all", json_boolean(args->is_all));
    fr_op_put(ctx, ctx->result, "changed", json_boolean(!fr_change_is_empty(ctx->change)));
}

enum fr_err fr_op_grace_open(struct fr_op_ctx *ctx)
{
    struct grace_args args = {0};
    int64_t until_s = 0;
    enum fr_err err = read_grace(ctx, open_rows, &args);
    if (err) return err;
    if (fr_time_parse(fr_span_str(args.until), &until_s))
        return fr_diag_fail(ctx->diag, FR_E_INVALID,
                            "\"%s\" is not a time, as in 2026-11-20 or 2026-11-20T06:52:19Z",
                            args.until);
    err = fr_grace_open(ctx->change, args.is_all ? "" : args.member, until_s, ctx->diag);
    if (err) return err;
    fr_op_put(ctx, ctx->result, "until", fr_op_time(until_s));
    put_grace(ctx, &args);
    return FR_OK;
}

enum fr_err fr_op_grace_close(struct fr_op_ctx *ctx)
{
    struct grace_args args = {0};
    enum fr_err err = read_grace(ctx, close_rows, &args);
    if (!err) err = fr_grace_close(ctx->change, args.is_all ? "" : args.member, ctx->diag);
    if (!err) put_grace(ctx, &args);
    return err;
}

enum fr_err fr_op_audit_rotate(struct fr_op_ctx *ctx)
{
    char name[FR_AUDIT_NAME_MAX];
    if (json_object_size(ctx->args))
        return fr_diag_fail(ctx->diag, FR_E_INVALID, "audit.rotate has no arguments");
    fr_op_put(ctx, ctx->result, "changed", json_boolean(!ctx->dry_run));
    if (ctx->dry_run) return FR_OK;
    enum fr_err err =
        fr_audit_rotate(ctx->fed->audit, ctx->by.now_s, ctx->by.actor, ctx->diag, name);
    if (!err) fr_op_put(ctx, ctx->result, "file", json_string(name));
    return err;
}
