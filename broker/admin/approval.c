#include "admin/approval.h"

#include "base/clock.h"
#include "base/hex.h"
#include "store/policy.h"
#include "x509/secret.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- what is asked --- */

enum fr_err fr_approval_digest(const char *op, const char *args, struct fr_span body,
                               uint8_t out[FR_DIGEST_SIZE])
{
    struct fr_buf all = FR_BUF_INIT(FR_ADMIN_BODY_MAX + 2 * FR_ADMIN_ARGS_MAX);
    fr_buf_add_str(&all, op);
    fr_buf_add_char(&all, '\n');
    fr_buf_add_str(&all, args);
    fr_buf_add_char(&all, '\n');
    fr_buf_add_span(&all, body);
    enum fr_err err = fr_buf_err(&all);
    if (!err) err = fr_sha256(fr_buf_span(&all), out);
    fr_buf_deinit(&all);
    return err;
}

static enum fr_err describe(const struct fr_task *task, struct fr_approval_row *row)
{
    const size_t max = sizeof row->args;
    const size_t n = json_dumpb(task->args, row->args, max, JSON_COMPACT | JSON_SORT_KEYS);
    if (n == 0) return FR_E_NOMEM;
    if (n >= max)
        return fr_diag_fail(task->ctx.diag, FR_E_LIMIT,
                            "this needs approval, and its arguments are too long to wait for it "
                            "(%zu bytes of %d): ask in parts",
                            n, FR_APPROVAL_ARGS_MAX);
    row->args[n] = '\0';
    (void)snprintf(row->op, sizeof row->op, "%s", task->op->name);
    (void)snprintf(row->reason, sizeof row->reason, "%s", task->reason ? task->reason : "");
    (void)snprintf(row->asker, sizeof row->asker, "%s", task->actor.name);
    (void)snprintf(row->person, sizeof row->person, "%s", task->actor.login);
    return fr_approval_digest(row->op, row->args, task->ctx.body, row->digest);
}

/* --- before it runs --- */

static bool is_operator(const struct fr_task *task)
{
    return task->actor.kind == FR_ACTOR_CLI || task->actor.kind == FR_ACTOR_LOCAL;
}

/* Was it agreed to already, and has this person come back for it? */
static enum fr_err look_up(struct fr_task *task, struct fr_snap *snap)
{
    struct fr_approval_row row = {0}, agreed;
    enum fr_err err = describe(task, &row);
    if (err) return err;
    err = fr_approval_find(snap, row.digest, row.person, task->ctx.by.now_s, &agreed);
    if (err == FR_E_NOT_FOUND) return FR_OK;
    if (err || agreed.state != FR_APPROVAL_AGREED) return err;
    memcpy(task->approval, agreed.id, sizeof task->approval);
    task->has_approval = true;
    return FR_OK;
}

enum fr_err fr_approval_gate(struct fr_task *task, struct fr_snap *snap)
{
    struct fr_op_ctx *ctx = &task->ctx;
    uint32_t persons = 1;
    if (!task->op->persons || task->has_approval || task->is_repeated || !is_operator(task))
        return FR_OK;
    enum fr_err err = task->op->persons(ctx, snap, &persons);
    if (err || persons < 2) return err;
    if (ctx->dry_run) {
        fr_op_put(ctx, ctx->result, "persons", fr_op_uint(persons));
        return FR_OK;
    }
    if (!task->actor.login[0]) {
        (void)fr_diag_fail(ctx->diag, FR_E_DENIED,
                           "this takes %u persons, and nobody has logged in by name here",
                           (unsigned)persons);
        fr_diag_hint(ctx->diag, "log in as yourself, then use sudo");
        return FR_E_DENIED;
    }
    if (task->op->is_collected) err = look_up(task, snap);
    if (err || task->has_approval) return err;
    task->persons = persons;
    ctx->dry_run = true;
    return FR_OK;
}

/* --- put down --- */

