/* Operations that issue certificates, several at once: two commits and two syncs of the audit trail
 * for all of them together. */
#include "admin/approval.h"
#include "admin/record.h"

#include <string.h>

#define GROUP_MAX 64

struct group {
    struct fr_admin_fed *fed;
    struct fr_task *const *tasks;
    size_t n;
    bool to_sign[GROUP_MAX];
};

typedef enum fr_err (*in_change_fn)(struct group *g, size_t i);

static void fail(struct fr_task *task, enum fr_err err, const struct fr_diag *diag)
{
    task->err = err;
    if (diag) task->diag = *diag;
}

/* Runs fn in a change of its own for every task that is still good, and commits them together. */
static void run_changes(struct group *g, in_change_fn fn, const bool *which)
{
    struct fr_batch *batch = NULL;
    struct fr_diag diag = {0};
    bool is_in[GROUP_MAX] = {false};
    enum fr_err err = fr_batch_begin(g->fed->store, &diag, &batch);
    for (size_t i = 0; i < g->n; i++) {
        struct fr_task *task = g->tasks[i];
        struct fr_op_ctx *ctx = &task->ctx;
        if (task->err || (which && !which[i])) continue;
        is_in[i] = true;
        if (err) continue;
        task->err = fr_batch_change(batch, &ctx->by, &task->diag, &ctx->change);
        if (task->err) continue;
        task->err = fn(g, i);
        if (task->err || ctx->dry_run)
            fr_change_cancel(ctx->change);
        else
            task->err = fr_change_commit(ctx->change, &task->diag, &task->sequence);
        ctx->change = NULL;
    }
    if (!err) err = fr_batch_commit(batch, &diag);
    for (size_t i = 0; err && i < g->n; i++)
        if (is_in[i] && !g->tasks[i]->err) {
            g->tasks[i]->sequence = 0;
            fail(g->tasks[i], err, &diag);
        }
}

static enum fr_err intend(struct group *g, size_t i)
{
    struct fr_task *task = g->tasks[i];
    struct fr_op_ctx *ctx = &task->ctx;
    enum fr_err err = fr_op_check_caller(ctx, fr_change_snap(ctx->change), task->op->rights);
    if (!err) err = fr_approval_gate(task, fr_change_snap(ctx->change));
    if (!err) err = task->op->intend(ctx, &task->state, &g->to_sign[i]);
    task->is_begun = task->state != NULL;
    if (!err) err = fr_approval_use(task);
    return err;
}

static enum fr_err finish(struct group *g, size_t i)
{
    struct fr_task *task = g->tasks[i];
    return task->op->finish(&task->ctx, task->state);
}

/* What is on disk as an intent, but not in the trail, is never signed. */
static void record_intents(struct group *g)
{
    struct fr_diag diag = {0};
    size_t n = 0;
    for (size_t i = 0; i < g->n; i++) {
        struct fr_task *task = g->tasks[i];
        if (task->ctx.dry_run || task->err) g->to_sign[i] = false;
        if (!g->to_sign[i]) continue;
        task->err = fr_record_intent(g->fed, task);
        n++;
    }
    enum fr_err err = n ? fr_record_sync(g->fed, &diag) : FR_OK;
    for (size_t i = 0; err && i < g->n; i++)
        if (g->to_sign[i] && !g->tasks[i]->err) fail(g->tasks[i], err, &diag);
}

static void sign(struct group *g)
{
    for (size_t i = 0; i < g->n; i++) {
        struct fr_task *task = g->tasks[i];
        if (task->err || task->ctx.dry_run) continue;
        task->err = task->op->sign(&task->ctx, task->state);
        if (task->err) g->to_sign[i] = false;
    }
}

static void put_down(struct group *g)
{
    for (size_t i = 0; i < g->n; i++)
        if (!g->tasks[i]->err && g->tasks[i]->persons)
            g->tasks[i]->err = fr_approval_wait(g->tasks[i], NULL);
}

static void prepare(struct group *g)
{
    struct fr_diag diag = {0};
    /* Loaded before the first change: loading settles what a crash left, by a change of its own. */
    enum fr_err err = fr_admin_fed_load_ca(g->fed, &diag);
    for (size_t i = 0; i < g->n; i++) {
        struct fr_task *task = g->tasks[i];
        fr_task_enter(g->fed, task);
        if (err) fail(task, err, &diag);
        if (!task->err) task->err = fr_record_ready(g->fed, task);
        if (!task->err) task->err = fr_record_check_clock(g->fed, task->started_s, &task->diag);
    }
}

static void run_group(struct group *g)
{
    prepare(g);
    run_changes(g, intend, NULL);
    record_intents(g);
    sign(g);
    run_changes(g, finish, g->to_sign);
    put_down(g);
    for (size_t i = 0; i < g->n; i++) fr_task_close(g->fed, g->tasks[i], g->tasks[i]->err);
    fr_record_release(g->fed, g->tasks, g->n);
}

/* Two requests with one token must not meet in a group: the second has to see what the first got. */
static bool shares_token(struct fr_task *const *tasks, size_t n, const struct fr_task *task)
{
    if (task->actor.kind != FR_ACTOR_TOKEN) return false;
    for (size_t i = 0; i < n; i++)
        if (strcmp(tasks[i]->actor.name, task->actor.name) == 0) return true;
    return false;
}

void fr_admin_run_issues(struct fr_admin_fed *fed, struct fr_task *const *tasks, size_t n)
{
    while (n > 0) {
        struct fr_task *left[GROUP_MAX], *now[GROUP_MAX];
        const size_t taken = n < GROUP_MAX ? n : GROUP_MAX;
        size_t n_left = taken;
        memcpy(left, tasks, taken * sizeof left[0]);
        while (n_left > 0) {
            struct group g = {.fed = fed, .tasks = now};
            size_t later = 0;
            for (size_t i = 0; i < n_left; i++) {
                if (shares_token(now, g.n, left[i]))
                    left[later++] = left[i];
                else
                    now[g.n++] = left[i];
            }
            n_left = later;
            run_group(&g);
        }
        tasks += taken;
        n -= taken;
    }
}
