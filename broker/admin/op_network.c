/* network.set, network.suspend, network.resume, policy.set */
#include "admin/op.h"

#include "admin/args.h"
#include "admin/op_parts.h"
#include "store/network.h"
#include "store/policy.h"

static void put_changed(struct fr_op_ctx *ctx)
{
    fr_op_put(ctx, ctx->result, "changed", json_boolean(!fr_change_is_empty(ctx->change)));
}

/* --- network.set --- */

struct network_args {
    struct fr_arg_number netid;
    struct fr_arg_texts endpoints;
};

static const struct fr_arg network_rows[] = {
    {.key = "netid", FR_ARG_NETID, offsetof(struct network_args, netid), .is_required = true},
    {.key = "endpoints",
     FR_ARG_TEXTS,
     offsetof(struct network_args, endpoints),
     .is_required = true,
     .max = FR_ENDPOINTS_MAX},
    {.key = NULL},
};

enum fr_err fr_op_network_set(struct fr_op_ctx *ctx)
{
    struct network_args args = {0};
    struct fr_addr endpoints[FR_ENDPOINTS_MAX];
    struct fr_network_row row;
    size_t n = 0;
    enum fr_err err = fr_args_decode(network_rows, ctx->args, ctx->diag, &args);
    if (err) goto out;
    err = fr_op_check_netid(ctx, fr_change_snap(ctx->change), (uint32_t)args.netid.value);
    if (err) goto out;
    err = fr_op_parse_endpoints(ctx, &args.endpoints, endpoints, FR_ENDPOINTS_MAX, &n);
    if (err) goto out;
    err =
        fr_network_set_endpoints(ctx->change, (uint32_t)args.netid.value, endpoints, n, ctx->diag);
    if (err) goto out;
    err = fr_network_get(fr_change_snap(ctx->change), (uint32_t)args.netid.value, &row);
    if (err) goto out;
    fr_op_put(ctx, ctx->result, "netid", fr_op_netid(row.netid));
    fr_op_put(ctx, ctx->result, "member", json_string(row.member));
    fr_op_put(ctx, ctx->result, "endpoints", fr_op_endpoints(ctx, row.endpoints, row.n_endpoints));
    put_changed(ctx);
out:
    fr_args_free(network_rows, &args);
    return err;
}

/* --- network.suspend, network.resume --- */

static const struct fr_arg state_rows[] = {
    {.key = "netid", FR_ARG_NETID, offsetof(struct network_args, netid), .is_required = true},
    {.key = NULL},
};

static enum fr_err set_state(struct fr_op_ctx *ctx, enum fr_network_state state)
{
    struct network_args args = {0};
    enum fr_err err = fr_args_decode(state_rows, ctx->args, ctx->diag, &args);
    if (err) return err;
    err = fr_network_set_state(ctx->change, (uint32_t)args.netid.value, state, ctx->diag);
    if (err) return err;
    fr_op_put(ctx, ctx->result, "netid", fr_op_netid((uint32_t)args.netid.value));
    fr_op_put(ctx, ctx->result, "state", json_string(fr_network_state_text(state)));
    put_changed(ctx);
    return FR_OK;
}

enum fr_err fr_op_network_suspend(struct fr_op_ctx *ctx)
{
    return set_state(ctx, FR_NETWORK_SUSPENDED);
}

enum fr_err fr_op_network_resume(struct fr_op_ctx *ctx)
{
    return set_state(ctx, FR_NETWORK_ACTIVE);
}

/* --- policy.set --- */

struct policy_args {
    struct fr_arg_pairs set;
};

static const struct fr_arg policy_rows[] = {
    {.key = "set",
     FR_ARG_PAIRS,
     offsetof(struct policy_args, set),
     .is_required = true,
     .max = FR_POLICY_COUNT},
    {.key = NULL},
};

static void put_value(struct fr_op_ctx *ctx, json_t *object, const struct fr_policy_about *about,
                      uint32_t value)
{
    fr_op_put(ctx, object, about->name,
              about->unit == FR_POLICY_WORD ? json_string(about->words[value]) : fr_op_uint(value));
}

static enum fr_err put_policy(struct fr_op_ctx *ctx)
{
    struct fr_policy policy;
    enum fr_err err = fr_policy_read(fr_change_snap(ctx->change), &policy);
    if (err) return err;
    json_t *object = json_object();
    for (int key = 0; key < FR_POLICY_COUNT; key++)
        put_value(ctx, object, fr_policy_about((enum fr_policy_key)key), policy.value[key]);
    fr_op_put(ctx, ctx->result, "policy", object);
    put_changed(ctx);
    return FR_OK;
}

enum fr_err fr_op_policy_set(struct fr_op_ctx *ctx)
{
    struct policy_args args = {0};
    enum fr_err err = fr_args_decode(policy_rows, ctx->args, ctx->diag, &args);
    for (size_t i = 0; !err && i < args.set.n; i++) {
        enum fr_policy_key key;
        err = fr_policy_find(args.set.keys[i], ctx->diag, &key);
        if (!err) err = fr_policy_set(ctx->change, key, args.set.values[i], ctx->diag);
    }
    if (!err) err = put_policy(ctx);
    fr_args_free(policy_rows, &args);
    return err;
}
