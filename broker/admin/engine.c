#include "admin/engine.h"

#include "admin/approval.h"
#include "admin/fed.h"
#include "admin/op.h"
#include "admin/record.h"
#include "admin/reply.h"
#include "base/mem.h"
#include "ca/ca.h"
#include "store/authority.h"
#include "store/device.h"

#include <string.h>

#define GROUP_MAX 64
#define UNLOCK_MS (30 * 1000)

enum fr_err fr_admin_fed_new(const struct fr_admin_fed_options *options, struct fr_diag *diag,
                             struct fr_admin_fed **out)
{
    enum fr_err err = FR_OK;
    struct fr_admin_fed *fed = fr_calloc(1, sizeof *fed);
    if (!fed) return FR_E_NOMEM;
    fed->store = options->store;
    fed->log = options->log;
    fed->clock = options->clock;
    fed->passphrase = options->passphrase;
    fed->state = fr_strdup(options->state);
    if (!fed->state) {
        err = FR_E_NOMEM;
        goto out;
    }
    const struct fr_audit_options audit = {
        .state = fed->state, .also = options->audit_also, .log = fed->log};
    (void)diag; /* nothing but memory can be missing */
    err = fr_audit_open(&audit, &fed->audit);
    if (err) goto out;
    *out = fed;
    fed = NULL;
out:
    fr_admin_fed_free(fed);
    return err;
}

void fr_admin_fed_free(struct fr_admin_fed *fed)
{
    if (!fed) return;
    fr_ca_close(fed->ca);
    fr_audit_close(fed->audit);
    fr_free(fed->state);
    fr_free(fed);
}

enum fr_err fr_admin_fed_set_audit_also(struct fr_admin_fed *fed, const char *also)
{
    return fr_audit_set_also(fed->audit, also);
}

struct fr_audit_counters fr_admin_fed_audit(const struct fr_admin_fed *fed)
{
    return fr_audit_counters(fed->audit);
}

/* Whether the CA that is loaded is still the one that the store means. */
static bool is_current(const struct fr_admin_fed *fed)
{
    struct fr_snap *snap = NULL;
    uint64_t generation = 0;
    if (!fed->ca || fr_snap_begin(fed->store, &snap)) return false;
    enum fr_err err = fr_authority_digest(snap, &generation);
    fr_snap_end(snap);
    return !err && generation == fr_ca_generation(fed->ca);
}

/* To try a passphrase costs a third of a second by design: strangers who ask to be enrolled must not
 * make this thread spend it each time. */
static bool is_wrong_passphrase(const struct fr_admin_fed *fed)
{
    return fed->no_ca == FR_E_CRYPTO && fr_clock_mono_ms(fed->clock) - fed->no_ca_ms < UNLOCK_MS;
}

enum fr_err fr_admin_fed_load_ca(struct fr_admin_fed *fed, struct fr_diag *diag)
{
    const struct fr_change_by by = {.actor = "ca", .now_s = fr_clock_real_s(fed->clock)};
    if (is_current(fed)) return FR_OK;
    fr_ca_close(fed->ca);
    fed->ca = NULL;
    if (is_wrong_passphrase(fed)) {
        if (diag) *diag = fed->why_no_ca;
        return fed->no_ca;
    }
    fed->why_no_ca = (struct fr_diag){0};
    fed->no_ca =
        fr_ca_open_with(fed->state, fed->store, &by, fed->passphrase, &fed->why_no_ca, &fed->ca);
    fed->no_ca_ms = fr_clock_mono_ms(fed->clock);
    if (fed->no_ca && diag) *diag = fed->why_no_ca;
    return fed->no_ca;
}

/* Opening one may change the store, so inside a change it is the one that was loaded before, or
 * none. Whoever enrols is told that the service is down, whatever is wrong with it. */
enum fr_err fr_op_ca(struct fr_op_ctx *ctx, struct fr_ca **out)
{
    struct fr_admin_fed *fed = ctx->fed;
    const enum fr_actor_kind kind = ctx->caller->kind;
    enum fr_err err = FR_OK;
    if (!ctx->change)
        err = fr_admin_fed_load_ca(fed, ctx->diag);
    else if (!fed->ca) {
        err = fed->no_ca ? fed->no_ca : FR_E_UNAVAILABLE;
        if (ctx->diag) *ctx->diag = fed->why_no_ca;
    }
    if (err) return kind == FR_ACTOR_CERT || kind == FR_ACTOR_TOKEN ? FR_E_UNAVAILABLE : err;
    *out = fed->ca;
    return FR_OK;
}

