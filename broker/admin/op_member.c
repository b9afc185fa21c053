/* member.add, member.set, member.suspend, member.resume, member.remove */
#include "admin/op.h"

#include "admin/args.h"
#include "admin/op_parts.h"
#include "base/mem.h"
#include "ca/member.h"

struct member_args {
    const char *id;
    struct fr_arg_numbers netids, removed;
    bool is_auto;
    struct fr_arg_texts endpoints;
    const char *org, *noc, *security;
};

static const struct fr_arg add_rows[] = {
    {.key = "id", FR_ARG_TEXT, offsetof(struct member_args, id), .is_required = true},
    {.key = "netids",
     FR_ARG_NETIDS,
     offsetof(struct member_args, netids),
     .max = FR_MEMBER_NETIDS_MAX},
    {.key = "netid_auto", FR_ARG_BOOL, offsetof(struct member_args, is_auto)},
    {.key = "endpoints",
     FR_ARG_TEXTS,
     offsetof(struct member_args, endpoints),
     .max = FR_ENDPOINTS_MAX},
    {.key = "org", FR_ARG_TEXT, offsetof(struct member_args, org)},
    {.key = "noc", FR_ARG_TEXT, offsetof(struct member_args, noc)},
    {.key = "security", FR_ARG_TEXT, offsetof(struct member_args, security)},
    {.key = NULL},
};

static const struct fr_arg set_rows[] = {
    {.key = "id", FR_ARG_TEXT, offsetof(struct member_args, id), .is_required = true},
    {.key = "netids",
     FR_ARG_NETIDS,
     offsetof(struct member_args, netids),
     .max = FR_MEMBER_NETIDS_MAX},
    {.key = "remove_netids",
     FR_ARG_NETIDS,
     offsetof(struct member_args, removed),
     .max = FR_MEMBER_NETIDS_MAX},
    {.key = "endpoints",
     FR_ARG_TEXTS,
     offsetof(struct member_args, endpoints),
     .max = FR_ENDPOINTS_MAX},
    {.key = "org", FR_ARG_TEXT, offsetof(struct member_args, org)},
    {.key = "noc", FR_ARG_TEXT, offsetof(struct member_args, noc)},
    {.key = "security", FR_ARG_TEXT, offsetof(struct member_args, security)},
    {.key = NULL},
};

struct id_args {
    const char *id;
};

static const struct fr_arg id_rows[] = {
    {.key = "id", FR_ARG_TEXT, offsetof(struct id_args, id), .is_required = true},
    {.key = NULL},
};

/* --- results --- */

struct networks_walk {
    struct fr_op_ctx *ctx;
    struct fr_snap *snap;
    json_t *list;
};

static enum fr_err put_network(void *data, const struct fr_network_row *row)
{
    struct networks_walk *walk = data;
    struct fr_op_ctx *ctx = walk->ctx;
    struct fr_netid_notice notice;
    char prefix[FR_DEVADDR_PREFIX_TEXT];
    enum fr_err err = fr_netid_notice_read(walk->snap, row->netid, &notice);
    if (err) return err;
    json_t *network = json_object(), *shared = json_array();
    fr_devaddr_prefix_print(notice.prefix, prefix);
    fr_op_put(ctx, network, "netid", fr_op_netid(row->netid));
    fr_op_put(ctx, network, "endpoints", fr_op_endpoints(ctx, row->endpoints, row->n_endpoints));
    fr_op_put(ctx, network, "devaddr_prefix", json_string(prefix));
    fr_op_put(ctx, network, "devaddrs", fr_op_uint(notice.address_count));
    fr_op_put(ctx, network, "can_be_shared", json_boolean(notice.can_be_shared));
    for (size_t i = 0; i < notice.shared_count && i < FR_SHARED_MAX; i++)
        fr_op_push(ctx, shared, fr_op_netid(notice.shared_with[i]));
    fr_op_put(ctx, network, "shared_with", shared);
    fr_op_push(ctx, walk->list, network);
    return FR_OK;
}

static enum fr_err put_member(struct fr_op_ctx *ctx, const char *id, bool with_networks)
{
    struct fr_member_row row;
    struct fr_snap *snap = fr_change_snap(ctx->change);
    enum fr_err err = fr_member_get(snap, id, &row);
    if (err) return err;
    fr_op_put(ctx, ctx->result, "id", json_string(row.id));
    fr_op_put(ctx, ctx->result, "state", json_string(fr_member_state_text(row.state)));
    fr_op_put(ctx, ctx->result, "changed", json_boolean(!fr_change_is_empty(ctx->change)));
    if (!with_networks) return FR_OK;
    fr_op_put(ctx, ctx->result, "org", json_string(row.org));
    fr_op_put(ctx, ctx->result, "noc", json_string(row.noc));
    fr_op_put(ctx, ctx->result, "security", json_string(row.security));
    struct networks_walk walk = {ctx, snap, json_array()};
    err = fr_network_each_of(snap, id, put_network, &walk);
    fr_op_put(ctx, ctx->result, "networks", walk.list);
    return err;
}

