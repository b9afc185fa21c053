#include "admin/task.h"

#include "admin/login.h"
#include "admin/reply.h"
#include "base/clock.h"
#include "base/mem.h"
#include "store/check.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>

struct fr_admin_actor fr_admin_actor_user(enum fr_actor_kind kind, uid_t uid, pid_t pid)
{
    struct fr_admin_actor actor = {.kind = kind, .has_uid = true, .uid = (unsigned)uid};
    struct passwd entry, *found = NULL;
    char room[4096];
    const char *prefix = kind == FR_ACTOR_CLI ? "cli" : "local";
    if (getpwuid_r(uid, &entry, room, sizeof room, &found) == 0 && found)
        (void)snprintf(actor.name, sizeof actor.name, "%s:%s", prefix, found->pw_name);
    else
        (void)snprintf(actor.name, sizeof actor.name, "%s:%lu", prefix, (unsigned long)uid);
    fr_login_of(pid, actor.login);
    return actor;
}

static enum fr_err args_parse(const char *text, struct fr_diag *diag, json_t **out)
{
    json_error_t error;
    size_t n = text ? strlen(text) : 0;
    if (n > FR_ADMIN_ARGS_MAX)
        return fr_diag_fail(diag, FR_E_INVALID, "the arguments are longer than %d bytes",
                            FR_ADMIN_ARGS_MAX);
    json_t *args = n ? json_loadb(text, n, JSON_REJECT_DUPLICATES, &error) : json_object();
    if (!args && !n) return FR_E_NOMEM;
    if (!args)
        return fr_diag_fail(diag, FR_E_INVALID, "the arguments are not JSON: %s (character %d)",
                            error.text, error.position);
    if (!json_is_object(args)) {
        json_decref(args);
        return fr_diag_fail(diag, FR_E_INVALID, "the arguments must be one JSON object");
    }
    *out = args;
    return FR_OK;
}

static enum fr_err by_check(const struct fr_op *op, const struct fr_admin_actor *actor,
                            struct fr_diag *diag)
{
    static const unsigned by[] = {
        [FR_ACTOR_CLI] = FR_BY_OPERATOR,  [FR_ACTOR_LOCAL] = FR_BY_OPERATOR,
        [FR_ACTOR_CERT] = FR_BY_ENROLLEE, [FR_ACTOR_TOKEN] = FR_BY_ENROLLEE,
        [FR_ACTOR_MEMBER] = FR_BY_MEMBER,
    };
    const unsigned may = op->by ? op->by : FR_BY_OPERATOR;
    if (may & by[actor->kind]) return FR_OK;
    if (by[actor->kind] == FR_BY_OPERATOR)
        return fr_diag_fail(diag, FR_E_DENIED, "%s is asked by members, over %s", op->name,
                            may & FR_BY_MEMBER ? "the API" : "EST");
    return fr_diag_fail(diag, FR_E_DENIED, "%s may not change anything here", actor->name);
}

static enum fr_err request_check(const struct fr_op *op, const struct fr_admin_request *request,
                                 const struct fr_admin_actor *actor, struct fr_diag *diag)
{
    if (!op) return fr_diag_fail(diag, FR_E_NOT_FOUND, "no operation \"%.64s\"", request->op);
    enum fr_err err = by_check(op, actor, diag);
    if (err) return err;
    if (request->body.n && !op->has_body)
        return fr_diag_fail(diag, FR_E_INVALID, "%s takes no body", op->name);
    if (request->body.n > FR_ADMIN_BODY_MAX)
        return fr_diag_fail(diag, FR_E_LIMIT, "the body is longer than %d bytes",
                            FR_ADMIN_BODY_MAX);
    if (request->reason && strlen(request->reason) > FR_REASON_MAX)
        return fr_diag_fail(diag, FR_E_INVALID, "the reason is longer than %d bytes",
                            FR_REASON_MAX);
    return FR_OK;
}

enum fr_err fr_task_new(const struct fr_admin_request *request, const struct fr_admin_actor *actor,
                        struct fr_diag *diag, struct fr_task **out)
{
    const struct fr_op *op = fr_op_find(request->op);
    struct fr_task *task = NULL;
    enum fr_err err = request_check(op, request, actor, diag);
    if (err) goto out;

    task = fr_calloc(1, sizeof *task);
    if (!task) {
        err = FR_E_NOMEM;
        goto out;
    }
    task->op = op;
    task->actor = *actor;
    task->is_repeated = request->is_repeated;
    err = args_parse(request->args, diag, &task->args);
    if (err) goto out;
    task->args_text = fr_strdup(request->args ? request->args : "{}");
    task->reason = request->reason ? fr_strdup(request->reason) : NULL;
    task->body = request->body.n ? fr_memdup(request->body.p, request->body.n) : NULL;
    task->ctx = (struct fr_op_ctx){
        .caller = &task->actor,
        .args = task->args,
        .body = fr_span(task->body, request->body.n),
        .dry_run = request->dry_run,
        .sequence = &task->sequence,
        .result = json_object(),
        .facts = json_object(),
        .diag = &task->diag,
    };
    if (!task->args_text || (request->reason && !task->reason) ||
        (request->body.n && !task->body) || !task->ctx.result || !task->ctx.facts) {
        err = FR_E_NOMEM;
        goto out;
    }
    *out = task;
    task = NULL;
out:
    fr_task_free(task);
    return err;
}

void fr_task_free(struct fr_task *task)
{
    if (!task) return;
    if (task->is_begun && task->op->end) task->op->end(task->state);
    json_decref(task->ctx.result);
    json_decref(task->ctx.facts);
    json_decref(task->args);
    fr_free(task->ctx.conflicts.items);
    fr_free(task->args_text);
    fr_free(task->reason);
    fr_secret_free(task->body, task->ctx.body.n); /* a key of TSIG, or what it is derived from */
    fr_free(task);
}

bool fr_task_is_single(const struct fr_task *task)
{
    return task->op->run != NULL;
}

bool fr_task_is_issuing(const struct fr_task *task)
{
    return task->op->intend != NULL;
}

bool fr_task_is_bulk(const struct fr_task *task)
{
    return task->op->is_bulk;
}

bool fr_task_is_batch(const struct fr_task *task)
{
    return task->op->is_batch;
}

/* What is wrong in arguments or body has said so itself. */
static void tell_damage(struct fr_task *task)
{
    (void)fr_diag_fail(&task->diag, task->err, "a row of the registry cannot be read");
    fr_diag_hint(&task->diag, "fedroam zone check names it");
}

enum fr_err fr_task_take_reply(struct fr_task *task, struct fr_diag *diag,
                               struct fr_admin_reply **out)
{
    if (task->err) {
        if (!task->diag.what[0] && fr_store_is_damage(task->err)) tell_damage(task);
        if (diag) *diag = task->diag;
        return task->err;
    }
    json_t *result = task->ctx.result;
    task->ctx.result = NULL;
    return fr_admin_reply_new(result, out);
}

/* --- for operations --- */

void fr_op_put(struct fr_op_ctx *ctx, json_t *object, const char *key, json_t *value)
{
    if (!value || json_object_set_new(object, key, value)) ctx->is_out_of_memory = true;
}

void fr_op_note(struct fr_op_ctx *ctx, const char *key, json_t *value)
{
    fr_op_put(ctx, ctx->facts, key, value);
}

void fr_op_push(struct fr_op_ctx *ctx, json_t *list, json_t *value)
{
    if (!value || json_array_append_new(list, value)) ctx->is_out_of_memory = true;
}
