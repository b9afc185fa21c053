#include "main/notice_duty.h"

#include "backup/backup.h"
#include "base/json_out.h"
#include "base/mem.h"
#include "replica/diverged.h"

#include <stdio.h>
#include <string.h>

#define ARGS_MAX (1024u * 1024)

/* What the writer was asked to do; it outlives the duty when the writer does. */
struct errand {
    struct fr_notice_duty *duty; /* NULL: gone */
    bool is_out;
    enum fr_notice_way way;
    int64_t sent_ms;
};

enum { ERRAND_LOOK, ERRAND_EXEC, ERRAND_POST, ERRANDS };

struct fr_notice_duty {
    struct fr_notice_duty_options options;
    struct fr_messenger *messenger;
    struct errand *errands[ERRANDS];
    int64_t next_look_ms;
    uint64_t copy_failures, lines; /* of the trail, when it was looked last */
    bool copy_fails, is_stopping;
};

/* --- errands --- */

/* False: the writer takes none now. */
static bool send(struct fr_notice_duty *duty, int which, const char *op, const char *args,
                 fr_writer_done_fn done)
{
    static const struct fr_admin_actor actor = {.kind = FR_ACTOR_LOCAL, .name = "broker"};
    const struct fr_admin_request request = {.op = op, .args = args};
    struct errand *errand = duty->errands[which];
    struct fr_task *task = NULL;
    if (errand->is_out || fr_task_new(&request, &actor, NULL, &task)) return false;
    if (fr_writer_submit(duty->options.writer, task, duty->options.loop, done, errand)) {
        fr_task_free(task);
        return false;
    }
    errand->is_out = true;
    errand->sent_ms = fr_clock_mono_ms(duty->options.clock);
    return true;
}

/* The duty it came back to; NULL: gone meanwhile. */
static struct fr_notice_duty *come_back(struct errand *errand, struct fr_task *task,
                                        enum fr_err *err)
{
    struct fr_admin_reply *reply = NULL;
    struct fr_notice_duty *duty = errand->duty;
    *err = fr_task_take_reply(task, NULL, &reply);
    fr_admin_reply_free(reply);
    fr_task_free(task);
    errand->is_out = false;
    if (!duty) fr_free(errand);
    return duty;
}

/* --- looking --- */

struct writing {
    struct fr_json j;
    bool wants_walks;
};

static void write_usage(void *data, const struct fr_usage_row *row)
{
    struct writing *w = data;
    char text[FR_MEMBER_ID_MAX + 32];
    if (w->wants_walks) {
        if (row->walks > 0) fr_json_str(&w->j, row->member);
        return;
    }
    for (int b = 0; b < FR_BUDGETS; b++) {
        if (row->refused[b] == 0) continue;
        (void)snprintf(text, sizeof text, "%s/%s", row->member, fr_budget_text((enum fr_budget)b));
        fr_json_str(&w->j, text);
    }
}

/* The second copy fails from a line that it lacks until one that it has. */
static void look_at_copy(struct fr_notice_duty *duty, const struct fr_audit_counters *audit)
{
    if (audit->copy_failures != duty->copy_failures)
        duty->copy_fails = true;
    else if (audit->lines != duty->lines)
        duty->copy_fails = false;
    duty->copy_failures = audit->copy_failures;
    duty->lines = audit->lines;
}

static enum fr_err write_seen(struct fr_notice_duty *duty, struct fr_buf *out)
{
    const struct fr_notice_duty_options *o = &duty->options;
    const struct fr_audit_counters audit = fr_admin_fed_audit(o->admin);
    const int64_t backup_s = fr_backup_noted_s(o->state);
    const unsigned diverged = fr_diverged_count(o->state);
    struct writing w = {.j = fr_json(out)};
    look_at_copy(duty, &audit);
    fr_json_object(&w.j);
    fr_json_put_uint(&w.j, "backup", backup_s > 0 ? (uint64_t)backup_s : 0);
    if (diverged > 0) fr_json_put_uint(&w.j, "diverged", diverged < 1000 ? diverged : 1000);
    if (!audit.is_ready)
        fr_json_put_str(&w.j, "trail", "the audit trail cannot be written: nothing is issued");
    if (duty->copy_fails) fr_json_put_bool(&w.j, "copy_fails", true);
    w.wants_walks = true;
    fr_json_key(&w.j, "walks");
    fr_json_array(&w.j);
    fr_usage_each(o->usage, write_usage, &w);
    fr_json_end(&w.j);
    w.wants_walks = false;
    fr_json_key(&w.j, "over");
    fr_json_array(&w.j);
    fr_usage_each(o->usage, write_usage, &w);
    fr_json_end(&w.j);
    fr_json_end(&w.j);
    return fr_buf_err(out);
}