/* --- add and set --- */

typedef enum fr_err (*member_fn)(struct fr_change *change, const struct fr_member_request *request,
                                 struct fr_diag *diag);

static size_t netids_of(const struct fr_arg_numbers *numbers, uint32_t out[FR_MEMBER_NETIDS_MAX])
{
    for (size_t i = 0; i < numbers->n; i++) out[i] = (uint32_t)numbers->items[i];
    return numbers->n;
}

static enum fr_err run_member(struct fr_op_ctx *ctx, const struct fr_arg *rows, member_fn fn)
{
    struct member_args args = {0};
    uint32_t netids[FR_MEMBER_NETIDS_MAX], removed[FR_MEMBER_NETIDS_MAX];
    struct fr_addr endpoints[FR_ENDPOINTS_MAX];
    struct fr_member_request request = {
        .netids = netids, .removed_netids = removed, .endpoints = endpoints};
    enum fr_err err = fr_args_decode(rows, ctx->args, ctx->diag, &args);
    if (err) goto out;
    request.id = args.id;
    request.org = args.org;
    request.noc = args.noc;
    request.security = args.security;
    request.wants_free_netid = args.is_auto;
    request.netid_count = netids_of(&args.netids, netids);
    request.removed_netid_count = netids_of(&args.removed, removed);
    err = fr_op_parse_endpoints(ctx, &args.endpoints, endpoints, FR_ENDPOINTS_MAX,
                                &request.endpoint_count);
    if (err) goto out;
    err = fn(ctx->change, &request, ctx->diag);
    if (err) goto out;
    err = put_member(ctx, args.id, true);
out:
    fr_args_free(rows, &args);
    return err;
}

enum fr_err fr_op_member_add(struct fr_op_ctx *ctx)
{
    return run_member(ctx, add_rows, fr_member_create);
}

enum fr_err fr_op_member_set(struct fr_op_ctx *ctx)
{
    return run_member(ctx, set_rows, fr_member_update);
}

/* --- suspend, resume --- */

static enum fr_err run_state(struct fr_op_ctx *ctx,
                             enum fr_err (*fn)(struct fr_change *, const char *, struct fr_diag *))
{
    struct id_args args = {0};
    enum fr_err err = fr_args_decode(id_rows, ctx->args, ctx->diag, &args);
    if (err) return err;
    err = fn(ctx->change, args.id, ctx->diag);
    if (err) return err;
    return put_member(ctx, args.id, false);
}

enum fr_err fr_op_member_suspend(struct fr_op_ctx *ctx)
{
    return run_state(ctx, fr_member_suspend);
}

enum fr_err fr_op_member_resume(struct fr_op_ctx *ctx)
{
    return run_state(ctx, fr_member_resume);
}

/* --- remove: the state at once, the rows in slices --- */

struct removal {
    const char *id; /* borrowed from the arguments */
    bool is_marked;
};

enum fr_err fr_op_member_remove_begin(struct fr_op_ctx *ctx, void **state)
{
    struct id_args args = {0};
    enum fr_err err = fr_args_decode(id_rows, ctx->args, ctx->diag, &args);
    if (err) return err;
    struct removal *removal = fr_calloc(1, sizeof *removal);
    if (!removal) return FR_E_NOMEM;
    removal->id = args.id;
    *state = removal;
    return FR_OK;
}

static enum fr_err mark_removed(struct fr_op_ctx *ctx, const char *id)
{
    enum fr_err err = fr_store_change(ctx->store, &ctx->by, ctx->diag, &ctx->change);
    if (err) return err;
    err = fr_member_remove(ctx->change, id, ctx->diag);
    if (!err) err = put_member(ctx, id, false);
    if (err || ctx->dry_run)
        fr_change_cancel(ctx->change);
    else
        err = fr_change_commit(ctx->change, ctx->diag, ctx->sequence);
    ctx->change = NULL;
    return err;
}

enum fr_err fr_op_member_remove_step(struct fr_op_ctx *ctx, void *state, unsigned budget_ms,
                                     bool *done)
{
    struct removal *removal = state;
    if (removal->is_marked)
        return fr_member_clean(ctx->store, removal->id, &ctx->by, budget_ms, ctx->diag, done);
    enum fr_err err = mark_removed(ctx, removal->id);
    removal->is_marked = true;
    *done = !err && ctx->dry_run;
    return err;
}

void fr_op_member_remove_end(void *state)
{
    fr_free(state);
}
