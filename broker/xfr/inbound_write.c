/* What came of a look becomes a change of the store: taken devices, or only when and how the look ended. */
#include "xfr/inbound_priv.h"

#include "base/json_out.h"

#define FINISH_MS 20
#define CONTACT_STEP_S 3600 /* and a quarter of the zone's expire time */

static const struct fr_admin_actor ACTOR = {.kind = FR_ACTOR_LOCAL, .name = "transfer"};

static void log_taken(struct fr_inbound *f, const struct fr_admin_reply *reply)
{
    const struct fr_secondary_options *o = fr_inbound_options(f);
    const bool is_held = fr_admin_reply_bool(reply, "held");

    FR_LOG(o->log, is_held ? FR_LOG_WARN : FR_LOG_INFO,
           is_held ? "transfer.held" : "transfer.taken",
           FR_STR("federation", fr_store_federation(o->store)), FR_STR("member", f->row.member),
           FR_STR("zone", f->row.zone), FR_UINT("serial", f->xfr.soa.serial),
           FR_STR("kind", f->intake.is_full ? "axfr" : "ixfr"), FR_UINT("records", f->xfr.records),
           FR_UINT("added", fr_admin_reply_uint(reply, "added", 0)),
           FR_UINT("moved", fr_admin_reply_uint(reply, "moved", 0)),
           FR_UINT("removed", fr_admin_reply_uint(reply, "removed", 0)),
           FR_UINT("gone", fr_admin_reply_uint(reply, "gone", 0)),
           FR_UINT("of", fr_admin_reply_uint(reply, "of", 0)),
           FR_UINT("left_out", fr_admin_reply_uint(reply, "left_out", 0)));
}

static void count_taken(struct fr_inbound *f)
{
    struct fr_secondary_counts *counts = fr_secondary_counts_of(f->secondary);

    if (f->intake.is_full)
        counts->full++;
    else
        counts->changes++;
}

static void written(void *data, struct fr_task *task)
{
    struct fr_inbound *f = data;
    struct fr_admin_reply *reply = NULL;
    struct fr_diag diag = {0};
    const bool was_transfer = f->has_intake;

    enum fr_err err = fr_task_take_reply(task, &diag, &reply);
    fr_task_free(task);
    if (f->is_gone || !f->secondary) {
        fr_admin_reply_free(reply);
        if (f->secondary)
            fr_secondary_drop(f->secondary, f);
        else
            fr_inbound_free(f);
        return;
    }
    if (!err && was_transfer) {
        log_taken(f, reply);
        count_taken(f);
    }
    fr_admin_reply_free(reply);
    fr_inbound_read_state(f);
    if (err == FR_E_BUSY) { /* another import is under way */
        fr_inbound_drop_intake(f);
        fr_inbound_wait_ms(f, FR_INBOUND_SOON_MS);
    } else if (err && was_transfer) {
        fr_inbound_give_up(f, diag.what[0] ? diag.what : fr_err_text(err));
    } else if (err) {
        fr_inbound_wait_retry(f);
    } else {
        fr_inbound_drop_intake(f);
        f->wants_full = false;
        if (f->state.failed_s)
            fr_inbound_wait_retry(f);
        else
            fr_inbound_wait_refresh(f);
    }
}

static void submit(struct fr_inbound *f, struct fr_task *task)
{
    const struct fr_secondary_options *o = fr_inbound_options(f);

    f->phase = FR_INBOUND_WRITES;
    if (fr_writer_submit(o->writer, task, o->loop, written, f) == FR_OK) return;
    fr_task_free(task);
    fr_inbound_drop_intake(f);
    fr_inbound_wait_ms(f, FR_INBOUND_BUSY_MS); /* it has too much to do: all again, soon */
}

void fr_inbound_note(struct fr_inbound *f)
{
    struct fr_buf args = FR_BUF_INIT(1024);
    struct fr_json j = fr_json(&args);
    struct fr_task *task = NULL;
    struct fr_diag diag = {0};

    fr_json_object(&j);
    fr_json_put_str(&j, "member", f->row.member);
    fr_json_put_str(&j, "zone", f->row.zone);
    fr_json_end(&j);
    enum fr_err err = fr_buf_err(&args);
    if (!err)
        err = fr_intake_submit_form("zone.note", fr_buf_str(&args), &f->state, NULL, NULL, 0,
                                    &ACTOR, &diag, &task);
    fr_buf_deinit(&args);
    if (err)
        fr_inbound_wait_retry(f);
    else
        submit(f, task);
}

static void proved(struct fr_inbound *f, const struct fr_soa *soa)
{
    f->state.contact_s = f->contact_s = fr_inbound_now_s(f);
    f->state.refresh_s = soa->refresh;
    f->state.retry_s = soa->retry;
    f->state.expire_s = soa->expire;
    f->state.asks = f->row.asks;
    f->state.failed_s = 0;
    f->state.fault[0] = '\0';
    f->is_expired = false;
}

/* How old the written time of contact may get: `zone primary show` tells an expired zone by it. */
static int64_t contact_step_s(const struct fr_inbound *f)
{
    return f->state.expire_s / 4 < CONTACT_STEP_S ? f->state.expire_s / 4 : CONTACT_STEP_S;
}

void fr_inbound_is_current(struct fr_inbound *f)
{
    struct fr_primary_state old = f->state;

    fr_inbound_drop_connection(f);
    fr_inbound_drop_intake(f);
    fr_secondary_counts_of(f->secondary)->current++;
    proved(f, &f->soa);
    const bool is_news = old.failed_s != 0 || old.asks != f->state.asks ||
                         old.refresh_s != f->state.refresh_s || old.retry_s != f->state.retry_s ||
                         old.expire_s != f->state.expire_s ||
                         f->state.contact_s - old.contact_s > contact_step_s(f);
    if (is_news) {
        fr_inbound_note(f);
        return;
    }
    f->state.contact_s = old.contact_s;
    fr_inbound_wait_refresh(f);
}

void fr_inbound_finish(struct fr_defer *d)
{
    struct fr_inbound *f = d->data;
    struct fr_task *task = NULL;
    struct fr_diag diag = {0};
    struct fr_primary_state state = f->state;
    bool done = false;

    enum fr_err err = fr_intake_finish(&f->intake, &f->state, FINISH_MS, &done);
    if (!err && !done) {
        fr_loop_defer(fr_inbound_options(f)->loop, &f->finishing);
        return;
    }
    if ((err == FR_E_CONFLICT || err == FR_E_LIMIT) && !f->intake.is_full) {
        fr_inbound_want_full(f, "the changes do not say what is left");
        return;
    }
    if (!err) {
        proved(f, &f->xfr.soa);
        f->state.taken_s = f->contact_s;
        state = f->state;
        err = fr_intake_task(&f->intake, &state, &ACTOR, &diag, &task);
    }
    if (err)
        fr_inbound_give_up(f, diag.what[0] ? diag.what : fr_err_text(err));
    else
        submit(f, task);
}

void fr_inbound_transferred(struct fr_inbound *f)
{
    fr_frames_free(f->frames);
    f->frames = NULL;
    fr_timer_stop(&f->deadline);
    f->phase = FR_INBOUND_FINISHES;
    fr_loop_defer(fr_inbound_options(f)->loop, &f->finishing);
}
