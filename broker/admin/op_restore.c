/* restore.begin, cert.bar: what a restored federation must not forget */
#include "admin/op.h"

#include "admin/args.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/wire.h"
#include "ca/revoke.h"
#include "ca/token.h"
#include "store/approval.h"
#include "store/authority.h"
#include "store/token.h"
#include "store/unknown.h"

#include <string.h>

#define SLICE 200 /* tokens in one change */
#define BAR_SIZE (FR_SERIAL_SIZE + 8 + 1)

/* --- restore.begin --- */

struct begin_args {
    struct fr_arg_number backup;
};

static const struct fr_arg begin_rows[] = {
    {.key = "backup", FR_ARG_UINT, offsetof(struct begin_args, backup), true, 1, INT64_MAX},
    {.key = NULL},
};

struct restoring {
    int64_t backup_s;
    bool is_marked;
    uint64_t tokens;
    int64_t now_s; /* while looking: */
    size_t n;
    uint8_t ids[SLICE][FR_TOKEN_ID_SIZE];
};

enum fr_err fr_op_restore_begin(struct fr_op_ctx *ctx, void **state)
{
    struct begin_args args = {0};
    enum fr_err err = fr_args_decode(begin_rows, ctx->args, ctx->diag, &args);
    if (err) return err;
    struct restoring *r = fr_calloc(1, sizeof *r);
    if (!r) return FR_E_NOMEM;
    r->backup_s = (int64_t)args.backup.value;
    *state = r;
    return FR_OK;
}

void fr_op_restore_end(void *state)
{
    fr_free(state);
}

static bool is_open(const struct fr_token_row *row, int64_t now_s)
{
    if (row->is_revoked || row->expires_s < now_s) return false;
    return true; /* also when it is used: a repeated request would be answered */
}

static enum fr_err collect(void *data, const struct fr_token_row *row)
{
    struct restoring *r = data;
    if (r->n < SLICE && is_open(row, r->now_s)) memcpy(r->ids[r->n++], row->id, FR_TOKEN_ID_SIZE);
    return FR_OK;
}

static enum fr_err kill_slice(struct fr_op_ctx *ctx, struct restoring *r)
{
    struct fr_change *change = NULL;
    enum fr_err err = fr_store_change(ctx->store, &ctx->by, ctx->diag, &change);
    if (err) return err;
    size_t approvals = 0;
    if (!r->is_marked) err = fr_restored_set(change, r->backup_s);
    /* They may have been used since. */
    if (!err) err = fr_approval_close_all(change, "restored from a backup", &approvals);
    r->n = 0;
    r->now_s = ctx->by.now_s;
    if (!err) err = fr_token_each(fr_change_snap(change), collect, r);
    for (size_t i = 0; !err && i < r->n; i++) err = fr_token_revoke(change, r->ids[i], ctx->diag);
    if (!err && !ctx->dry_run) return fr_change_commit(change, ctx->diag, ctx->sequence);
    fr_change_cancel(change);
    return err;
}

enum fr_err fr_op_restore_step(struct fr_op_ctx *ctx, void *state, unsigned budget_ms, bool *done)
{
    struct restoring *r = state;
    (void)budget_ms; /* a slice is a bounded part */
    enum fr_err err = kill_slice(ctx, r);
    if (err) return err;
    r->is_marked = true;
    r->tokens += r->n;
    *done = r->n < SLICE || ctx->dry_run;
    if (!*done) return FR_OK;
    fr_op_put(ctx, ctx->result, "backup", fr_op_time(r->backup_s));
    fr_op_put(ctx, ctx->result, "tokens", fr_op_uint(r->tokens));
    fr_op_put(ctx, ctx->result, "changed", json_true());
    return FR_OK;
}

/* --- cert.bar --- */

struct bar_args {
    const char *authority;
};

static const struct fr_arg bar_rows[] = {
    {.key = "authority", FR_ARG_TEXT, offsetof(struct bar_args, authority), .is_required = true},
    {.key = NULL},
};

struct barring {
    uint64_t revoked, barred, same;
};

static enum fr_err bar_one(struct fr_op_ctx *ctx, const struct fr_cert_bar *bar,
                           struct barring *count)
{
    struct fr_cert_row row;
    enum fr_err err = fr_cert_row_get(fr_change_snap(ctx->change), bar->serial, &row);
    if (err == FR_E_NOT_FOUND) {
        count->barred++;
        return fr_cert_row_bar(ctx->change, bar, ctx->diag);
    }
    if (err) return err;
    if (row.status == FR_CERT_REVOKED)
        count->same++;
    else
        count->revoked++;
    return fr_ca_revoke(ctx->change, bar->serial, bar->cause, ctx->diag);
}

enum fr_err fr_op_cert_bar(struct fr_op_ctx *ctx)
{
    struct bar_args args = {0};
    struct barring count = {0};
    struct fr_authority_row authority;
    struct fr_rd r = fr_rd(ctx->body);
    enum fr_err err = fr_args_decode(bar_rows, ctx->args, ctx->diag, &args);
    if (!err) err = fr_authority_get(fr_change_snap(ctx->change), args.authority, &authority);
    if (err == FR_E_NOT_FOUND)
        return fr_diag_fail(ctx->diag, err, "there is no CA %s", args.authority);
    if (err) return err;
    if (ctx->body.n % BAR_SIZE != 0)
        return fr_diag_fail(ctx->diag, FR_E_INVALID, "an entry is cut off");
    while (!err && fr_rd_left(&r) > 0) {
        struct fr_cert_bar bar = {.authority = authority.name,
                                  .not_after_s = authority.not_after_s};
        fr_rd_bytes(&r, bar.serial, sizeof bar.serial);
        bar.revoked_s = (int64_t)(fr_rd_u64(&r) & INT64_MAX);
        bar.cause = fr_rd_u8(&r);
        err = bar_one(ctx, &bar, &count);
    }
    if (err) return err;
    fr_op_put(ctx, ctx->result, "revoked", fr_op_uint(count.revoked));
    fr_op_put(ctx, ctx->result, "barred", fr_op_uint(count.barred));
    fr_op_put(ctx, ctx->result, "same", fr_op_uint(count.same));
    fr_op_put(ctx, ctx->result, "changed", json_boolean(!fr_change_is_empty(ctx->change)));
    return FR_OK;
}
