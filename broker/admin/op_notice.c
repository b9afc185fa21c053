/* notice.look, notice.told, notice.ack: what operators have to be told, and who has taken note of it */
#include "admin/op.h"

#include "admin/args.h"
#include "admin/fed.h"
#include "alarm/ledger.h"
#include "alarm/survey.h"
#include "base/mem.h"
#include "store/notice.h"

#include <string.h>

/* --- notice.look --- */

struct look_args {
    struct fr_arg_number backup, diverged;
    const char *trail;
    bool copy_fails;
    struct fr_arg_texts walks, over;
};

static const struct fr_arg look_rows[] = {
    {.key = "backup", FR_ARG_UINT, offsetof(struct look_args, backup), .max = INT64_MAX},
    {.key = "diverged", FR_ARG_UINT, offsetof(struct look_args, diverged), .max = 1000},
    {.key = "trail", FR_ARG_TEXT, offsetof(struct look_args, trail), .max = FR_NOTICE_WHAT_MAX},
    {.key = "copy_fails", FR_ARG_BOOL, offsetof(struct look_args, copy_fails)},
    {.key = "walks", FR_ARG_TEXTS, offsetof(struct look_args, walks)},
    {.key = "over", FR_ARG_TEXTS, offsetof(struct look_args, over)},
    {.key = NULL},
};

struct look {
    struct look_args args;
    struct fr_alarm_seen seen;
    struct fr_survey *survey;
    bool is_surveyed;
    struct fr_ledger ledger;
    uint64_t dropped;
};

void fr_op_notice_look_end(void *state)
{
    struct look *look = state;
    if (!look) return;
    fr_survey_free(look->survey);
    fr_args_free(look_rows, &look->args);
    fr_free(look);
}

static void log_noted(void *data, const char *id, const struct fr_notice_row *row)
{
    const struct fr_op_ctx *ctx = data;
    const char *federation = fr_store_federation(ctx->store);
    if (ctx->dry_run) return;
    if (!row) {
        FR_LOG(ctx->fed->log, FR_LOG_INFO, "notice.mended", FR_STR("federation", federation),
               FR_STR("id", id));
        return;
    }
    FR_LOG(ctx->fed->log,
           row->level == FR_NOTICE_CRITICAL ? FR_LOG_ERROR
           : row->level == FR_NOTICE_PLAN   ? FR_LOG_INFO
                                            : FR_LOG_WARN,
           "notice.raised", FR_STR("federation", federation), FR_STR("id", id),
           FR_STR("stage", fr_notice_stage_text(row->stage)), FR_STR("what", row->what),
           FR_STR("mend", row->mend));
}

enum fr_err fr_op_notice_look_begin(struct fr_op_ctx *ctx, void **state)
{
    struct look *look = fr_calloc(1, sizeof *look);
    enum fr_err err =
        look ? fr_args_decode(look_rows, ctx->args, ctx->diag, &look->args) : FR_E_NOMEM;
    if (err) goto out;
    look->seen = (struct fr_alarm_seen){
        .backup_s = look->args.backup.is_set ? (int64_t)look->args.backup.value : -1,
        .diverged = (unsigned)look->args.diverged.value,
        .trail = look->args.trail,
        .copy_fails = look->args.copy_fails,
        .walks = look->args.walks.items,
        .n_walks = look->args.walks.n,
        .over = look->args.over.items,
        .n_over = look->args.over.n,
    };
    const struct fr_survey_options options = {
        .state = fr_op_state(ctx), .now_s = ctx->by.now_s, .seen = &look->seen};
    look->ledger.noted = log_noted;
    look->ledger.data = ctx;
    err = fr_survey_new(&options, &look->survey);
    if (err) goto out;
    *state = look;
    look = NULL;
out:
    fr_op_notice_look_end(look);
    return err;
}

/* One part of the rows, in a change of its own; most looks find nothing to change. */
static enum fr_err reckon(struct fr_op_ctx *ctx, struct look *look, bool *done)
{
    struct fr_change *change = NULL;
    bool is_done = false;
    enum fr_err err = fr_store_change(ctx->store, &ctx->by, ctx->diag, &change);
    if (err) return err;
    err = fr_ledger_reckon(&look->ledger, change, ctx->diag, &is_done);
    if (err || is_done || ctx->dry_run)
        fr_change_cancel(change);
    else
        err = fr_change_commit(change, ctx->diag, ctx->sequence);
    *done = is_done || ctx->dry_run;
    return err;
}

static void put_counts(struct fr_op_ctx *ctx, const struct look *look)
{
    fr_op_put(ctx, ctx->result, "raised", fr_op_uint(look->ledger.raised));
    fr_op_put(ctx, ctx->result, "cleared", fr_op_uint(look->ledger.cleared));
    fr_op_put(ctx, ctx->result, "dropped", fr_op_uint(look->dropped + look->ledger.no_room));
    fr_op_put(ctx, ctx->result, "changed",
              json_boolean(look->ledger.raised + look->ledger.cleared > 0));
}