static void on_looked(void *data, struct fr_task *task)
{
    struct errand *errand = data;
    enum fr_err err = FR_OK;
    struct fr_notice_duty *duty = come_back(errand, task, &err);
    if (!duty) return;
    const int64_t now_ms = fr_clock_mono_ms(duty->options.clock);
    const int64_t pause_ms = FR_NOTICE_PAUSES * (now_ms - errand->sent_ms);
    duty->next_look_ms = now_ms + (pause_ms > FR_NOTICE_LOOK_MS ? pause_ms : FR_NOTICE_LOOK_MS);
    if (!duty->is_stopping) fr_messenger_tend(duty->messenger);
}

static void look(struct fr_notice_duty *duty)
{
    struct fr_buf args = FR_BUF_INIT(ARGS_MAX);
    if (!duty->errands[ERRAND_LOOK]->is_out &&
        fr_clock_mono_ms(duty->options.clock) >= duty->next_look_ms &&
        write_seen(duty, &args) == FR_OK)
        (void)send(duty, ERRAND_LOOK, "notice.look", fr_buf_str(&args),
                   on_looked); /* or next time */
    fr_buf_deinit(&args);
}

/* --- what was told --- */

static void on_recorded(void *data, struct fr_task *task)
{
    struct errand *errand = data;
    const enum fr_notice_way way = errand->way;
    enum fr_err err = FR_OK;
    struct fr_notice_duty *duty = come_back(errand, task, &err);
    if (duty && !duty->is_stopping) fr_messenger_recorded(duty->messenger, way, !err);
}

static bool told(void *data, const char *id, enum fr_notice_stage stage, enum fr_notice_way way)
{
    struct fr_notice_duty *duty = data;
    struct fr_buf args = FR_BUF_INIT(ARGS_MAX);
    struct fr_json j = fr_json(&args);
    fr_json_object(&j);
    fr_json_put_str(&j, "id", id);
    fr_json_put_uint(&j, "stage", (uint64_t)stage);
    fr_json_put_str(&j, "way", fr_notice_way_text(way));
    fr_json_end(&j);
    const bool is_sent = fr_buf_err(&args) == FR_OK &&
                         send(duty, way == FR_NOTICE_BY_EXEC ? ERRAND_EXEC : ERRAND_POST,
                              "notice.told", fr_buf_str(&args), on_recorded);
    fr_buf_deinit(&args);
    return is_sent;
}

/* --- handle --- */

enum fr_err fr_notice_duty_new(const struct fr_notice_duty_options *options,
                               struct fr_notice_duty **out)
{
    enum fr_err err = FR_OK;
    struct fr_notice_duty *duty = fr_calloc(1, sizeof *duty);
    if (!duty) return FR_E_NOMEM;
    duty->options = *options;
    for (int i = 0; !err && i < ERRANDS; i++) {
        duty->errands[i] = fr_calloc(1, sizeof *duty->errands[i]);
        err = duty->errands[i] ? FR_OK : FR_E_NOMEM;
        if (err) continue;
        duty->errands[i]->duty = duty;
        duty->errands[i]->way = i == ERRAND_EXEC ? FR_NOTICE_BY_EXEC : FR_NOTICE_BY_POST;
    }
    const struct fr_messenger_options messenger = {.loop = options->loop,
                                                   .store = options->store,
                                                   .log = options->log,
                                                   .clock = options->clock,
                                                   .told = told,
                                                   .data = duty};
    if (!err) err = fr_messenger_new(&messenger, &duty->messenger);
    if (err)
        fr_notice_duty_free(duty);
    else
        *out = duty;
    return err;
}

enum fr_err fr_notice_duty_set(struct fr_notice_duty *duty, const struct fr_notify_conf *conf)
{
    return fr_messenger_set(duty->messenger, conf);
}

void fr_notice_duty_tend(struct fr_notice_duty *duty)
{
    if (duty->is_stopping) return;
    look(duty);
    fr_messenger_tend(duty->messenger);
}

void fr_notice_duty_stop(struct fr_notice_duty *duty)
{
    if (!duty || duty->is_stopping) return;
    duty->is_stopping = true;
    fr_messenger_stop(duty->messenger);
}

void fr_notice_duty_free(struct fr_notice_duty *duty)
{
    if (!duty) return;
    fr_messenger_free(duty->messenger);
    for (int i = 0; i < ERRANDS; i++) {
        if (duty->errands[i] && duty->errands[i]->is_out)
            duty->errands[i]->duty = NULL;
        else
            fr_free(duty->errands[i]);
    }
    fr_free(duty);
}

struct fr_messenger *fr_notice_duty_messenger(struct fr_notice_duty *duty)
{
    return duty->messenger;
}
