#include "xfr/inbound.h"

#include "base/file.h"
#include "base/json_out.h"
#include "base/mem.h"
#include "base/random.h"
#include "xfr/credentials.h"

#include <stdio.h>
#include <string.h>

#define MESSAGE_MAX 65535
#define FIRST_RETRY_S 60   /* before the zone has told its own */
#define FULL_EVERY_S 86400 /* a whole transfer heals whatever else wrote to the NetIDs */
#define SOON_MS 250        /* after a NOTIFY: more may follow at once */
#define BUSY_MS 250
#define FINISH_MS 20
#define CONTACT_STEP_S 3600 /* and a quarter of the zone's expire time */

static const struct fr_admin_actor ACTOR = {.kind = FR_ACTOR_LOCAL, .name = "transfer"};

static const struct fr_secondary_options *options_of(const struct fr_inbound *f)
{
    return fr_secondary_options_of(f->secondary);
}

static int64_t now_s(const struct fr_inbound *f)
{
    return fr_clock_real_s(options_of(f)->clock);
}

/* --- when --- */

static uint32_t clamp(uint32_t v, uint32_t min, uint32_t max)
{
    return v < min ? min : v > max ? max : v;
}

/* A tenth earlier or later, so that many zones do not move in step. */
static int64_t jittered_ms(uint32_t seconds)
{
    uint8_t r = 0;

    if (fr_random(&r, 1)) r = 128;
    return (int64_t)seconds * 900 + (int64_t)seconds * 200 * r / 255;
}

static void wait_ms(struct fr_inbound *f, int64_t ms)
{
    f->phase = FR_INBOUND_WAITS;
    fr_timer_start(options_of(f)->loop, &f->due, ms);
}

static void wait_refresh(struct fr_inbound *f)
{
    const struct fr_primary_row *row = &f->row;

    wait_ms(f, f->again ? SOON_MS
                        : jittered_ms(
                              clamp(f->state.refresh_s, row->refresh_min_s, row->refresh_max_s)));
    f->again = false;
}

static void wait_retry(struct fr_inbound *f)
{
    uint32_t retry = f->state.retry_s ? f->state.retry_s : FIRST_RETRY_S;

    wait_ms(f, f->again ? SOON_MS
                        : jittered_ms(clamp(retry, f->row.refresh_min_s, f->row.refresh_max_s)));
    f->again = false;
}

/* --- ends --- */

static void drop_connection(struct fr_inbound *f)
{
    fr_frames_free(f->frames);
    f->frames = NULL;
    fr_timer_stop(&f->deadline);
    fr_defer_cancel(&f->finishing);
    fr_tsig_stream_deinit(&f->stream);
}

static void drop_intake(struct fr_inbound *f)
{
    if (f->has_intake) fr_intake_deinit(&f->intake);
    f->has_intake = false;
}

static void written(void *data, struct fr_task *task);

static void submit(struct fr_inbound *f, struct fr_task *task)
{
    const struct fr_secondary_options *o = options_of(f);

    f->phase = FR_INBOUND_WRITES;
    if (fr_writer_submit(o->writer, task, o->loop, written, f) == FR_OK) return;
    fr_task_free(task);
    drop_intake(f);
    wait_ms(f, BUSY_MS); /* the writer has too much to do: everything again, soon */
}

/* Writes the state alone. */
static void note(struct fr_inbound *f)
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
        wait_retry(f);
    else
        submit(f, task);
}

