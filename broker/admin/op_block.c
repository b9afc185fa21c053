/* block.add, block.remove: which EUIs a member may publish. */
#include "admin/op.h"

#include "admin/args.h"
#include "store/block.h"

struct block_args {
    const char *member;
    struct fr_arg_texts blocks;
};

static const struct fr_arg rows[] = {
    {.key = "member", FR_ARG_TEXT, offsetof(struct block_args, member), .is_required = true},
    {.key = "blocks",
     FR_ARG_TEXTS,
     offsetof(struct block_args, blocks),
     .is_required = true,
     .max = FR_BLOCKS_MAX},
    {.key = NULL},
};

struct listing {
    struct fr_op_ctx *ctx;
    json_t *list;
};

static enum fr_err put_block(void *data, const struct fr_block_row *row)
{
    struct listing *listing = data;
    char text[FR_BLOCK_TEXT];
    fr_block_print(row->base, row->bits, text);
    fr_op_push(listing->ctx, listing->list, json_string(text));
    return FR_OK;
}

typedef enum fr_err (*block_fn)(struct fr_change *, const char *, uint64_t, uint8_t,
                                struct fr_diag *);

static enum fr_err run(struct fr_op_ctx *ctx, block_fn fn)
{
    struct block_args args = {0};
    uint64_t base = 0;
    uint8_t bits = 0;
    enum fr_err err = fr_args_decode(rows, ctx->args, ctx->diag, &args);
    for (size_t i = 0; !err && i < args.blocks.n; i++) {
        err = fr_block_parse(fr_span_str(args.blocks.items[i]), ctx->diag, &base, &bits);
        if (!err) err = fn(ctx->change, args.member, base, bits, ctx->diag);
    }
    if (err) goto out;
    struct listing listing = {ctx, json_array()};
    err = fr_block_each(fr_change_snap(ctx->change), args.member, put_block, &listing);
    fr_op_put(ctx, ctx->result, "member", json_string(args.member));
    fr_op_put(ctx, ctx->result, "blocks", listing.list);
    fr_op_put(ctx, ctx->result, "changed", json_boolean(!fr_change_is_empty(ctx->change)));
out:
    fr_args_free(rows, &args);
    return err;
}

enum fr_err fr_op_block_add(struct fr_op_ctx *ctx)
{
    return run(ctx, fr_block_add);
}

enum fr_err fr_op_block_remove(struct fr_op_ctx *ctx)
{
    return run(ctx, fr_block_remove);
}
