/* zone.primary.set, .remove, .refresh, zone.accept: which name servers devices are transferred from. */
#include "admin/op_tsig.h"

#include "admin/args.h"
#include "admin/transfer.h"
#include "base/hex.h"
#include "base/mem.h"
#include "store/primary.h"

#include <string.h>

#define PORT_DNS 53
#define PORT_DOT 853
#define REFRESH_MIN_S 60
#define REFRESH_MAX_S 86400
#define MAX_GONE 5

struct set_args {
    const char *member, *zone, *tsig_name, *tsig_algorithm, *tls_name, *pin;
    struct fr_arg_texts addresses;
    struct fr_arg_numbers netids;
    bool has_tls;
    struct fr_arg_number refresh_min_s, refresh_max_s, max_gone;
};

static const struct fr_arg set_rows[] = {
    {.key = "member", FR_ARG_TEXT, offsetof(struct set_args, member), .is_required = true},
    {.key = "zone", FR_ARG_TEXT, offsetof(struct set_args, zone), .is_required = true},
    {.key = "addresses",
     FR_ARG_TEXTS,
     offsetof(struct set_args, addresses),
     .is_required = true,
     .max = FR_PRIMARY_ADDRS_MAX},
    {.key = "netids",
     FR_ARG_NETIDS,
     offsetof(struct set_args, netids),
     .is_required = true,
     .max = FR_PRIMARY_NETIDS_MAX},
    {.key = "tsig_name", FR_ARG_TEXT, offsetof(struct set_args, tsig_name)},
    {.key = "tsig_algorithm", FR_ARG_TEXT, offsetof(struct set_args, tsig_algorithm)},
    {.key = "tls", FR_ARG_BOOL, offsetof(struct set_args, has_tls)},
    {.key = "tls_name", FR_ARG_TEXT, offsetof(struct set_args, tls_name)},
    {.key = "pin", FR_ARG_TEXT, offsetof(struct set_args, pin)},
    {.key = "refresh_min_s",
     FR_ARG_UINT,
     offsetof(struct set_args, refresh_min_s),
     .min = 1,
     .max = 604800},
    {.key = "refresh_max_s",
     FR_ARG_UINT,
     offsetof(struct set_args, refresh_max_s),
     .min = 1,
     .max = 604800},
    {.key = "max_gone", FR_ARG_UINT, offsetof(struct set_args, max_gone), .max = 100},
    {.key = NULL},
};

static enum fr_err put_addresses(struct fr_op_ctx *ctx, const struct set_args *args,
                                 struct fr_primary_row *row)
{
    for (size_t i = 0; i < args->addresses.n; i++) {
        const char *text = args->addresses.items[i];
        struct fr_addr *addr = &row->addrs[row->n_addrs];
        enum fr_err err =
            fr_addr_parse(fr_span_str(text), args->has_tls ? PORT_DOT : PORT_DNS, addr);
        if (err || fr_ip_is_any(&addr->ip))
            return fr_diag_fail(ctx->diag, FR_E_INVALID, "\"%s\" is not the address of a server",
                                text);
        row->n_addrs++;
    }
    for (size_t i = 0; i < args->netids.n; i++)
        row->netids[row->n_netids++] = (uint32_t)args->netids.items[i];
    return FR_OK;
}

static enum fr_err put_tls(struct fr_op_ctx *ctx, const struct set_args *args, struct fr_span ca,
                           struct fr_primary_row *row)
{
    row->has_tls = args->has_tls;
    if (!args->has_tls && (args->tls_name || args->pin || ca.n))
        return fr_diag_fail(ctx->diag, FR_E_INVALID, "name, pin and CA are for a server with TLS");
    if (args->tls_name) {
        enum fr_err err = fr_op_dns_name(ctx, args->tls_name, "the server's name", row->tls_name,
                                         sizeof row->tls_name);
        if (err) return err;
    }
    row->has_pin = args->pin != NULL;
    if (args->pin && (strlen(args->pin) != 2 * sizeof row->pin ||
                      fr_hex_parse(fr_span_str(args->pin), row->pin, sizeof row->pin)))
        return fr_diag_fail(ctx->diag, FR_E_INVALID,
                            "the pin is not 64 hex digits (SHA-256 of the server's public key)");
    if (!fr_span_copy(ca, row->ca, sizeof row->ca))
        return fr_diag_fail(ctx->diag, FR_E_INVALID, "the CA is longer than %d bytes",
                            FR_PRIMARY_CA_MAX);
    return FR_OK;
}

