/* One connection to a primary: is there something new, and then all of it. */
#include "xfr/inbound_priv.h"

#include "base/random.h"

#include <stdio.h>

#define MESSAGE_MAX 65535
#define FULL_EVERY_S 86400 /* a whole transfer heals whatever else wrote to the NetIDs */

static void failed(struct fr_inbound *f, const char *why)
{
    if (f->phase == FR_INBOUND_TRANSFERS && f->xfr.options.type == FR_DNS_IXFR)
        fr_inbound_want_full(f, why);
    else
        fr_inbound_next_address(f, why);
}

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
        err = fr_tsig_sign(&f->key, FR_TSIG_REQUEST, NULL, FR_TSIG_NOERROR, fr_inbound_now_s(f),
                           memory, sizeof memory, &n, &mac);
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
    const struct fr_secondary_options *o = fr_inbound_options(f);
    const bool is_full = f->wants_full || !f->state.has_serial ||
                         fr_inbound_now_s(f) - f->state.full_s >= FULL_EVERY_S || f->state.is_held;
    const uint16_t type = is_full ? FR_DNS_AXFR : FR_DNS_IXFR;

    fr_inbound_drop_intake(f);
    enum fr_err err = fr_intake_init(&f->intake, o->store, &f->row, &f->xfr);
    f->has_intake = true;
    if (err) {
        fr_inbound_give_up(f, f->intake.diag.what[0] ? f->intake.diag.what : fr_err_text(err));
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
    const bool is_stale = is_same && fr_inbound_now_s(f) - state->full_s >= FULL_EVERY_S;
    if (is_forced || !state->has_serial || is_stale) {
        begin_transfer(f);
    } else if (is_same && !state->is_held) {
        fr_inbound_is_current(f);
    } else if (state->is_held && f->soa.serial == state->held_serial && !f->row.has_leave) {
        fr_inbound_is_current(f);
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
        fr_inbound_is_current(f);
    else if (f->state.has_serial && !f->wants_full && f->xfr.soa.serial != f->state.serial &&
             !fr_serial_is_later(f->xfr.soa.serial, f->state.serial))
        failed(f, "the transfer has an older serial than the SOA told");
    else
        fr_inbound_transferred(f);
}

static void on_message(void *data, struct fr_span message)
{
    struct fr_inbound *f = data;
    unsigned error = 0;

    if (f->has_key) {
        enum fr_err err = fr_tsig_stream_take(&f->stream, fr_inbound_now_s(f), message, &error);
        if (err == FR_E_AUTH) {
            char why[FR_DNS_NAME_MAX + 80];
            (void)snprintf(why, sizeof why, "TSIG with the key %s failed: %s", f->row.key_name,
                           error ? fr_tsig_error_text(error) : "the answer is not signed");
            fr_inbound_next_address(f, why);
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
        fr_inbound_next_address(f, why ? why : "the connection was closed within the transfer");
    else
        failed(f, why ? why : "the connection was closed");
}

void fr_inbound_begin(struct fr_inbound *f)
{
    const struct fr_secondary_options *o = fr_inbound_options(f);
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
        fr_inbound_next_address(f, fr_err_text(err));
        return;
    }
    fr_timer_start(o->loop, &f->deadline, o->limits.transfer_ms);
}
