/* cert.revoke: a selection of certificates, slice by slice */
#include "admin/op.h"

#include "admin/args.h"
#include "admin/op_parts.h"
#include "base/clock.h"
#include "base/hex.h"
#include "base/mem.h"
#include "ca/profile.h"
#include "ca/revoke.h"
#include "names/netid.h"
#include "store/network.h"

#include <stdio.h>
#include <string.h>

#define LISTED_MAX 1000

struct revoke_args {
    struct fr_arg_serial serial;
    const char *key, *member, *before, *cause;
    struct fr_arg_number netid;
};

static const struct fr_arg rows[] = {
    {.key = "serial", FR_ARG_SERIAL, offsetof(struct revoke_args, serial)},
    {.key = "key", FR_ARG_TEXT, offsetof(struct revoke_args, key), .max = 2 * FR_DIGEST_SIZE},
    {.key = "member", FR_ARG_TEXT, offsetof(struct revoke_args, member)},
    {.key = "netid", FR_ARG_NETID, offsetof(struct revoke_args, netid)},
    {.key = "before", FR_ARG_TEXT, offsetof(struct revoke_args, before)},
    {.key = "cause", FR_ARG_TEXT, offsetof(struct revoke_args, cause)},
    {.key = NULL},
};

struct revoking {
    struct fr_revoke_selection selection;
    uint8_t serial[FR_SERIAL_SIZE], spki[FR_DIGEST_SIZE];
    uint8_t cause;
    bool is_marked, has_changed;
    size_t revoked;
    json_t *certificates, *tlsa; /* the result's */
    struct fr_revoke_slice slice;
};

static enum fr_err read_selection(struct fr_op_ctx *ctx, const struct revoke_args *args,
                                  struct revoking *r)
{
    struct fr_revoke_selection *s = &r->selection;
    const bool is_by_member = args->member || args->before;
    enum fr_err err = FR_OK;
    if (args->serial.is_set + (args->key != NULL) + args->netid.is_set + is_by_member != 1)
        return fr_diag_fail(ctx->diag, FR_E_INVALID,
                            "give one of serial, key, netid, member and before (the last two may "
                            "stand together)");
    memcpy(r->serial, args->serial.b, sizeof r->serial);
    if (args->serial.is_set) s->serial = r->serial;
    s->has_netid = args->netid.is_set;
    s->netid = (uint32_t)args->netid.value;
    s->member = args->member;
    if (args->key) {
        s->spki = r->spki;
        if (strlen(args->key) != 2 * FR_DIGEST_SIZE ||
            fr_hex_parse(fr_span_str(args->key), r->spki, sizeof r->spki))
            return fr_diag_fail(
                ctx->diag, FR_E_INVALID,
                "a key is named by the 64 hexadecimal digits of its SPKI's SHA-256");
    }
    if (args->before && fr_time_parse(fr_span_str(args->before), &s->before_s))
        return fr_diag_fail(ctx->diag, FR_E_INVALID,
                            "\"%s\" is not a time, as in 2026-11-20 or 2026-11-20T06:52:19Z",
                            args->before);
    if (args->cause) err = fr_revoke_cause_parse(args->cause, ctx->diag, &r->cause);
    return err;
}

enum fr_err fr_op_cert_revoke_begin(struct fr_op_ctx *ctx, void **state)
{
    struct revoke_args args = {0};
    enum fr_err err = fr_args_decode(rows, ctx->args, ctx->diag, &args);
    if (err) return err;
    struct revoking *r = fr_calloc(1, sizeof *r);
    if (!r) return FR_E_NOMEM;
    err = read_selection(ctx, &args, r);
    if (err) {
        fr_free(r);
        return err;
    }
    r->certificates = json_array();
    r->tlsa = json_array();
    fr_op_put(ctx, ctx->result, "certificates", r->certificates);
    fr_op_put(ctx, ctx->result, "tlsa", r->tlsa);
    *state = r;
    return FR_OK;
}

/* --- what goes --- */

static void list_row(struct fr_op_ctx *ctx, struct revoking *r, const struct fr_cert_row *row)
{
    char id[FR_SUBJECT_ID_TEXT], netid[FR_NETID_TEXT], spki[2 * FR_DIGEST_SIZE + 1];
    char record[FR_FEDERATION_MAX + 128];
    const struct fr_subject subject = {.profile = row->profile,
                                       .member = row->member,
                                       .netid = row->netid,
                                       .joineui = row->joineui,
                                       .host = row->host};
    if (json_array_size(r->certificates) >= LISTED_MAX) return;
    json_t *one = json_object();
    fr_subject_print_id(&subject, id);
    fr_op_put(ctx, one, "serial", fr_op_hex(row->serial, sizeof row->serial));
    fr_op_put(ctx, one, "profile", json_string(fr_profile_text(row->profile)));
    if (row->member[0]) fr_op_put(ctx, one, "member", json_string(row->member));
    fr_op_put(ctx, one, "id", json_string(id));
    fr_op_put(ctx, one, "not_after", fr_op_time(row->not_after_s));
    fr_op_push(ctx, r->certificates, one);
    if (row->profile != FR_PROFILE_NS || row->status != FR_CERT_ISSUED) return;
    fr_netid_print(row->netid, netid);
    fr_hex_print(row->spki, sizeof row->spki, spki);
    (void)snprintf(record, sizeof record, "_ns.%s.netid.%s. TLSA 3 1 1 %s", netid,
                   fr_store_federation(ctx->store), spki);
    fr_op_push(ctx, r->tlsa, json_string(record));
}

