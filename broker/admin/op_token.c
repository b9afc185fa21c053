/* token.create, token.revoke, token.approve */
#include "admin/op.h"

#include "admin/args.h"
#include "admin/op_parts.h"
#include "base/mem.h"
#include "ca/token.h"

struct create_args {
    const char *member, *host;
    struct fr_arg_texts profiles, rights;
    struct fr_arg_number netid, joineui, ttl_s;
    bool approval;
};

static const struct fr_arg create_rows[] = {
    {.key = "member", FR_ARG_TEXT, offsetof(struct create_args, member), .is_required = true},
    {.key = "profiles",
     FR_ARG_TEXTS,
     offsetof(struct create_args, profiles),
     .is_required = true,
     .max = FR_TOKEN_SLOTS_MAX},
    {.key = "netid", FR_ARG_NETID, offsetof(struct create_args, netid)},
    {.key = "joineui", FR_ARG_EUI, offsetof(struct create_args, joineui)},
    {.key = "rights", FR_ARG_TEXTS, offsetof(struct create_args, rights), .max = 6},
    {.key = "host", FR_ARG_TEXT, offsetof(struct create_args, host)},
    {.key = "ttl_s", FR_ARG_UINT, offsetof(struct create_args, ttl_s), .min = 1, .max = UINT32_MAX},
    {.key = "approval", FR_ARG_BOOL, offsetof(struct create_args, approval)},
    {.key = NULL},
};

static enum fr_err request_of(struct fr_op_ctx *ctx, const struct create_args *args,
                              struct fr_token_request *out)
{
    *out = (struct fr_token_request){
        .member = args->member,
        .n_profiles = args->profiles.n,
        .netid = (uint32_t)args->netid.value,
        .joineui = args->joineui.value,
        .host = args->host,
        .life_s = (uint32_t)args->ttl_s.value,
        .needs_approval = args->approval,
    };
    for (size_t i = 0; i < args->profiles.n; i++) {
        enum fr_err err = fr_op_parse_profile(ctx, args->profiles.items[i], &out->profiles[i]);
        if (err) return err;
    }
    return fr_op_parse_rights(ctx, &args->rights, &out->rights);
}

/* The text is the only place where the secret ever is; a trial run has none to show. */
static enum fr_err put_text(struct fr_op_ctx *ctx, const struct fr_token_row *row,
                            const uint8_t *secret)
{
    struct fr_buf text = FR_BUF_INIT(FR_TOKEN_TEXT_MAX);
    enum fr_err err = fr_token_print(fr_change_snap(ctx->change), row, secret, &text);
    if (!err) fr_op_put(ctx, ctx->result, "token", json_stringn((const char *)text.p, text.n));
    fr_buf_deinit_secret(&text);
    return err;
}

static void put_row(struct fr_op_ctx *ctx, const struct fr_token_row *row)
{
    json_t *profiles = json_array();
    for (uint8_t i = 0; i < row->n_slots; i++)
        fr_op_push(ctx, profiles, json_string(fr_profile_text(row->slots[i].profile)));
    if (!ctx->dry_run) fr_op_put(ctx, ctx->result, "id", fr_op_hex(row->id, sizeof row->id));
    fr_op_put(ctx, ctx->result, "member", json_string(row->member));
    fr_op_put(ctx, ctx->result, "profiles", profiles);
    if (row->netid) fr_op_put(ctx, ctx->result, "netid", fr_op_netid(row->netid));
    if (row->joineui) fr_op_put(ctx, ctx->result, "joineui", fr_op_eui(row->joineui));
    if (row->host[0]) fr_op_put(ctx, ctx->result, "host", json_string(row->host));
    fr_op_put(ctx, ctx->result, "expires", fr_op_time(row->expires_s));
    fr_op_put(ctx, ctx->result, "changed", json_true());
}

enum fr_err fr_op_token_create(struct fr_op_ctx *ctx)
{
    struct create_args args = {0};
    struct fr_token_request request;
    struct fr_token_row row;
    uint8_t secret[FR_TOKEN_SECRET_SIZE] = {0};
    enum fr_err err = fr_args_decode(create_rows, ctx->args, ctx->diag, &args);
    if (!err) err = request_of(ctx, &args, &request);
    if (!err) err = fr_token_create(ctx->change, &request, ctx->diag, &row, secret);
    if (!err) put_row(ctx, &row);
    if (!err && !ctx->dry_run) err = put_text(ctx, &row, secret);
    fr_secret_zero(secret, sizeof secret);
    fr_args_free(create_rows, &args);
    return err;
}

struct id_args {
    struct fr_arg_serial id;
};

static const struct fr_arg id_rows[] = {
    {.key = "id", FR_ARG_SERIAL, offsetof(struct id_args, id), .is_required = true},
    {.key = NULL},
};

static void put_outcome(struct fr_op_ctx *ctx, const struct id_args *args)
{
    fr_op_put(ctx, ctx->result, "id", fr_op_hex(args->id.b, sizeof args->id.b));
    fr_op_put(ctx, ctx->result, "changed", json_boolean(!fr_change_is_empty(ctx->change)));
}

enum fr_err fr_op_token_revoke(struct fr_op_ctx *ctx)
{
    struct id_args args = {0};
    enum fr_err err = fr_args_decode(id_rows, ctx->args, ctx->diag, &args);
    if (!err) err = fr_token_revoke(ctx->change, args.id.b, ctx->diag);
    if (!err) put_outcome(ctx, &args);
    return err;
}

enum fr_err fr_op_token_approve(struct fr_op_ctx *ctx)
{
    struct id_args args = {0};
    size_t n = 0;
    enum fr_err err = fr_args_decode(id_rows, ctx->args, ctx->diag, &args);
    if (!err) err = fr_token_approve(ctx->change, args.id.b, ctx->diag, &n);
    if (err) return err;
    put_outcome(ctx, &args);
    fr_op_put(ctx, ctx->result, "approved", fr_op_uint(n));
    return FR_OK;
}