static enum fr_err ask(struct fr_task *task, struct fr_change *change, struct fr_approval_row *row)
{
    struct fr_snap *snap = fr_change_snap(change);
    struct fr_approval_row there;
    uint32_t wait_s = 0;
    /* Once is enough, whoever asks; but what is collected is for who asked. */
    const char *whose = task->op->is_collected ? row->person : NULL;
    enum fr_err err = fr_approval_find(snap, row->digest, whose, task->ctx.by.now_s, &there);
    if (!err) *row = there;
    if (err != FR_E_NOT_FOUND) return err;
    err = fr_policy_get(snap, FR_POLICY_APPROVAL_WAIT, &wait_s);
    if (err) return err;
    row->needed = (uint8_t)task->persons;
    row->expires_s = task->ctx.by.now_s + wait_s;
    return fr_approval_ask(change, row, task->ctx.diag);
}

static enum fr_err tell(struct fr_task *task, const struct fr_approval_row *row)
{
    char id[2 * FR_APPROVAL_ID_SIZE + 1], until[FR_TIME_TEXT];
    const unsigned more = row->needed - 1u - row->n;
    fr_hex_print(row->id, sizeof row->id, id);
    fr_time_print(row->expires_s, until);
    fr_op_note(&task->ctx, "approval", json_string(id));
    if (more == 1)
        (void)fr_diag_fail(&task->diag, FR_E_PENDING, "waits for a second person: id %s, until %s",
                           id, until);
    else
        (void)fr_diag_fail(&task->diag, FR_E_PENDING, "waits for %u persons more: id %s, until %s",
                           more, id, until);
    fr_diag_hint(&task->diag, "somebody else who may do this: fedroam approval approve %s", id);
    return FR_E_PENDING;
}

enum fr_err fr_approval_wait(struct fr_task *task, struct fr_batch *batch)
{
    struct fr_op_ctx *ctx = &task->ctx;
    struct fr_approval_row row = {0};
    struct fr_change *change = NULL;
    enum fr_err err = describe(task, &row);
    if (!err)
        err = batch ? fr_batch_change(batch, &ctx->by, ctx->diag, &change)
                    : fr_store_change(ctx->store, &ctx->by, ctx->diag, &change);
    if (err) return err;
    err = ask(task, change, &row);
    if (err)
        fr_change_cancel(change);
    else
        err = fr_change_commit(change, ctx->diag, &task->sequence);
    return err ? err : tell(task, &row);
}

/* --- used --- */

static enum fr_err use(struct fr_task *task, struct fr_change *change)
{
    char id[2 * FR_APPROVAL_ID_SIZE + 1];
    fr_hex_print(task->approval, sizeof task->approval, id);
    fr_op_note(&task->ctx, "approval", json_string(id));
    return fr_approval_close(change, task->approval, FR_APPROVAL_DONE, NULL, NULL, task->ctx.diag);
}

enum fr_err fr_approval_use(struct fr_task *task)
{
    if (!task->has_approval || task->ctx.dry_run) return FR_OK;
    return use(task, task->ctx.change);
}

enum fr_err fr_approval_used(struct fr_task *task)
{
    struct fr_op_ctx *ctx = &task->ctx;
    struct fr_change *change = NULL;
    if (!task->has_approval || ctx->dry_run) return FR_OK;
    enum fr_err err = fr_store_change(ctx->store, &ctx->by, ctx->diag, &change);
    if (err) return err;
    err = use(task, change);
    if (!err) return fr_change_commit(change, ctx->diag, &task->sequence);
    fr_change_cancel(change);
    return err;
}

/* What may go well a moment later. */
static bool is_passing(enum fr_err err)
{
    return err == FR_E_BUSY || err == FR_E_UNAVAILABLE || err == FR_E_FULL || err == FR_E_NOMEM ||
           err == FR_E_IO || err == FR_E_CANCELLED;
}

void fr_approval_fail(struct fr_task *task, enum fr_err err, const char *why)
{
    struct fr_op_ctx *ctx = &task->ctx;
    struct fr_change *change = NULL;
    if (is_passing(err) || fr_store_change(ctx->store, &ctx->by, NULL, &change)) return;
    if (fr_approval_close(change, task->approval, FR_APPROVAL_FAILED, NULL, why, NULL))
        fr_change_cancel(change);
    else
        (void)fr_change_commit(change, NULL, &task->sequence);
}