enum fr_err fr_op_notice_look_step(struct fr_op_ctx *ctx, void *state, unsigned budget_ms,
                                   bool *done)
{
    struct look *look = state;
    if (!look->is_surveyed) {
        enum fr_err err = fr_survey_step(look->survey, ctx->store, budget_ms, &look->is_surveyed);
        if (!err && look->is_surveyed)
            look->ledger.conditions =
                fr_survey_conditions(look->survey, &look->ledger.n, &look->dropped);
        return err;
    }
    enum fr_err err = reckon(ctx, look, done);
    if (!err && *done) put_counts(ctx, look);
    return err;
}

/* --- notice.told --- */

struct told_args {
    const char *id, *way;
    struct fr_arg_number stage;
};

static const struct fr_arg told_rows[] = {
    {.key = "id", FR_ARG_TEXT, offsetof(struct told_args, id), true, 0, FR_NOTICE_ID_MAX},
    {.key = "way", FR_ARG_TEXT, offsetof(struct told_args, way), .is_required = true},
    {.key = "stage", FR_ARG_UINT, offsetof(struct told_args, stage), true, 1, FR_STAGE_OVER},
    {.key = NULL},
};

enum fr_err fr_op_notice_told(struct fr_op_ctx *ctx)
{
    struct told_args args = {0};
    enum fr_err err = fr_args_decode(told_rows, ctx->args, ctx->diag, &args);
    if (err) return err;
    const bool by_exec = strcmp(args.way, "exec") == 0;
    if (!by_exec && strcmp(args.way, "post") != 0)
        return fr_diag_fail(ctx->diag, FR_E_INVALID, "way is one of exec and post");
    err = fr_notice_told(ctx->change, args.id, (enum fr_notice_stage)args.stage.value,
                         by_exec ? FR_NOTICE_BY_EXEC : FR_NOTICE_BY_POST);
    fr_op_put(ctx, ctx->result, "id", json_string(args.id));
    fr_op_put(ctx, ctx->result, "changed", json_boolean(!fr_change_is_empty(ctx->change)));
    return err;
}

/* --- notice.ack --- */

#define ACKS_AT_ONCE 200 /* a journal record has room for so many */

struct ack_args {
    struct fr_arg_texts ids;
    bool is_all;
};

static const struct fr_arg ack_rows[] = {
    {.key = "ids", FR_ARG_TEXTS, offsetof(struct ack_args, ids), .max = ACKS_AT_ONCE},
    {.key = "all", FR_ARG_BOOL, offsetof(struct ack_args, is_all)},
    {.key = NULL},
};

struct open_ids {
    char (*ids)[FR_NOTICE_ID_MAX + 1]; /* ACKS_AT_ONCE of them */
    size_t n;
    bool has_more;
};

static enum fr_err add_open(void *data, const struct fr_notice_row *row)
{
    struct open_ids *open = data;
    if (row->acked_s > 0) return FR_OK;
    open->has_more = open->n == ACKS_AT_ONCE;
    if (open->has_more) return FR_E_EXISTS; /* enough */
    memcpy(open->ids[open->n++], row->id, sizeof row->id);
    return FR_OK;
}

static enum fr_err find_open(struct fr_op_ctx *ctx, struct open_ids *open)
{
    open->ids = fr_calloc(ACKS_AT_ONCE, sizeof *open->ids);
    if (!open->ids) return FR_E_NOMEM;
    enum fr_err err = fr_notice_each(fr_change_snap(ctx->change), add_open, open);
    return open->has_more ? FR_OK : err;
}

struct acking {
    struct fr_op_ctx *ctx;
    json_t *ids;
};

static enum fr_err ack(const struct acking *a, const char *id)
{
    struct fr_op_ctx *ctx = a->ctx;
    enum fr_err err = fr_notice_ack(ctx->change, id, ctx->by.actor, ctx->by.reason, ctx->diag);
    if (err == FR_E_NOT_FOUND) fr_diag_hint(ctx->diag, "see: fedroam notify list");
    if (!err) fr_op_push(ctx, a->ids, json_string(id));
    return err;
}

enum fr_err fr_op_notice_ack(struct fr_op_ctx *ctx)
{
    struct ack_args args = {0};
    struct open_ids open = {0};
    const struct acking a = {ctx, json_array()};
    enum fr_err err = fr_args_decode(ack_rows, ctx->args, ctx->diag, &args);
    if (!err && args.is_all == (args.ids.n > 0))
        err = fr_diag_fail(ctx->diag, FR_E_INVALID, "give one of ids and all");
    if (!err && (!ctx->by.reason || !ctx->by.reason[0])) {
        err = fr_diag_fail(ctx->diag, FR_E_INVALID, "who takes note of something says why");
        fr_diag_hint(ctx->diag, "add --reason TEXT");
    }
    if (!err && args.is_all) err = find_open(ctx, &open);
    for (size_t i = 0; !err && i < args.ids.n; i++) err = ack(&a, args.ids.items[i]);
    for (size_t i = 0; !err && i < open.n; i++) err = ack(&a, open.ids[i]);
    fr_op_put(ctx, ctx->result, "acked", fr_op_uint(json_array_size(a.ids)));
    fr_op_put(ctx, ctx->result, "ids", a.ids);
    fr_op_put(ctx, ctx->result, "more", json_boolean(open.has_more));
    fr_op_put(ctx, ctx->result, "changed", json_boolean(!fr_change_is_empty(ctx->change)));
    fr_free(open.ids);
    fr_args_free(ack_rows, &args);
    return err;
}
