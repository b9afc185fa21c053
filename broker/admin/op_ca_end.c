/* ca.retire, ca.list.install: the end of an issuing CA, and of what hangs below it */
#include "admin/op.h"

#include "admin/args.h"
#include "base/mem.h"
#include "ca/crl.h"
#include "ca/issuing.h"
#include "ca/rotate.h"

#include <string.h>

/* So many certificates are revoked in one change: far below what fits into a journal record. */
#define SLICE 100

struct ending {
    struct fr_revoked_names names; /* to be swept */
    size_t at;
    uint64_t revoked;
};

struct retire_args {
    const char *name;
    bool force;
};

static const struct fr_arg retire_rows[] = {
    {.key = "name", FR_ARG_TEXT, offsetof(struct retire_args, name), .is_required = true},
    {.key = "force", FR_ARG_BOOL, offsetof(struct retire_args, force)},
    {.key = NULL},
};

static const struct fr_arg no_rows[] = {{.key = NULL}};

/* Commits, or in a dry run cancels. */
static enum fr_err settle(struct fr_op_ctx *ctx, struct fr_change *change, enum fr_err err)
{
    const bool is_empty = fr_change_is_empty(change);
    uint64_t sequence = 0;
    if (err || ctx->dry_run) {
        fr_change_cancel(change);
    } else {
        err = fr_change_commit(change, ctx->diag, &sequence);
        if (!err && !is_empty) *ctx->sequence = sequence;
    }
    return err;
}

static struct fr_rotation rotation(struct fr_op_ctx *ctx)
{
    return (struct fr_rotation){
        .dir = fr_op_state(ctx),
        .federation = fr_store_federation(ctx->store),
        .passphrase = fr_op_passphrase(ctx),
        .dry_run = ctx->dry_run,
        .diag = ctx->diag,
    };
}

static enum fr_err retire(struct fr_op_ctx *ctx, const struct retire_args *args,
                          struct ending *ending)
{
    struct fr_rotation r = rotation(ctx);
    uint64_t live = 0;
    enum fr_err err = fr_store_change(ctx->store, &ctx->by, ctx->diag, &r.change);
    if (err) return err;
    err = fr_rotate_retire(&r, args->name, args->force, &live);
    const bool is_changed = !fr_change_is_empty(r.change);
    err = settle(ctx, r.change, err);
    if (err) return err;
    fr_op_put(ctx, ctx->result, "name", json_string(args->name));
    fr_op_put(ctx, ctx->result, "live", fr_op_uint(live));
    fr_op_put(ctx, ctx->result, "changed", json_boolean(is_changed || live > 0));
    (void)strncpy(ending->names.names[0], args->name, FR_HOST_MAX);
    ending->names.n = args->force ? 1 : 0;
    return FR_OK;
}

enum fr_err fr_op_ca_retire_begin(struct fr_op_ctx *ctx, void **state)
{
    struct retire_args args = {0};
    enum fr_err err = fr_args_decode(retire_rows, ctx->args, ctx->diag, &args);
    if (!err && strlen(args.name) > FR_HOST_MAX)
        err = fr_diag_fail(ctx->diag, FR_E_NOT_FOUND, "there is no issuing CA of that name");
    if (err) return err;
    struct ending *ending = fr_calloc(1, sizeof *ending);
    if (!ending) return FR_E_NOMEM;
    err = retire(ctx, &args, ending);
    if (err)
        fr_free(ending);
    else
        *state = ending;
    return err;
}

/* --- the root's list --- */

static enum fr_err load_root(struct fr_op_ctx *ctx, struct fr_cert **out)
{
    struct fr_authority_row row;
    struct fr_snap *snap = NULL;
    enum fr_err err = fr_snap_begin(ctx->store, &snap);
    if (!err) err = fr_authority_get(snap, FR_ROOT_NAME, &row);
    fr_snap_end(snap);
    return err ? err : fr_cert_parse(fr_span(row.der, row.der_size), out);
}

static enum fr_err collect_revoked(void *data, const struct fr_authority_row *row)
{
    struct fr_revoked_names *names = data;
    if (row->state == FR_AUTHORITY_REVOKED && names->n < FR_CA_SIGNERS_MAX)
        memcpy(names->names[names->n++], row->name, sizeof row->name);
    return FR_OK;
}

