/* approval.approve, approval.refuse: what somebody else asked for */
#include "admin/approval.h"

#include "admin/args.h"
#include "admin/reply.h"
#include "base/hex.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

struct approval_args {
    const char *id, *digest;
};

static const struct fr_arg approve_rows[] = {
    {.key = "id", FR_ARG_TEXT, offsetof(struct approval_args, id), .is_required = true},
    {.key = "digest", FR_ARG_TEXT, offsetof(struct approval_args, digest), .is_required = true},
    {.key = NULL},
};

static const struct fr_arg refuse_rows[] = {
    {.key = "id", FR_ARG_TEXT, offsetof(struct approval_args, id), .is_required = true},
    {.key = NULL},
};

static enum fr_err read_id(const struct fr_op_ctx *ctx, const char *text,
                           uint8_t id[FR_APPROVAL_ID_SIZE])
{
    if (fr_hex_parse(fr_span_str(text), id, FR_APPROVAL_ID_SIZE))
        return fr_diag_fail(ctx->diag, FR_E_INVALID,
                            "\"%.64s\" is not the number of a request: 8 hexadecimal digits", text);
    return FR_OK;
}

/* --- refuse: his own, or somebody else's --- */

enum fr_err fr_op_approval_refuse(struct fr_op_ctx *ctx)
{
    struct approval_args args = {0};
    uint8_t id[FR_APPROVAL_ID_SIZE];
    enum fr_err err = fr_args_decode(refuse_rows, ctx->args, ctx->diag, &args);
    if (!err) err = read_id(ctx, args.id, id);
    if (!err)
        err = fr_approval_close(ctx->change, id, FR_APPROVAL_REFUSED,
                                ctx->caller->login[0] ? ctx->caller->login : ctx->caller->name,
                                ctx->by.reason, ctx->diag);
    if (err) return err;
    fr_op_put(ctx, ctx->result, "id", json_string(args.id));
    fr_op_put(ctx, ctx->result, "state", json_string("refused"));
    fr_op_put(ctx, ctx->result, "changed", json_true());
    return FR_OK;
}

/* --- approve: one more agrees, and with the last one it is done --- */

struct approving {
    uint8_t id[FR_APPROVAL_ID_SIZE];
    struct fr_admin_fed *fed;
    struct fr_approval_row row;
    struct fr_task *inner; /* what was asked for, under way; or NULL */
};

/* What is approved is what was shown: the digest is named by who approves, and the row made anew from what it holds. */
static enum fr_err check_digest(const struct fr_op_ctx *ctx, const struct approving *a,
                                const char *digest)
{
    char text[2 * FR_DIGEST_SIZE + 1];
    fr_hex_print(a->row.digest, sizeof a->row.digest, text);
    if (strcmp(text, digest) == 0) return FR_OK;
    return fr_diag_fail(ctx->diag, FR_E_CONFLICT, "that is not the digest of what was asked for");
}

static enum fr_err agree(struct fr_op_ctx *ctx, struct approving *a, const char *digest)
{
    struct fr_change *change = NULL;
    enum fr_err err = fr_store_change(ctx->store, &ctx->by, ctx->diag, &change);
    if (err) return err;
    err = fr_approval_agree(change, a->id, ctx->caller->login, ctx->diag, &a->row);
    if (!err) err = check_digest(ctx, a, digest);
    if (!err && !ctx->dry_run) return fr_change_commit(change, ctx->diag, ctx->sequence);
    fr_change_cancel(change);
    return err;
}

enum fr_err fr_op_approve_begin(struct fr_op_ctx *ctx, void **state)
{
    struct approval_args args = {0};
    enum fr_err err = fr_args_decode(approve_rows, ctx->args, ctx->diag, &args);
    if (err) return err;
    struct approving *a = fr_calloc(1, sizeof *a);
    if (!a) return FR_E_NOMEM;
    a->fed = ctx->fed;
    err = read_id(ctx, args.id, a->id);
    if (!err) err = agree(ctx, a, args.digest);
    if (err) {
        fr_free(a);
        return err;
    }
    *state = a;
    return FR_OK;
}