const struct fr_passphrase *fr_op_passphrase(const struct fr_op_ctx *ctx)
{
    return ctx->fed->passphrase;
}

const char *fr_op_state(const struct fr_op_ctx *ctx)
{
    return ctx->fed->state;
}

int64_t fr_op_now_ms(const struct fr_op_ctx *ctx)
{
    return fr_clock_real_ms(ctx->fed->clock);
}

/* --- a task's beginning and end --- */

void fr_task_enter(struct fr_admin_fed *fed, struct fr_task *task)
{
    task->started_s = fr_clock_real_s(fed->clock);
    task->ctx.fed = fed;
    task->ctx.store = fed->store;
    task->ctx.by = (struct fr_change_by){
        .actor = task->actor.name, .reason = task->reason, .now_s = task->started_s};
    if (task->actor.kind == FR_ACTOR_MEMBER || task->actor.kind == FR_ACTOR_CERT)
        task->ctx.by.serial = task->actor.serial;
}

void fr_task_close(struct fr_admin_fed *fed, struct fr_task *task, enum fr_err err)
{
    if (!err && task->ctx.is_out_of_memory) err = FR_E_NOMEM;
    if (!err && task->sequence) {
        fr_op_put(&task->ctx, task->ctx.result, "sequence", fr_op_uint(task->sequence));
        if (task->ctx.is_out_of_memory) err = FR_E_NOMEM;
    }
    task->err = err;
    if (task->is_begun && task->op->end) task->op->end(task->state);
    task->is_begun = false;
    task->state = NULL;
    fr_record_outcome(fed, task);
}

static void finish(struct fr_admin_fed *fed, struct fr_task *task, enum fr_err err)
{
    fr_task_close(fed, task, err);
    fr_record_release(fed, &task, 1);
}

void fr_admin_cancel(struct fr_admin_fed *fed, struct fr_task *task, enum fr_err err)
{
    if (!task->started_s) fr_task_enter(fed, task);
    (void)fr_diag_fail(&task->diag, err, "not done: %s", fr_err_text(err));
    finish(fed, task, err);
}

void fr_admin_cut(struct fr_admin_fed *fed, struct fr_task *task)
{
    FR_LOG(fed->log, FR_LOG_WARN, "task.cut_short",
           FR_STR("federation", fr_store_federation(fed->store)), FR_STR("op", task->op->name),
           FR_STR("why", "the broker stops"));
    (void)fr_diag_fail(&task->diag, FR_E_CANCELLED, "cut short: the broker stops");
    fr_diag_hint(&task->diag, "what it had begun to write in place is finished at the next start, "
                              "all else is as it was");
    finish(fed, task, FR_E_CANCELLED);
}

/* The refusal stands in any case; what it is remembered by is worth a line when it fails. */
static void note_conflicts(struct fr_task *task, struct fr_batch *batch)
{
    enum fr_err err = fr_task_record_conflicts(task, batch);
    if (err)
        FR_LOG(task->ctx.fed->log, FR_LOG_ERROR, "conflicts.failed",
               FR_STR("federation", fr_store_federation(task->ctx.store)), FR_ERR("why", err));
}

/* --- single operations --- */

/* Runs one inside the batch. Whether it is still to be finished by the batch's commit: *is_pending.
 */
static enum fr_err run_in_batch(struct fr_batch *batch, struct fr_task *task)
{
    struct fr_op_ctx *ctx = &task->ctx;
    enum fr_err err = fr_batch_change(batch, &ctx->by, &task->diag, &ctx->change);
    if (err) return err;
    err = fr_op_check_caller(ctx, fr_change_snap(ctx->change), task->op->rights);
    if (!err) err = fr_approval_gate(task, fr_change_snap(ctx->change));
    if (!err) err = task->op->run(ctx);
    if (!err && ctx->is_out_of_memory) err = FR_E_NOMEM;
    if (!err) err = fr_approval_use(task);
    if (err || ctx->dry_run)
        fr_change_cancel(ctx->change);
    else
        err = fr_change_commit(ctx->change, &task->diag, &task->sequence);
    ctx->change = NULL;
    if (!err && task->persons) err = fr_approval_wait(task, batch);
    note_conflicts(task, batch);
    return err;
}