static enum fr_err put_key(struct fr_op_ctx *ctx, const struct set_args *args,
                           struct fr_span secret, struct fr_primary_row *row)
{
    struct fr_primary_row old;
    if (!args->tsig_name) return FR_OK;
    enum fr_err err = fr_op_tsig_algorithm(ctx, args->tsig_algorithm, row->key_algorithm);
    if (!err)
        err = fr_op_dns_name(ctx, args->tsig_name, "the TSIG key", row->key_name,
                             sizeof row->key_name);
    if (err) return err;
    if (secret.n) return fr_op_tsig_secret(ctx, secret, row->key_id);
    err = fr_primary_get(fr_change_snap(ctx->change), row->member, row->zone, &old);
    if (err || strcmp(old.key_name, row->key_name) != 0)
        return fr_diag_fail(ctx->diag, FR_E_INVALID, "the secret of the TSIG key %s is missing",
                            row->key_name);
    memcpy(row->key_id, old.key_id, sizeof row->key_id);
    return FR_OK;
}

static void put_row(struct fr_op_ctx *ctx, const struct fr_primary_row *row)
{
    json_t *netids = json_array(), *addresses = json_array();
    for (uint8_t i = 0; i < row->n_netids; i++)
        fr_op_push(ctx, netids, fr_op_netid(row->netids[i]));
    for (uint8_t i = 0; i < row->n_addrs; i++) {
        char text[FR_ADDR_TEXT];
        fr_addr_print(&row->addrs[i], text);
        fr_op_push(ctx, addresses, json_string(text));
    }
    fr_op_put(ctx, ctx->result, "member", json_string(row->member));
    fr_op_put(ctx, ctx->result, "zone", json_string(row->zone));
    fr_op_put(ctx, ctx->result, "addresses", addresses);
    fr_op_put(ctx, ctx->result, "netids", netids);
    fr_op_put(ctx, ctx->result, "changed", json_boolean(!fr_change_is_empty(ctx->change)));
}

static enum fr_err set(struct fr_op_ctx *ctx, const struct set_args *args)
{
    struct fr_primary_row row = {
        .refresh_min_s =
            args->refresh_min_s.is_set ? (uint32_t)args->refresh_min_s.value : REFRESH_MIN_S,
        .refresh_max_s =
            args->refresh_max_s.is_set ? (uint32_t)args->refresh_max_s.value : REFRESH_MAX_S,
        .max_gone = args->max_gone.is_set ? (uint8_t)args->max_gone.value : MAX_GONE,
    };
    struct fr_primary_row old;
    struct fr_span secret, ca;
    if (!fr_span_copy(fr_span_str(args->member), row.member, sizeof row.member))
        return fr_diag_fail(ctx->diag, FR_E_NOT_FOUND, "there is no member %s", args->member);
    enum fr_err err = fr_op_dns_name(ctx, args->zone, "the zone", row.zone, sizeof row.zone);
    if (!err && fr_primary_body_read(ctx->body, &secret, &ca))
        err = fr_diag_fail(ctx->diag, FR_E_INVALID, "the body is not a secret and a CA");
    if (!err) err = put_addresses(ctx, args, &row);
    if (!err) err = put_tls(ctx, args, ca, &row);
    if (!err) err = put_key(ctx, args, secret, &row);
    if (err) return err;
    err = fr_primary_get(fr_change_snap(ctx->change), row.member, row.zone, &old);
    if (err && err != FR_E_NOT_FOUND) return err;
    if (!err) row.asks = old.asks + 1; /* whatever was wrong may be right now */
    row.asks_full = true;
    err = fr_primary_put(ctx->change, &row, ctx->diag);
    if (err) return err;
    put_row(ctx, &row);
    return FR_OK;
}

enum fr_err fr_op_primary_set(struct fr_op_ctx *ctx)
{
    struct set_args args = {0};
    enum fr_err err = fr_args_decode(set_rows, ctx->args, ctx->diag, &args);
    if (!err) err = set(ctx, &args);
    fr_args_free(set_rows, &args);
    return err;
}

/* --- the others: one primary, or all of a member --- */

struct which_args {
    const char *member, *zone;
    bool full;
};

static const struct fr_arg which_rows[] = {
    {.key = "member", FR_ARG_TEXT, offsetof(struct which_args, member)},
    {.key = "zone", FR_ARG_TEXT, offsetof(struct which_args, zone)},
    {.key = NULL},
};

static const struct fr_arg refresh_rows[] = {
    {.key = "member", FR_ARG_TEXT, offsetof(struct which_args, member)},
    {.key = "zone", FR_ARG_TEXT, offsetof(struct which_args, zone)},
    {.key = "full", FR_ARG_BOOL, offsetof(struct which_args, full)},
    {.key = NULL},
};

struct which {
    const struct which_args *args;
    size_t n;
    struct fr_primary_row *rows;
};

static enum fr_err find_one(void *data, const struct fr_primary_row *row)
{
    struct which *which = data;
    if (strcmp(row->member, which->args->member) != 0) return FR_OK;
    if (which->args->zone && strcasecmp(row->zone, which->args->zone) != 0) return FR_OK;
    struct fr_primary_row *rows = fr_reallocarray(which->rows, which->n + 1, sizeof *rows);
    if (!rows) return FR_E_NOMEM;
    which->rows = rows;
    which->rows[which->n++] = *row;
    return FR_OK;
}

