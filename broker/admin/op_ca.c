/* ca.prepare, ca.install, ca.activate, ca.taint: one issuing CA follows another */
#include "admin/op.h"

#include "admin/args.h"
#include "ca/rotate.h"

#define COUNT_MAX 8
#define CSR_MAX 8192

struct ca_args {
    const char *name;
    struct fr_arg_number count;
};

static const struct fr_arg prepare_rows[] = {
    {.key = "count", FR_ARG_UINT, offsetof(struct ca_args, count), .min = 1, .max = COUNT_MAX},
    {.key = NULL},
};

static const struct fr_arg name_rows[] = {
    {.key = "name", FR_ARG_TEXT, offsetof(struct ca_args, name), .is_required = true},
    {.key = NULL},
};

static const struct fr_arg no_rows[] = {{.key = NULL}};

static struct fr_rotation rotation(struct fr_op_ctx *ctx)
{
    return (struct fr_rotation){
        .dir = fr_op_state(ctx),
        .federation = fr_store_federation(ctx->store),
        .change = ctx->change,
        .passphrase = fr_op_passphrase(ctx),
        .dry_run = ctx->dry_run,
        .diag = ctx->diag,
    };
}

static enum fr_err prepare_one(struct fr_op_ctx *ctx, json_t *list,
                               char names[COUNT_MAX][FR_HOST_MAX + 1], size_t *n)
{
    const struct fr_rotation r = rotation(ctx);
    struct fr_buf csr = FR_BUF_INIT(CSR_MAX);
    enum fr_err err = fr_rotate_prepare(&r, names[*n], &csr);
    if (!err) {
        json_t *object = json_object();
        fr_op_put(ctx, object, "name", json_string(names[*n]));
        if (!ctx->dry_run) fr_op_put(ctx, object, "csr", json_stringn((const char *)csr.p, csr.n));
        fr_op_push(ctx, list, object);
        (*n)++;
    }
    fr_buf_deinit(&csr);
    return err;
}

enum fr_err fr_op_ca_prepare(struct fr_op_ctx *ctx)
{
    struct ca_args args = {0};
    char names[COUNT_MAX][FR_HOST_MAX + 1];
    size_t n = 0;
    enum fr_err err = fr_args_decode(prepare_rows, ctx->args, ctx->diag, &args);
    if (err) return err;
    const uint64_t count = args.count.is_set ? args.count.value : 1;
    json_t *list = json_array();
    while (!err && n < count) err = prepare_one(ctx, list, names, &n);
    for (size_t i = 0; err && !ctx->dry_run && i < n; i++)
        fr_rotate_unprepare(fr_op_state(ctx), names[i]);
    fr_op_put(ctx, ctx->result, "prepared", list);
    fr_op_put(ctx, ctx->result, "changed", json_true());
    return err;
}

static enum fr_err put_name(struct fr_op_ctx *ctx, const char *name)
{
    fr_op_put(ctx, ctx->result, "name", json_string(name));
    fr_op_put(ctx, ctx->result, "changed", json_boolean(!fr_change_is_empty(ctx->change)));
    return FR_OK;
}

enum fr_err fr_op_ca_install(struct fr_op_ctx *ctx)
{
    const struct fr_rotation r = rotation(ctx);
    char name[FR_HOST_MAX + 1];
    enum fr_err err = fr_args_decode(no_rows, ctx->args, ctx->diag, &(struct ca_args){0});
    if (!err) err = fr_rotate_install(&r, ctx->body, name);
    return err ? err : put_name(ctx, name);
}

enum fr_err fr_op_ca_activate(struct fr_op_ctx *ctx)
{
    const struct fr_rotation r = rotation(ctx);
    struct ca_args args = {0};
    char before[FR_HOST_MAX + 1] = "";
    enum fr_err err = fr_args_decode(name_rows, ctx->args, ctx->diag, &args);
    if (!err) err = fr_rotate_activate(&r, args.name, before);
    if (err) return err;
    fr_op_put(ctx, ctx->result, "before", json_string(before));
    return put_name(ctx, args.name);
}

enum fr_err fr_op_ca_taint(struct fr_op_ctx *ctx)
{
    const struct fr_rotation r = rotation(ctx);
    struct ca_args args = {0};
    enum fr_err err = fr_args_decode(name_rows, ctx->args, ctx->diag, &args);
    if (!err) err = fr_rotate_taint(&r, args.name);
    return err ? err : put_name(ctx, args.name);
}