/* All addresses failed. The first failure and every other reason is written down and logged; the same again is not. */
static void give_up(struct fr_inbound *f, const char *why)
{
    const struct fr_secondary_options *o = options_of(f);
    char fault[FR_PRIMARY_FAULT_MAX + 1];

    drop_connection(f);
    drop_intake(f);
    fr_secondary_counts_of(f->secondary)->failures++;
    (void)snprintf(fault, sizeof fault, "%s", why);
    const bool is_known = f->state.failed_s != 0 && strcmp(f->state.fault, fault) == 0 &&
                          f->state.asks == f->row.asks;
    FR_LOG(o->log, is_known ? FR_LOG_DEBUG : FR_LOG_WARN, "transfer.failed",
           FR_STR("federation", fr_store_federation(o->store)), FR_STR("member", f->row.member),
           FR_STR("zone", f->row.zone), FR_STR("why", fault));
    if (is_known) {
        wait_retry(f);
        return;
    }
    f->state.failed_s = now_s(f);
    f->state.asks = f->row.asks;
    memcpy(f->state.fault, fault, sizeof fault);
    note(f);
}

static void begin(struct fr_inbound *f);

/* This address failed; the next one may do better. */
static void next_address(struct fr_inbound *f, const char *why)
{
    char text[FR_ADDR_TEXT], full[FR_PRIMARY_FAULT_MAX + 1];

    fr_addr_print(&f->row.addrs[f->addr_at], text);
    (void)snprintf(full, sizeof full, "%s: %s", text, why);
    drop_connection(f);
    drop_intake(f);
    f->addr_at = (f->addr_at + 1) % f->row.n_addrs;
    if (++f->addrs_tried < f->row.n_addrs)
        begin(f);
    else
        give_up(f, full);
}

/* Changes could not be had, or not understood: the whole zone, from the same server. */
static void want_full(struct fr_inbound *f, const char *why)
{
    const struct fr_secondary_options *o = options_of(f);

    FR_LOG(o->log, FR_LOG_INFO, "transfer.full_instead",
           FR_STR("federation", fr_store_federation(o->store)), FR_STR("member", f->row.member),
           FR_STR("zone", f->row.zone), FR_STR("why", why));
    drop_connection(f);
    drop_intake(f);
    f->wants_full = true;
    begin(f);
}

static void failed(struct fr_inbound *f, const char *why)
{
    if (f->phase == FR_INBOUND_TRANSFERS && f->xfr.options.type == FR_DNS_IXFR)
        want_full(f, why);
    else
        next_address(f, why);
}

/* --- success --- */