static enum fr_err find(struct fr_op_ctx *ctx, struct which *which)
{
    enum fr_err err = fr_primary_each(fr_change_snap(ctx->change), find_one, which);
    if (err || which->n) return err;
    err = fr_diag_fail(ctx->diag, FR_E_NOT_FOUND, "no zone%s%s is transferred from %s",
                       which->args->zone ? " " : "", which->args->zone ? which->args->zone : "",
                       which->args->member);
    fr_diag_hint(ctx->diag, fr_op_member(ctx) ? "the operator sets zones up"
                                              : "see: fedroam zone primary list");
    return err;
}

/* Of a member's zones it may speak itself; an operator says whose. */
static enum fr_err check_whose(const struct fr_op_ctx *ctx, struct which_args *args)
{
    const char *asker = fr_op_member(ctx);
    if (!args->member) args->member = asker;
    if (!args->member)
        return fr_diag_fail(ctx->diag, FR_E_INVALID, "the member is missing: whose zones?");
    if (asker && strcmp(asker, args->member) != 0)
        return fr_diag_fail(ctx->diag, FR_E_DENIED, "%s speaks for its own zones alone", asker);
    return FR_OK;
}

typedef enum fr_err (*primary_fn)(struct fr_op_ctx *ctx, const struct which_args *args,
                                  struct fr_primary_row *row, json_t *item);

static enum fr_err run_each(struct fr_op_ctx *ctx, const struct fr_arg *rows, primary_fn fn)
{
    struct which_args args = {0};
    struct which which = {.args = &args};
    json_t *list = json_array();
    enum fr_err err = fr_args_decode(rows, ctx->args, ctx->diag, &args);
    if (!err) err = check_whose(ctx, &args);
    if (!err) err = find(ctx, &which);
    for (size_t i = 0; !err && i < which.n; i++) {
        json_t *item = json_object();
        fr_op_put(ctx, item, "zone", json_string(which.rows[i].zone));
        err = fn(ctx, &args, &which.rows[i], item);
        fr_op_push(ctx, list, item);
    }
    fr_op_put(ctx, ctx->result, "member", json_string(args.member ? args.member : ""));
    fr_op_put(ctx, ctx->result, "zones", list);
    fr_op_put(ctx, ctx->result, "changed", json_boolean(!fr_change_is_empty(ctx->change)));
    fr_free(which.rows);
    fr_args_free(rows, &args);
    return err;
}

static enum fr_err remove_one(struct fr_op_ctx *ctx, const struct which_args *args,
                              struct fr_primary_row *row, json_t *item)
{
    (void)args;
    (void)item;
    return fr_primary_remove(ctx->change, row->member, row->zone);
}

enum fr_err fr_op_primary_remove(struct fr_op_ctx *ctx)
{
    return run_each(ctx, which_rows, remove_one);
}

static enum fr_err refresh_one(struct fr_op_ctx *ctx, const struct which_args *args,
                               struct fr_primary_row *row, json_t *item)
{
    (void)item;
    row->asks++;
    row->asks_full = args->full;
    return fr_primary_put(ctx->change, row, ctx->diag);
}

enum fr_err fr_op_primary_refresh(struct fr_op_ctx *ctx)
{
    return run_each(ctx, refresh_rows, refresh_one);
}

static enum fr_err accept_one(struct fr_op_ctx *ctx, const struct which_args *args,
                              struct fr_primary_row *row, json_t *item)
{
    struct fr_primary_state state;
    enum fr_err err =
        fr_primary_state_get(fr_change_snap(ctx->change), row->member, row->zone, &state);
    if (err) return err;
    fr_op_put(ctx, item, "held", json_boolean(state.is_held));
    if (!state.is_held && !args->zone) return FR_OK;
    if (!state.is_held)
        return fr_diag_fail(ctx->diag, FR_E_CONFLICT, "the zone %s waits for nothing", row->zone);
    fr_op_put(ctx, item, "serial", fr_op_uint(state.held_serial));
    fr_op_put(ctx, item, "gone", fr_op_uint(state.held_gone));
    fr_op_put(ctx, item, "of", fr_op_uint(state.held_of));
    row->asks++;
    row->asks_full = true;
    row->has_leave = true;
    row->leave_gone = state.held_gone;
    return fr_primary_put(ctx->change, row, ctx->diag);
}

enum fr_err fr_op_zone_accept(struct fr_op_ctx *ctx)
{
    enum fr_err err = run_each(ctx, which_rows, accept_one);
    if (!err && fr_change_is_empty(ctx->change))
        err = fr_diag_fail(ctx->diag, FR_E_CONFLICT, "no zone of this member waits");
    return err;
}