static void run_batch(struct fr_admin_fed *fed, struct fr_task *const *tasks, size_t n)
{
    struct fr_batch *batch = NULL;
    struct fr_diag diag = {0};
    enum fr_err errs[GROUP_MAX] = {0};
    enum fr_err err = fr_batch_begin(fed->store, &diag, &batch);
    for (size_t i = 0; i < n; i++) {
        fr_task_enter(fed, tasks[i]);
        errs[i] = fr_record_ready(fed, tasks[i]);
        if (!err && !errs[i]) errs[i] = run_in_batch(batch, tasks[i]);
    }
    if (!err) err = fr_batch_commit(batch, &diag);
    for (size_t i = 0; i < n; i++) {
        if (err && (!errs[i] || errs[i] == FR_E_PENDING)) { /* nobody's change is there */
            tasks[i]->diag = diag;
            tasks[i]->sequence = 0;
            errs[i] = err;
        }
        fr_task_close(fed, tasks[i], errs[i]);
    }
    fr_record_release(fed, tasks, n);
}

void fr_admin_run_group(struct fr_admin_fed *fed, struct fr_task *const *tasks, size_t n)
{
    while (n > 0) {
        size_t part = n < GROUP_MAX ? n : GROUP_MAX;
        run_batch(fed, tasks, part);
        tasks += part;
        n -= part;
    }
}

/* --- long operations --- */

static enum fr_err check_caller(struct fr_admin_fed *fed, struct fr_task *task)
{
    struct fr_snap *snap = NULL;
    enum fr_err err = fr_snap_begin(fed->store, &snap);
    if (!err) err = fr_op_check_caller(&task->ctx, snap, task->op->rights);
    if (!err) err = fr_approval_gate(task, snap);
    fr_snap_end(snap);
    return err;
}

/* What comes before a long task's first step. */
static enum fr_err check_start(struct fr_admin_fed *fed, struct fr_task *task)
{
    const bool signs = task->op->signs && !task->ctx.dry_run;
    enum fr_err err = fr_record_ready(fed, task);
    if (!err) err = check_caller(fed, task);
    if (!err && signs) {
        struct fr_diag clock = {0};
        enum fr_err late = fr_record_check_clock(fed, task->started_s, &clock);
        if (late && !task->op->has_own_clock) {
            task->diag = clock;
            err = late;
        }
    }
    if (!err && signs) err = fr_record_intent(fed, task);
    if (!err && signs) err = fr_record_sync(fed, &task->diag);
    return err;
}

bool fr_admin_step(struct fr_admin_fed *fed, struct fr_task *task, unsigned budget_ms)
{
    enum fr_err err = FR_OK;
    bool done = false;
    if (!task->is_begun) {
        fr_task_enter(fed, task);
        err = check_start(fed, task);
        if (!err) err = task->op->begin(&task->ctx, &task->state);
        task->is_begun = !err;
    }
    if (!err) err = task->op->step(&task->ctx, task->state, budget_ms, &done);
    if (!err && done) err = task->persons ? fr_approval_wait(task, NULL) : fr_approval_used(task);
    if (err || done) note_conflicts(task, NULL);
    if (err || done) finish(fed, task, err);
    return err || done;
}

void fr_admin_run(struct fr_admin_fed *fed, struct fr_task *task)
{
    if (fr_task_is_single(task)) {
        fr_admin_run_group(fed, &task, 1);
        return;
    }
    if (fr_task_is_issuing(task)) {
        fr_admin_run_issues(fed, &task, 1);
        return;
    }
    while (!fr_admin_step(fed, task, 1000)) {
    }
}

/* --- afterwards --- */

bool fr_admin_tidy(struct fr_admin_fed *fed, unsigned budget_ms)
{
    bool done = false;
    enum fr_err err = fr_bulk_tidy(fed->store, budget_ms, &done);
    if (err) FR_LOG(fed->log, FR_LOG_ERROR, "store.tidy_failed", FR_ERR("error", err));
    return err || done; /* the next import tries again */
}
