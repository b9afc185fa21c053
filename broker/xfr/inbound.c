#include "xfr/inbound_priv.h"

#include "base/mem.h"
#include "base/random.h"
#include "xfr/credentials.h"

#include <stdio.h>
#include <string.h>

#define FIRST_RETRY_S 60 /* before the zone has told its own */

const struct fr_secondary_options *fr_inbound_options(const struct fr_inbound *f)
{
    return fr_secondary_options_of(f->secondary);
}

int64_t fr_inbound_now_s(const struct fr_inbound *f)
{
    return fr_clock_real_s(fr_inbound_options(f)->clock);
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

void fr_inbound_wait_ms(struct fr_inbound *f, int64_t ms)
{
    f->phase = FR_INBOUND_WAITS;
    fr_timer_start(fr_inbound_options(f)->loop, &f->due, ms);
}

void fr_inbound_wait_refresh(struct fr_inbound *f)
{
    const struct fr_primary_row *row = &f->row;

    fr_inbound_wait_ms(f, f->again ? FR_INBOUND_SOON_MS
                                   : jittered_ms(clamp(f->state.refresh_s, row->refresh_min_s,
                                                       row->refresh_max_s)));
    f->again = false;
}

void fr_inbound_wait_retry(struct fr_inbound *f)
{
    uint32_t retry = f->state.retry_s ? f->state.retry_s : FIRST_RETRY_S;

    fr_inbound_wait_ms(
        f, f->again ? FR_INBOUND_SOON_MS
                    : jittered_ms(clamp(retry, f->row.refresh_min_s, f->row.refresh_max_s)));
    f->again = false;
}

/* --- ends --- */

void fr_inbound_drop_connection(struct fr_inbound *f)
{
    fr_frames_free(f->frames);
    f->frames = NULL;
    fr_timer_stop(&f->deadline);
    fr_defer_cancel(&f->finishing);
    fr_tsig_stream_deinit(&f->stream);
}

void fr_inbound_drop_intake(struct fr_inbound *f)
{
    if (f->has_intake) fr_intake_deinit(&f->intake);
    f->has_intake = false;
}

/* All addresses failed. The first failure and every other reason is written down and logged; the same again is not. */
void fr_inbound_give_up(struct fr_inbound *f, const char *why)
{
    const struct fr_secondary_options *o = fr_inbound_options(f);
    char fault[FR_PRIMARY_FAULT_MAX + 1];

    fr_inbound_drop_connection(f);
    fr_inbound_drop_intake(f);
    fr_secondary_counts_of(f->secondary)->failures++;
    (void)snprintf(fault, sizeof fault, "%s", why);
    const bool is_known = f->state.failed_s != 0 && strcmp(f->state.fault, fault) == 0 &&
                          f->state.asks == f->row.asks;
    FR_LOG(o->log, is_known ? FR_LOG_DEBUG : FR_LOG_WARN, "transfer.failed",
           FR_STR("federation", fr_store_federation(o->store)), FR_STR("member", f->row.member),
           FR_STR("zone", f->row.zone), FR_STR("why", fault));
    if (is_known) {
        fr_inbound_wait_retry(f);
        return;
    }
    f->state.failed_s = fr_inbound_now_s(f);
    f->state.asks = f->row.asks;
    memcpy(f->state.fault, fault, sizeof fault);
    fr_inbound_note(f);
}

void fr_inbound_next_address(struct fr_inbound *f, const char *why)
{
    char text[FR_ADDR_TEXT], full[FR_PRIMARY_FAULT_MAX + 1];

    fr_addr_print(&f->row.addrs[f->addr_at], text);
    (void)snprintf(full, sizeof full, "%s: %s", text, why);
    fr_inbound_drop_connection(f);
    fr_inbound_drop_intake(f);
    f->addr_at = (f->addr_at + 1) % f->row.n_addrs;
    if (++f->addrs_tried < f->row.n_addrs)
        fr_inbound_begin(f);
    else
        fr_inbound_give_up(f, full);
}

void fr_inbound_want_full(struct fr_inbound *f, const char *why)
{
    const struct fr_secondary_options *o = fr_inbound_options(f);

    FR_LOG(o->log, FR_LOG_INFO, "transfer.full_instead",
           FR_STR("federation", fr_store_federation(o->store)), FR_STR("member", f->row.member),
           FR_STR("zone", f->row.zone), FR_STR("why", why));
    fr_inbound_drop_connection(f);
    fr_inbound_drop_intake(f);
    f->wants_full = true;
    fr_inbound_begin(f);
}

/* --- handle --- */

static void on_deadline(struct fr_timer *t)
{
    struct fr_inbound *f = t->data;

    fr_inbound_next_address(f, "the transfer takes too long");
}

static void on_due(struct fr_timer *t)
{
    struct fr_inbound *f = t->data;

    if (!fr_secondary_may_begin(f->secondary)) {
        fr_inbound_wait_ms(f, FR_INBOUND_BUSY_MS);
        return;
    }
    f->begun_ms = fr_loop_now_ms(fr_inbound_options(f)->loop);
    f->addrs_tried = 0;
    f->addr_at = 0;
    f->wants_full = false;
    f->is_asked = f->row.asks != f->state.asks;
    if (f->unusable[0])
        fr_inbound_give_up(f, f->unusable);
    else
        fr_inbound_begin(f);
}

void fr_inbound_read_state(struct fr_inbound *f)
{
    struct fr_snap *snap = NULL;
    struct fr_primary_state state;

    if (fr_snap_begin(fr_inbound_options(f)->store, &snap)) return;
    if (fr_primary_state_get(snap, f->row.member, f->row.zone, &state) == FR_OK) f->state = state;
    fr_snap_end(snap);
}

static void load_credentials(struct fr_inbound *f)
{
    struct fr_diag diag = {0};

    f->unusable[0] = '\0';
    fr_tls_ctx_unref(f->tls);
    f->tls = NULL;
    fr_secret_zero(&f->key, sizeof f->key);
    f->has_key = false;
    enum fr_err err = fr_credentials_load(fr_inbound_options(f)->state, &f->row, &diag, &f->key,
                                          &f->has_key, &f->tls);
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
    fr_defer_init(&f->finishing, fr_inbound_finish, f);
    load_credentials(f);
    fr_inbound_read_state(f);
    f->contact_s = f->state.contact_s;
    fr_inbound_wait_ms(f, 0);
    *out = f;
    return FR_OK;
}

void fr_inbound_ask(struct fr_inbound *f)
{
    const int64_t since = fr_loop_now_ms(fr_inbound_options(f)->loop) - f->begun_ms;

    if (f->phase != FR_INBOUND_WAITS)
        f->again = true;
    else if (f->begun_ms == 0 || since >= FR_INBOUND_SOON_MS)
        fr_inbound_wait_ms(f, 0);
    else
        fr_inbound_wait_ms(f, FR_INBOUND_SOON_MS - since);
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
    fr_inbound_drop_connection(f);
    fr_inbound_drop_intake(f);
    const bool is_asked = row->asks != f->row.asks;
    f->row = *row;
    f->addr_at = 0;
    load_credentials(f);
    if (is_busy || is_asked) {
        f->phase = FR_INBOUND_WAITS;
        fr_inbound_wait_ms(f, 0);
    }
}

void fr_inbound_stop(struct fr_inbound *f)
{
    fr_inbound_drop_connection(f);
    fr_timer_stop(&f->due);
    if (f->phase != FR_INBOUND_WRITES) fr_inbound_drop_intake(f);
}

void fr_inbound_free(struct fr_inbound *f)
{
    if (!f) return;
    fr_inbound_stop(f);
    fr_inbound_drop_intake(f);
    fr_tls_ctx_unref(f->tls);
    fr_secret_zero(&f->key, sizeof f->key);
    fr_free(f);
}
