#include "admin/record.h"

#include "base/buf.h"
#include "store/acted.h"

#define RESULT_MAX (1024 * 1024)

/* --- what may happen --- */

enum fr_err fr_record_ready(struct fr_admin_fed *fed, struct fr_task *task)
{
    if (task->ctx.dry_run || task->op->is_protective) return FR_OK;
    return fr_audit_ready(fed->audit, task->started_s, &task->diag);
}

static enum fr_err last_acted(struct fr_admin_fed *fed, int64_t *out)
{
    struct fr_snap *snap = NULL;
    enum fr_err err = fr_snap_begin(fed->store, &snap);
    if (!err) err = fr_acted_get(snap, out);
    fr_snap_end(snap);
    return err;
}

enum fr_err fr_record_check_clock(struct fr_admin_fed *fed, int64_t now_s, struct fr_diag *diag)
{
    int64_t acted_s = 0;
    char now[FR_TIME_TEXT], then[FR_TIME_TEXT];
    enum fr_err err = last_acted(fed, &acted_s);
    if (err) return fr_diag_fail(diag, err, "the store cannot be read: %s", fr_err_text(err));
    fr_time_print(now_s, now);
    fr_time_print(acted_s, then);
    if (acted_s > 0 && now_s - acted_s > FR_CLOCK_AHEAD_S)
        FR_LOG(fed->log, FR_LOG_WARN, "clock.ahead",
               FR_STR("federation", fr_store_federation(fed->store)), FR_STR("now", now),
               FR_STR("last", then));
    if (now_s >= acted_s - FR_CLOCK_BACK_S) return FR_OK;
    (void)fr_diag_fail(
        diag, FR_E_BUSY,
        "the clock went back: it says %s, but something was done at %s, %lld s later", now, then,
        (long long)(acted_s - now_s));
    fr_diag_hint(diag, "nothing is issued until it is right; if it is right now: "
                       "fedroam ca clock accept --reason WHY");
    FR_LOG(fed->log, FR_LOG_ERROR, "clock.back",
           FR_STR("federation", fr_store_federation(fed->store)), FR_STR("now", now),
           FR_STR("last", then));
    return FR_E_BUSY;
}

/* --- lines --- */

static bool is_signing(const struct fr_task *task)
{
    return task->op->signs || task->op->intend;
}

static void describe(const struct fr_task *task, struct fr_audit_entry *out)
{
    const struct fr_admin_actor *actor = &task->actor;
    *out = (struct fr_audit_entry){
        .when_s = task->started_s,
        .actor = actor->name,
        .has_uid = actor->has_uid,
        .uid = actor->uid,
        .op = task->op->name,
        .args = task->args_text,
        .body = task->ctx.body,
        .reason = task->reason,
        .dry_run = task->ctx.dry_run && !task->persons,
    };
    if (actor->kind == FR_ACTOR_CERT || actor->kind == FR_ACTOR_MEMBER)
        out->certificate = actor->serial;
}

/* What a reply may say that everybody who reads the trail may know. The rest is left out: a token's
 * text is in a reply, too. */
static const char *const public_keys[] = {
    "added",   "approved", "block",  "blocked", "entries", "file",  "id",     "imported",
    "joineui", "lists",    "member", "moved",   "name",    "netid", "number", "profile",
    "removed", "revoked",  "serial", "sha256",  "state",   "until",
};

static int add_text(const char *text, size_t n, void *data)
{
    struct fr_buf *out = data;
    fr_buf_add(out, text, n);
    return fr_buf_err(out) ? -1 : 0;
}

/* What is public of a task, as JSON; empty where there is nothing, or no memory. */
static void write_public(const struct fr_task *task, struct fr_buf *out)
{
    json_t *told = json_object();
    for (size_t i = 0; !task->err && i < sizeof public_keys / sizeof public_keys[0]; i++) {
        json_t *value = json_object_get(task->ctx.result, public_keys[i]);
        if (value) (void)json_object_set(told, public_keys[i], value);
    }
    if (task->ctx.facts) (void)json_object_update(told, task->ctx.facts);
    if (json_object_size(told) && json_dump_callback(told, add_text, out, JSON_COMPACT))
        fr_buf_reset(out);
    json_decref(told);
}

static enum fr_err add(struct fr_admin_fed *fed, const struct fr_task *task,
                       struct fr_audit_entry *entry, struct fr_diag *diag)
{
    struct fr_buf result = FR_BUF_INIT(RESULT_MAX);
    write_public(task, &result);
    entry->result = result.n ? fr_buf_str(&result) : NULL;
    enum fr_err err = fr_audit_add(fed->audit, entry, diag);
    fr_buf_deinit(&result);
    return err;
}

enum fr_err fr_record_intent(struct fr_admin_fed *fed, struct fr_task *task)
{
    struct fr_audit_entry entry;
    describe(task, &entry);
    entry.is_intent = true;
    return add(fed, task, &entry, &task->diag);
}

enum fr_err fr_record_sync(struct fr_admin_fed *fed, struct fr_diag *diag)
{
    return fr_audit_sync(fed->audit, diag);
}

static void refuse_release(struct fr_task *task, const struct fr_diag *diag)
{
    task->diag = *diag;
    task->err = FR_E_UNAVAILABLE;
    task->sequence = 0;
}

void fr_record_outcome(struct fr_admin_fed *fed, struct fr_task *task)
{
    struct fr_audit_entry entry;
    struct fr_diag diag = {0};
    if (task->op->is_quiet && !task->err) return;
    describe(task, &entry);
    entry.err = task->err;
    entry.what = task->err && task->diag.what[0] ? task->diag.what : NULL;
    entry.sequence = task->sequence;
    FR_LOG(fed->log, task->err ? FR_LOG_WARN : FR_LOG_INFO, "admin.change",
           FR_STR("federation", fr_store_federation(fed->store)), FR_STR("op", entry.op),
           FR_STR("actor", entry.actor),
           FR_STR("outcome", task->err ? fr_err_text(task->err) : "done"),
           FR_STR("why", entry.what), FR_BOOL("dry_run", entry.dry_run),
           FR_UINT("sequence", entry.sequence), FR_STR("reason", entry.reason));
    /* Of what cannot be recorded nothing signed leaves; another change stands, and the trail will
     * say that a line is missing. */
    if (add(fed, task, &entry, &diag) && is_signing(task) && !task->err && !task->ctx.dry_run)
        refuse_release(task, &diag);
}

void fr_record_release(struct fr_admin_fed *fed, struct fr_task *const *tasks, size_t n)
{
    struct fr_diag diag = {0};
    enum fr_err err = fr_audit_sync(fed->audit, &diag);
    for (size_t i = 0; i < n; i++) {
        if (err && is_signing(tasks[i]) && !tasks[i]->err && !tasks[i]->ctx.dry_run)
            refuse_release(tasks[i], &diag);
        tasks[i]->is_over = true;
    }
}