static void proved(struct fr_inbound *f, const struct fr_soa *soa)
{
    f->state.contact_s = f->contact_s = now_s(f);
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

/* Nothing newer, or what is held stays held. Written only when it tells something. */
static void is_current(struct fr_inbound *f)
{
    struct fr_primary_state old = f->state;

    drop_connection(f);
    drop_intake(f);
    fr_secondary_counts_of(f->secondary)->current++;
    proved(f, &f->soa);
    const bool is_news = old.failed_s != 0 || old.asks != f->state.asks ||
                         old.refresh_s != f->state.refresh_s || old.retry_s != f->state.retry_s ||
                         old.expire_s != f->state.expire_s ||
                         f->state.contact_s - old.contact_s > contact_step_s(f);
    if (is_news) {
        note(f);
        return;
    }
    f->state.contact_s = old.contact_s;
    wait_refresh(f);
}

static void finish(struct fr_defer *d)
{
    struct fr_inbound *f = d->data;
    struct fr_task *task = NULL;
    struct fr_diag diag = {0};
    struct fr_primary_state state = f->state;
    bool done = false;

    enum fr_err err = fr_intake_finish(&f->intake, &f->state, FINISH_MS, &done);
    if (!err && !done) {
        fr_loop_defer(options_of(f)->loop, &f->finishing);
        return;
    }
    if ((err == FR_E_CONFLICT || err == FR_E_LIMIT) && !f->intake.is_full) {
        want_full(f, "the changes do not say what is left");
        return;
    }
    if (!err) {
        proved(f, &f->xfr.soa);
        f->state.taken_s = f->contact_s;
        state = f->state;
        err = fr_intake_task(&f->intake, &state, &ACTOR, &diag, &task);
    }
    if (err)
        give_up(f, diag.what[0] ? diag.what : fr_err_text(err));
    else
        submit(f, task);
}

/* The transfer is whole and proved. */
static void transferred(struct fr_inbound *f)
{
    fr_frames_free(f->frames);
    f->frames = NULL;
    fr_timer_stop(&f->deadline);
    f->phase = FR_INBOUND_FINISHES;
    fr_loop_defer(options_of(f)->loop, &f->finishing);
}

static void log_taken(struct fr_inbound *f, const struct fr_admin_reply *reply)
{
    const struct fr_secondary_options *o = options_of(f);
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

/* The store has the truth: what the writer wrote. */
static void read_state(struct fr_inbound *f)
{
    struct fr_snap *snap = NULL;
    struct fr_primary_state state;

    if (fr_snap_begin(options_of(f)->store, &snap)) return;
    if (fr_primary_state_get(snap, f->row.member, f->row.zone, &state) == FR_OK) f->state = state;
    fr_snap_end(snap);
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
    read_state(f);
    if (err == FR_E_BUSY) { /* another import is under way */
        drop_intake(f);
        wait_ms(f, SOON_MS);
    } else if (err && was_transfer) {
        give_up(f, diag.what[0] ? diag.what : fr_err_text(err));
    } else if (err) {
        wait_retry(f);
    } else {
        drop_intake(f);
        f->wants_full = false;
        if (f->state.failed_s)
            wait_retry(f);
        else
            wait_refresh(f);
    }
}

/* --- talking --- */

/* Signs and sends a question; what comes back is a stream under its MAC. */
static void ask(struct fr_inbound *f, uint16_t type)
{
    uint8_t memory[FR_DNS_HEADER_SIZE + 2 * FR_DNAME_WIRE + 64 + FR_TSIG_RECORD_MAX];
    struct fr_tsig_mac mac = {0};
    size_t n = 0;

    enum fr_err err = fr_random(&f->id, sizeof f->id);
    if (!err)
        err = fr_xfr_question_write(&f->zone, type, f->id, f->state.serial, memory, sizeof memory,
                                    &n);
    if (!err && f->has_key)
        err = fr_tsig_sign(&f->key, FR_TSIG_REQUEST, NULL, FR_TSIG_NOERROR, now_s(f), memory,
                           sizeof memory, &n, &mac);
    fr_tsig_stream_deinit(&f->stream);
    if (!err && f->has_key) err = fr_tsig_stream_init(&f->stream, &f->key, &mac);
    if (!err) err = fr_frames_send(f->frames, fr_span(memory, n));
    if (err) failed(f, fr_err_text(err));
}

static void on_up(void *data)
{
    struct fr_inbound *f = data;

    f->phase = FR_INBOUND_ASKS;
    ask(f, FR_DNS_SOA);
}

static void begin_transfer(struct fr_inbound *f)
{
    const struct fr_secondary_options *o = options_of(f);
    const bool is_full = f->wants_full || !f->state.has_serial ||
                         now_s(f) - f->state.full_s >= FULL_EVERY_S || f->state.is_held;
    const uint16_t type = is_full ? FR_DNS_AXFR : FR_DNS_IXFR;

    drop_intake(f);
    enum fr_err err = fr_intake_init(&f->intake, o->store, &f->row, &f->xfr);
    f->has_intake = true;
    if (err) {
        give_up(f, f->intake.diag.what[0] ? f->intake.diag.what : fr_err_text(err));
        return;
    }
    f->phase = FR_INBOUND_TRANSFERS;
    ask(f, type);
    if (f->phase != FR_INBOUND_TRANSFERS || !f->frames) return;
    const struct fr_xfr_options xfr = {.zone = f->zone,
                                       .type = type,
                                       .id = f->id,
                                       .have = f->state.serial,
                                       .records_max = o->limits.records_max,
                                       .bytes_max = o->limits.bytes_max,
                                       .record = fr_intake_record,
                                       .data = &f->intake};
    fr_xfr_init(&f->xfr, &xfr);
}

/* Is there something to transfer? */
static void take_soa(struct fr_inbound *f, struct fr_span message)
{
    const struct fr_primary_state *state = &f->state;
    const char *why = NULL;

    if (fr_xfr_soa_read(message, &f->zone, f->id, &f->soa, &why)) {
        failed(f, why);
        return;
    }
    const bool is_forced = f->is_asked && f->row.asks_full;
    if (is_forced) f->wants_full = true;
    const bool is_same = state->has_serial && f->soa.serial == state->serial;
    const bool is_stale = is_same && now_s(f) - state->full_s >= FULL_EVERY_S;
    if (is_forced || !state->has_serial || is_stale) {
        begin_transfer(f);
    } else if (is_same && !state->is_held) {
        is_current(f);
    } else if (state->is_held && f->soa.serial == state->held_serial && !f->row.has_leave) {
        is_current(f);
    } else if (is_same || fr_serial_is_later(f->soa.serial, state->serial)) {
        begin_transfer(f);
    } else {
        char text[120];
        (void)snprintf(text, sizeof text,
                       "the serial went back from %u to %u: raise it, or take "
                       "the zone as it is with zone primary refresh --full",
                       (unsigned)state->serial, (unsigned)f->soa.serial);
        failed(f, text);
    }
}

static void take_part(struct fr_inbound *f, struct fr_span message)
{
    enum fr_err err = fr_xfr_take(&f->xfr, message);

    if (err) {
        failed(f, f->xfr.why ? f->xfr.why : fr_err_text(err));
        return;
    }
    if (!fr_xfr_is_over(&f->xfr)) return;
    if (f->has_key && !fr_tsig_stream_is_closed(&f->stream)) {
        failed(f, "the end of the transfer is not signed");
        return;
    }
    f->soa = f->xfr.soa;
    if (f->xfr.state == FR_XFR_CURRENT)
        is_current(f);
    else if (f->state.has_serial && !f->wants_full && f->xfr.soa.serial != f->state.serial &&
             !fr_serial_is_later(f->xfr.soa.serial, f->state.serial))
        failed(f, "the transfer has an older serial than the SOA told");
    else
        transferred(f);
}

static void on_message(void *data, struct fr_span message)
{
    struct fr_inbound *f = data;
    unsigned error = 0;

    if (f->has_key) {
        enum fr_err err = fr_tsig_stream_take(&f->stream, now_s(f), message, &error);
        if (err == FR_E_AUTH) {
            char why[FR_DNS_NAME_MAX + 80];
            (void)snprintf(why, sizeof why, "TSIG with the key %s failed: %s", f->row.key_name,
                           error ? fr_tsig_error_text(error) : "the answer is not signed");
            next_address(f, why);
            return;
        }
        if (err) {
            failed(f, "the answer is damaged");
            return;
        }
    }
    if (f->phase == FR_INBOUND_ASKS)
        take_soa(f, message);
    else if (f->phase == FR_INBOUND_TRANSFERS)
        take_part(f, message);
    else
        failed(f, "a message that nobody asked for");
}

static void on_end(void *data, const char *why)
{
    struct fr_inbound *f = data;

    if (f->phase == FR_INBOUND_TRANSFERS && f->xfr.messages > 0)
        next_address(f, why ? why : "the connection was closed within the transfer");
    else
        failed(f, why ? why : "the connection was closed");
}

static void on_deadline(struct fr_timer *t)
{
    struct fr_inbound *f = t->data;

    next_address(f, "the transfer takes too long");
}

static void begin(struct fr_inbound *f)
{
    const struct fr_secondary_options *o = options_of(f);
    const struct fr_frames_options frames = {
        .loop = o->loop,
        .message_max = MESSAGE_MAX,
        .connect_ms = o->limits.connect_ms,
        .idle_ms = o->limits.idle_ms,
        .tls = f->tls,
        .tls_name = f->row.tls_name[0] ? f->row.tls_name : NULL,
        .pin = f->row.has_pin ? f->row.pin : NULL,
        .up = on_up,
        .message = on_message,
        .end = on_end,
        .data = f,
    };

    f->phase = FR_INBOUND_ASKS;
    enum fr_err err = fr_frames_connect(&frames, &f->row.addrs[f->addr_at], &f->frames);
    if (err) {
        next_address(f, fr_err_text(err));
        return;
    }
    fr_timer_start(o->loop, &f->deadline, o->limits.transfer_ms);
}

static void on_due(struct fr_timer *t)
{
    struct fr_inbound *f = t->data;

    if (!fr_secondary_may_begin(f->secondary)) {
        wait_ms(f, BUSY_MS);
        return;
    }
    f->begun_ms = fr_loop_now_ms(options_of(f)->loop);
    f->addrs_tried = 0;
    f->addr_at = 0;
    f->wants_full = false;
    f->is_asked = f->row.asks != f->state.asks;
    if (f->unusable[0])
        give_up(f, f->unusable);
    else
        begin(f);
}

/* --- handle --- */

static void load_credentials(struct fr_inbound *f)
{
    struct fr_diag diag = {0};

    f->unusable[0] = '\0';
    fr_tls_ctx_unref(f->tls);
    f->tls = NULL;
    fr_secret_zero(&f->key, sizeof f->key);
    f->has_key = false;
    enum fr_err err =
        fr_credentials_load(options_of(f)->state, &f->row, &diag, &f->key, &f->has_key, &f->tls);
    if (err)
        (void)snprintf(f->unusable, sizeof f->unusable, "%.200s",
                       diag.what[0] ? diag.what : fr_err_text(err));
}

enum fr_err fr_inbound_new(struct fr_secondary *secondary, const struct fr_primary_row *row,
                           struct fr_inbound **out)
{
    struct fr_inbound *f = fr_calloc(1, sizeof *f);

    if (!f) return FR_E_NOMEM;
    f->secondary = secondary;
    f->row = *row;
    enum fr_err err = fr_dname_parse(fr_span_str(row->zone), &f->zone);
    if (err) {
        fr_free(f);
        return err;
    }
    fr_timer_init(&f->due, on_due, f);
    fr_timer_init(&f->deadline, on_deadline, f);
    fr_defer_init(&f->finishing, finish, f);
    load_credentials(f);
    read_state(f);
    f->contact_s = f->state.contact_s;
    wait_ms(f, 0);
    *out = f;
    return FR_OK;
}

void fr_inbound_ask(struct fr_inbound *f)
{
    const int64_t since = fr_loop_now_ms(options_of(f)->loop) - f->begun_ms;

    if (f->phase != FR_INBOUND_WAITS)
        f->again = true;
    else if (f->begun_ms == 0 || since >= SOON_MS)
        wait_ms(f, 0);
    else
        wait_ms(f, SOON_MS - since);
}

void fr_inbound_change(struct fr_inbound *f, const struct fr_primary_row *row)
{
    const bool is_busy = f->phase != FR_INBOUND_WAITS;

    if (f->phase == FR_INBOUND_WRITES) { /* the writer's answer is awaited; then with the new row */
        const bool is_asked = row->asks != f->row.asks;
        f->row = *row;
        load_credentials(f);
        f->again = f->again || is_asked;
        return;
    }
    drop_connection(f);
    drop_intake(f);
    const bool is_asked = row->asks != f->row.asks;
    f->row = *row;
    f->addr_at = 0;
    load_credentials(f);
    if (is_busy || is_asked) {
        f->phase = FR_INBOUND_WAITS;
        wait_ms(f, 0);
    }
}

void fr_inbound_stop(struct fr_inbound *f)
{
    drop_connection(f);
    fr_timer_stop(&f->due);
    if (f->phase != FR_INBOUND_WRITES) drop_intake(f);
}

void fr_inbound_free(struct fr_inbound *f)
{
    if (!f) return;
    fr_inbound_stop(f);
    drop_intake(f);
    fr_tls_ctx_unref(f->tls);
    fr_secret_zero(&f->key, sizeof f->key);
    fr_free(f);
}
