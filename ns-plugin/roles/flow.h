#pragma once
/*
 * The course of one join at the network server that heard it: when to ask, when to send, when to stop.
 *
 * Model: collect copies and find the home at the same time → *ask* once both are done → *send* the answer in the first window in
 *   reach → on a gateway's refusal *send* in the second window → *stop*. Each event gives one thing to do.
 * Owns: nothing; a plain value. Threads: any. Pure: time is an argument.
 * Units and limits: ms on the loop's clock; windows at 5 s and 6 s unless the answer says otherwise.
 */
#include "gateway/gwmp.h"
#include "gateway/window.h"

struct fr_flow {
    struct fr_windows windows;
    uint32_t answer_ms; /* the most a question may take */
    bool is_collected, is_found, is_asked, is_over;
    enum fr_window window; /* the last one used */
};

enum fr_flow_do { FR_FLOW_WAIT, FR_FLOW_ASK, FR_FLOW_SEND, FR_FLOW_STOP };

struct fr_flow_todo {
    enum fr_flow_do what;
    enum fr_window window; /* SEND */
    uint32_t left_ms;      /* ASK: time for the answer. SEND: until a TX_ACK is of no more use */
    const char *why;       /* STOP */
};

/* needs_lookup false: the device is ours, nobody has to be found. */
void fr_flow_init(struct fr_flow *f, int64_t received_ms, bool needs_lookup, uint32_t answer_ms,
                  uint32_t lead_ms);

/* Every copy of the uplink is in. */
struct fr_flow_todo fr_flow_collected(struct fr_flow *f, int64_t now_ms);
/* The home is found. */
struct fr_flow_todo fr_flow_found(struct fr_flow *f, int64_t now_ms);
/* A Join-accept came, with these windows. */
struct fr_flow_todo fr_flow_answered(struct fr_flow *f, int64_t now_ms, uint8_t rx1_delay_s,
                                     bool has_rx1, bool has_rx2);
/* What the gateway said. */
struct fr_flow_todo fr_flow_tx_ack(struct fr_flow *f, int64_t now_ms, enum fr_tx_error error);
