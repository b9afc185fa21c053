#include "roles/flow.h"

#include "gateway/region.h"

static struct fr_flow_todo stop(struct fr_flow *f, const char *why)
{
    f->is_over = true;
    return (struct fr_flow_todo){.what = FR_FLOW_STOP, .why = why};
}

void fr_flow_init(struct fr_flow *f, int64_t received_ms, bool needs_lookup, uint32_t answer_ms,
                  uint32_t lead_ms)
{
    *f = (struct fr_flow){
        .windows = {.received_ms = received_ms,
                    .rx1_delay_s = FR_JOIN_RX1_DELAY_S,
                    .has_rx1 = true,
                    .has_rx2 = true,
                    .lead_ms = lead_ms},
        .answer_ms = answer_ms,
        .is_found = !needs_lookup,
    };
}

static struct fr_flow_todo ask_when_ready(struct fr_flow *f, int64_t now_ms)
{
    uint32_t left = fr_window_left_ms(&f->windows, now_ms);

    if (f->is_over || f->is_asked || !f->is_collected || !f->is_found) {
        return (struct fr_flow_todo){.what = FR_FLOW_WAIT};
    }
    if (left == 0) return stop(f, "both windows are over");
    f->is_asked = true;
    return (struct fr_flow_todo){.what = FR_FLOW_ASK,
                                 .left_ms = left < f->answer_ms ? left : f->answer_ms};
}

struct fr_flow_todo fr_flow_collected(struct fr_flow *f, int64_t now_ms)
{
    f->is_collected = true;
    return ask_when_ready(f, now_ms);
}

struct fr_flow_todo fr_flow_found(struct fr_flow *f, int64_t now_ms)
{
    f->is_found = true;
    return ask_when_ready(f, now_ms);
}

static struct fr_flow_todo send(struct fr_flow *f, int64_t now_ms, const char *why_not)
{
    enum fr_window window = fr_window_choose(&f->windows, f->window, now_ms);

    if (window == FR_WINDOW_NONE) return stop(f, why_not);
    f->window = window;
    /* A refusal counts while the second window can still be used; after that the outcome is unknown. */
    return (struct fr_flow_todo){
        .what = FR_FLOW_SEND, .window = window, .left_ms = fr_window_left_ms(&f->windows, now_ms)};
}

struct fr_flow_todo fr_flow_answered(struct fr_flow *f, int64_t now_ms, uint8_t rx1_delay_s,
                                     bool has_rx1, bool has_rx2)
{
    if (f->is_over) return (struct fr_flow_todo){.what = FR_FLOW_WAIT};
    f->windows.rx1_delay_s = rx1_delay_s;
    f->windows.has_rx1 = has_rx1;
    f->windows.has_rx2 = has_rx2;
    return send(f, now_ms, "the answer came after both windows");
}

struct fr_flow_todo fr_flow_tx_ack(struct fr_flow *f, int64_t now_ms, enum fr_tx_error error)
{
    if (f->is_over) return (struct fr_flow_todo){.what = FR_FLOW_WAIT};
    if (error == FR_TX_NONE) return stop(f, NULL);
    return send(f, now_ms, "the gateway refused the downlink, and no window is left");
}
