/* server.renew: the broker's own certificate */
#include "admin/op.h"

#include "admin/args.h"
#include "ca/server.h"

struct server_args {
    const char *host;
    bool new_key;
};

static const struct fr_arg rows[] = {
    {.key = "new_key", FR_ARG_BOOL, offsetof(struct server_args, new_key)},
    {.key = "host", FR_ARG_TEXT, offsetof(struct server_args, host)},
    {.key = NULL},
};

enum fr_err fr_op_server_renew_begin(struct fr_op_ctx *ctx, void **state)
{
    (void)ctx;
    *state = NULL;
    return FR_OK;
}

static enum fr_err find_host(struct fr_op_ctx *ctx, char out[FR_HOST_MAX + 1])
{
    struct fr_snap *snap = NULL;
    enum fr_err err = fr_snap_begin(ctx->store, &snap);
    if (err) return err;
    err = fr_server_find_host(fr_op_state(ctx), snap, ctx->diag, out);
    fr_snap_end(snap);
    return err;
}

static enum fr_err renew(struct fr_op_ctx *ctx, struct fr_ca *ca, const char *host, bool new_key)
{
    const struct fr_server_request request = {fr_op_state(ctx), host, new_key};
    struct fr_store_info info;
    struct fr_cert_row row;
    enum fr_err err = fr_server_renew(ca, ctx->store, &ctx->by, &request, ctx->diag, &row);
    if (!err) err = fr_store_read_info(ctx->store, &info);
    if (err) return err;
    *ctx->sequence = info.sequence;
    fr_op_put(ctx, ctx->result, "serial", fr_op_hex(row.serial, sizeof row.serial));
    fr_op_put(ctx, ctx->result, "not_before", fr_op_time(row.not_before_s));
    fr_op_put(ctx, ctx->result, "not_after", fr_op_time(row.not_after_s));
    return FR_OK;
}

/* Two commits and a signature are short. */
enum fr_err fr_op_server_renew_step(struct fr_op_ctx *ctx, void *state, unsigned budget_ms,
                                    bool *done)
{
    struct server_args args = {0};
    char host[FR_HOST_MAX + 1];
    struct fr_ca *ca = NULL;
    (void)state;
    (void)budget_ms;
    *done = true;
    enum fr_err err = fr_args_decode(rows, ctx->args, ctx->diag, &args);
    if (!err && !args.host) err = find_host(ctx, host);
    if (!err) err = fr_op_ca(ctx, &ca);
    if (!err) err = fr_ca_expect_issuing(ca, ctx->diag);
    if (err) return err;
    fr_op_put(ctx, ctx->result, "host", json_string(args.host ? args.host : host));
    fr_op_put(ctx, ctx->result, "new_key", json_boolean(args.new_key));
    fr_op_put(ctx, ctx->result, "changed", json_true());
    return ctx->dry_run ? FR_OK : renew(ctx, ca, args.host ? args.host : host, args.new_key);
}