struct names {
    struct fr_op_ctx *ctx;
    json_t *list;
    uint64_t devices;
};

static enum fr_err add_name(void *data, const struct fr_network_row *row)
{
    struct names *names = data;
    char netid[FR_NETID_TEXT], name[FR_FEDERATION_MAX + 64];
    fr_netid_print(row->netid, netid);
    (void)snprintf(name, sizeof name, "%s.netid.%s.", netid,
                   fr_store_federation(names->ctx->store));
    fr_op_push(names->ctx, names->list, json_string(name));
    names->devices += row->devices;
    return FR_OK;
}

/* The names that are not answered any more: of a member or a NetID as a whole. */
static enum fr_err list_names(struct fr_op_ctx *ctx, const struct revoking *r)
{
    const struct fr_revoke_selection *s = &r->selection;
    struct names names = {ctx, json_array(), 0};
    struct fr_network_row row;
    struct fr_snap *snap = fr_change_snap(ctx->change);
    enum fr_err err = FR_OK;
    if (s->has_netid) {
        err = fr_network_get(snap, s->netid, &row);
        if (!err) err = add_name(&names, &row);
    } else if (s->member && !s->before_s) {
        err = fr_network_each_of(snap, s->member, add_name, &names);
    }
    fr_op_put(ctx, ctx->result, "names", names.list);
    fr_op_put(ctx, ctx->result, "devices", fr_op_uint(names.devices));
    return err;
}

/* --- steps --- */

/* Ends a step's change. */
static enum fr_err settle(struct fr_op_ctx *ctx, struct revoking *r, enum fr_err err)
{
    struct fr_change *change = ctx->change;
    ctx->change = NULL;
    if (!err && !fr_change_is_empty(change)) r->has_changed = true;
    if (!err && !ctx->dry_run) return fr_change_commit(change, ctx->diag, ctx->sequence);
    fr_change_cancel(change);
    return err;
}

/* The state bit, and one certificate when it is about one: then that is all. */
static enum fr_err mark(struct fr_op_ctx *ctx, struct revoking *r)
{
    enum fr_err err = fr_store_change(ctx->store, &ctx->by, ctx->diag, &ctx->change);
    if (err) return err;
    err = list_names(ctx, r);
    if (err == FR_E_NOT_FOUND) err = FR_OK; /* the mark says so in words */
    if (!err) err = fr_ca_revoke_mark(ctx->change, &r->selection, r->cause, ctx->diag);
    if (!err && r->selection.serial) {
        err =
            fr_ca_revoke_find(fr_change_snap(ctx->change), &r->selection, ctx->by.now_s, &r->slice);
        if (!err) err = fr_ca_revoke_slice(ctx->change, &r->slice, r->cause, ctx->diag);
    }
    r->is_marked = true;
    return settle(ctx, r, err);
}

static enum fr_err find_next(struct fr_op_ctx *ctx, struct revoking *r)
{
    struct fr_snap *snap = NULL;
    enum fr_err err = fr_snap_begin(ctx->store, &snap);
    if (err) return err;
    err = fr_ca_revoke_find(snap, &r->selection, ctx->by.now_s, &r->slice);
    fr_snap_end(snap);
    return err;
}

static enum fr_err revoke_found(struct fr_op_ctx *ctx, struct revoking *r)
{
    if (r->slice.n == 0) return FR_OK;
    enum fr_err err = fr_store_change(ctx->store, &ctx->by, ctx->diag, &ctx->change);
    if (err) return err;
    return settle(ctx, r, fr_ca_revoke_slice(ctx->change, &r->slice, r->cause, ctx->diag));
}

static void count(struct fr_op_ctx *ctx, struct revoking *r)
{
    for (size_t i = 0; i < r->slice.n; i++) list_row(ctx, r, &r->slice.rows[i]);
    r->revoked += r->slice.n;
}

enum fr_err fr_op_cert_revoke_step(struct fr_op_ctx *ctx, void *state, unsigned budget_ms,
                                   bool *done)
{
    struct revoking *r = state;
    const int64_t until_ms = fr_clock_mono_ms(fr_clock_system()) + budget_ms;
    enum fr_err err = FR_OK;
    if (!r->is_marked) {
        err = mark(ctx, r);
        if (!err && r->selection.serial) count(ctx, r);
    }
    while (!err && !r->slice.is_last && fr_clock_mono_ms(fr_clock_system()) < until_ms) {
        err = find_next(ctx, r);
        if (!err) err = revoke_found(ctx, r);
        if (!err) count(ctx, r);
    }
    if (err || !r->slice.is_last) return err;
    fr_op_put(ctx, ctx->result, "revoked", fr_op_uint(r->revoked));
    fr_op_put(ctx, ctx->result, "changed", json_boolean(r->has_changed));
    *done = true;
    return FR_OK;
}

void fr_op_cert_revoke_end(void *state)
{
    fr_free(state);
}