static void put_row(struct fr_op_ctx *ctx, const struct fr_approval_row *row, const char *state)
{
    json_t *by = json_array();
    fr_op_put(ctx, ctx->result, "id", fr_op_hex(row->id, sizeof row->id));
    fr_op_put(ctx, ctx->result, "op", json_string(row->op));
    fr_op_put(ctx, ctx->result, "asker", json_string(row->person));
    fr_op_put(ctx, ctx->result, "state", json_string(state));
    fr_op_put(ctx, ctx->result, "missing",
              fr_op_uint(row->state == FR_APPROVAL_AGREED ? 0 : row->needed - 1u - row->n));
    for (uint8_t i = 0; i < row->n; i++) fr_op_push(ctx, by, json_string(row->by[i].person));
    fr_op_put(ctx, ctx->result, "approved_by", by);
    fr_op_put(ctx, ctx->result, "changed", json_true());
}

/* The request as it was made, in the name of who made it. */
static enum fr_err make_inner(struct fr_op_ctx *ctx, struct approving *a)
{
    struct fr_admin_actor asker = {.kind = FR_ACTOR_LOCAL};
    const struct fr_admin_request request = {
        .op = a->row.op,
        .args = a->row.args,
        .reason = a->row.reason[0] ? a->row.reason : NULL,
    };
    (void)snprintf(asker.name, sizeof asker.name, "%s", a->row.asker);
    (void)snprintf(asker.login, sizeof asker.login, "%s", a->row.person);
    enum fr_err err = fr_task_new(&request, &asker, ctx->diag, &a->inner);
    if (err) return err;
    memcpy(a->inner->approval, a->id, sizeof a->id);
    a->inner->has_approval = true;
    return FR_OK;
}

static bool advance(struct approving *a, unsigned budget_ms)
{
    if (!fr_task_is_single(a->inner) && !fr_task_is_issuing(a->inner))
        return fr_admin_step(a->fed, a->inner, budget_ms);
    fr_admin_run(a->fed, a->inner);
    return true;
}

static enum fr_err settle(struct fr_op_ctx *ctx, struct approving *a)
{
    struct fr_admin_reply *reply = NULL;
    struct fr_diag diag = {0};
    enum fr_err err = fr_task_take_reply(a->inner, &diag, &reply);
    if (err) {
        fr_approval_fail(a->inner, err, diag.what);
        return fr_diag_fail(ctx->diag, err, "approved, but %s was not done: %.300s", a->row.op,
                            diag.what[0] ? diag.what : fr_err_text(err));
    }
    if (a->inner->sequence) *ctx->sequence = a->inner->sequence;
    put_row(ctx, &a->row, fr_approval_state_text(FR_APPROVAL_DONE));
    fr_op_put(ctx, ctx->result, "reply", json_deep_copy(fr_admin_reply_object(reply)));
    fr_admin_reply_free(reply);
    return FR_OK;
}

enum fr_err fr_op_approve_step(struct fr_op_ctx *ctx, void *state, unsigned budget_ms, bool *done)
{
    struct approving *a = state;
    const struct fr_op *op = fr_op_find(a->row.op);
    enum fr_err err = FR_OK;
    if (!op) return fr_diag_fail(ctx->diag, FR_E_NOT_FOUND, "no operation \"%s\"", a->row.op);
    if (a->row.state != FR_APPROVAL_AGREED || op->is_collected || ctx->dry_run) {
        put_row(ctx, &a->row, fr_approval_state_text(a->row.state));
        *done = true;
        return FR_OK;
    }
    if (!a->inner) err = make_inner(ctx, a);
    if (err || !advance(a, budget_ms)) return err;
    *done = true;
    return settle(ctx, a);
}

void fr_op_approve_end(void *state)
{
    struct approving *a = state;
    if (a->inner && !a->inner->is_over) fr_admin_cancel(a->fed, a->inner, FR_E_CANCELLED);
    fr_task_free(a->inner);
    fr_free(a);
}