/* Also of lists before: what a sweep that was cut short left is taken away now. */
static enum fr_err find_revoked(struct fr_op_ctx *ctx, struct ending *ending)
{
    struct fr_snap *snap = NULL;
    enum fr_err err = fr_snap_begin(ctx->store, &snap);
    if (err) return err;
    err = fr_authority_each(snap, collect_revoked, &ending->names);
    fr_snap_end(snap);
    return err;
}

static void put_list(struct fr_op_ctx *ctx, const struct fr_revoked_names *names,
                     const struct fr_crl_fields *fields)
{
    json_t *list = json_array();
    for (size_t i = 0; i < names->n; i++) fr_op_push(ctx, list, json_string(names->names[i]));
    fr_op_put(ctx, ctx->result, "names", list);
    fr_op_put(ctx, ctx->result, "number", fr_op_uint(fields->number));
    fr_op_put(ctx, ctx->result, "entries", fr_op_uint(fields->entries));
    fr_op_put(ctx, ctx->result, "next_update", fr_op_time(fields->next_update_s));
}

/* The rows first: they make the broker refuse at once, and the file can be given again. */
static enum fr_err take_list(struct fr_op_ctx *ctx, struct ending *ending)
{
    struct fr_rotation r = rotation(ctx);
    struct fr_revoked_names names = {0};
    struct fr_crl_fields fields;
    struct fr_cert *root = NULL;
    enum fr_err err = load_root(ctx, &root);
    if (!err) err = fr_crl_check_root(r.dir, root, ctx->body, ctx->by.now_s, ctx->diag, &fields);
    fr_cert_free(root);
    if (!err) err = fr_store_change(ctx->store, &ctx->by, ctx->diag, &r.change);
    if (err) return err;
    err = settle(ctx, r.change, fr_rotate_take_list(&r, ctx->body, &names));
    const bool is_new = !fr_crl_is_published(r.dir, FR_ROOT_NAME, ctx->body);
    if (!err && !ctx->dry_run && is_new)
        err = fr_crl_put(r.dir, FR_ROOT_NAME, ctx->body, ctx->diag);
    if (!err) err = find_revoked(ctx, ending);
    if (err) return err;
    put_list(ctx, &names, &fields);
    fr_op_put(ctx, ctx->result, "changed", json_boolean(is_new || names.n > 0));
    return FR_OK;
}

enum fr_err fr_op_ca_list_begin(struct fr_op_ctx *ctx, void **state)
{
    struct retire_args none = {0};
    enum fr_err err = fr_args_decode(no_rows, ctx->args, ctx->diag, &none);
    if (err) return err;
    struct ending *ending = fr_calloc(1, sizeof *ending);
    if (!ending) return FR_E_NOMEM;
    err = take_list(ctx, ending);
    if (err)
        fr_free(ending);
    else
        *state = ending;
    return err;
}

/* --- both: what hangs below --- */

/* One slice; *n is how many were revoked. */
static enum fr_err sweep(struct fr_op_ctx *ctx, const char *name, size_t *n)
{
    struct fr_change *change = NULL;
    enum fr_err err = fr_store_change(ctx->store, &ctx->by, ctx->diag, &change);
    if (err) return err;
    err = fr_rotate_sweep(change, name, SLICE, 0, ctx->diag, n);
    return settle(ctx, change, err);
}

enum fr_err fr_op_ca_sweep_step(struct fr_op_ctx *ctx, void *state, unsigned budget_ms, bool *done)
{
    struct ending *ending = state;
    size_t n = 0;
    enum fr_err err = FR_OK;
    (void)budget_ms; /* a slice is a fraction of it */
    if (!ctx->dry_run && ending->at < ending->names.n)
        err = sweep(ctx, ending->names.names[ending->at], &n);
    if (err) return err;
    ending->revoked += n;
    if (n == 0) ending->at++;
    *done = ctx->dry_run || ending->at >= ending->names.n;
    if (*done) fr_op_put(ctx, ctx->result, "revoked", fr_op_uint(ending->revoked));
    return FR_OK;
}

void fr_op_ca_sweep_end(void *state)
{
    fr_free(state);
}
