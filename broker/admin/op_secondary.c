/* zone.secondary.set, zone.secondary.remove: which name servers may copy the zone. */
#include "admin/args.h"
#include "admin/op_tsig.h"
#include "store/downstream.h"

#include <string.h>

#define PORT_DNS 53

struct set_args {
    const char *name, *tsig_name, *tsig_algorithm;
    struct fr_arg_texts addresses;
    bool has_xot;
};

static const struct fr_arg set_rows[] = {
    {.key = "name", FR_ARG_TEXT, offsetof(struct set_args, name), .is_required = true},
    {.key = "addresses",
     FR_ARG_TEXTS,
     offsetof(struct set_args, addresses),
     .max = FR_DOWNSTREAM_ADDRS_MAX},
    {.key = "tsig_name", FR_ARG_TEXT, offsetof(struct set_args, tsig_name)},
    {.key = "tsig_algorithm", FR_ARG_TEXT, offsetof(struct set_args, tsig_algorithm)},
    {.key = "xot", FR_ARG_BOOL, offsetof(struct set_args, has_xot)},
    {.key = NULL},
};

static enum fr_err put_addresses(struct fr_op_ctx *ctx, const struct set_args *args,
                                 struct fr_downstream_row *row)
{
    for (size_t i = 0; i < args->addresses.n; i++) {
        const char *text = args->addresses.items[i];
        struct fr_addr *addr = &row->addrs[row->n_addrs];
        if (fr_addr_parse(fr_span_str(text), PORT_DNS, addr) || fr_ip_is_any(&addr->ip))
            return fr_diag_fail(ctx->diag, FR_E_INVALID, "\"%s\" is not the address of a server",
                                text);
        row->n_addrs++;
    }
    return FR_OK;
}

/* Without a secret the one that is there stays, if the key is the same. */
static enum fr_err put_key(struct fr_op_ctx *ctx, const struct set_args *args,
                           struct fr_downstream_row *row)
{
    struct fr_downstream_row old;
    if (!args->tsig_name) return FR_OK;
    enum fr_err err = fr_op_tsig_algorithm(ctx, args->tsig_algorithm, row->key_algorithm);
    if (!err)
        err = fr_op_dns_name(ctx, args->tsig_name, "the TSIG key", row->key_name,
                             sizeof row->key_name);
    if (err) return err;
    if (ctx->body.n) return fr_op_tsig_secret(ctx, ctx->body, row->key_id);
    err = fr_downstream_get(fr_change_snap(ctx->change), row->name, &old);
    if (err || strcmp(old.key_name, row->key_name) != 0)
        return fr_diag_fail(ctx->diag, FR_E_INVALID, "the secret of the TSIG key %s is missing",
                            row->key_name);
    memcpy(row->key_id, old.key_id, sizeof row->key_id);
    return FR_OK;
}

static enum fr_err set(struct fr_op_ctx *ctx, const struct set_args *args)
{
    struct fr_downstream_row row = {.has_xot = args->has_xot};
    if (!fr_span_copy(fr_span_str(args->name), row.name, sizeof row.name))
        return fr_diag_fail(ctx->diag, FR_E_INVALID, "the name \"%s\" is too long", args->name);
    enum fr_err err = put_addresses(ctx, args, &row);
    if (!err) err = put_key(ctx, args, &row);
    if (!err) err = fr_downstream_put(ctx->change, &row, ctx->diag);
    if (err) return err;
    json_t *addresses = json_array();
    for (uint8_t i = 0; i < row.n_addrs; i++) {
        char text[FR_ADDR_TEXT];
        fr_addr_print(&row.addrs[i], text);
        fr_op_push(ctx, addresses, json_string(text));
    }
    fr_op_put(ctx, ctx->result, "name", json_string(row.name));
    fr_op_put(ctx, ctx->result, "addresses", addresses);
    fr_op_put(ctx, ctx->result, "changed", json_boolean(!fr_change_is_empty(ctx->change)));
    return FR_OK;
}

enum fr_err fr_op_secondary_set(struct fr_op_ctx *ctx)
{
    struct set_args args = {0};
    enum fr_err err = fr_args_decode(set_rows, ctx->args, ctx->diag, &args);
    if (!err) err = set(ctx, &args);
    fr_args_free(set_rows, &args);
    return err;
}

struct remove_args {
    const char *name;
};

static const struct fr_arg remove_rows[] = {
    {.key = "name", FR_ARG_TEXT, offsetof(struct remove_args, name), .is_required = true},
    {.key = NULL},
};

enum fr_err fr_op_secondary_remove(struct fr_op_ctx *ctx)
{
    struct remove_args args = {0};
    enum fr_err err = fr_args_decode(remove_rows, ctx->args, ctx->diag, &args);
    if (!err) err = fr_downstream_remove(ctx->change, args.name);
    if (err == FR_E_NOT_FOUND) {
        err = fr_diag_fail(ctx->diag, err, "there is no secondary %s", args.name);
        fr_diag_hint(ctx->diag, "see: fedroam zone secondary list");
    }
    if (!err) {
        fr_op_put(ctx, ctx->result, "name", json_string(args.name));
        fr_op_put(ctx, ctx->result, "changed", json_true());
    }
    fr_args_free(remove_rows, &args);
    return err;
}
