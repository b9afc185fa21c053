#pragma once
/*
 * One join heard by our gateways, from its first copy to the gateway's word on the Join-accept.
 *
 * Model: uplink.c begins and ends it, forwarding.c asks the home of a device of others, downlink.c sends what came; the order of
 *   things is roles/flow.h.
 * Owns: a run is freed by fr_run_end() and nothing else; its look-up, call, activation, ticket and timer end with it.
 * Threads: the loop's. Units and limits: options->joins runs at a time; each is over after its second window.
 */
#include "roles/flow.h"
#include "roles/ns_priv.h"

/* How to send the answer. */
struct fr_downlink {
    uint32_t freq1_hz, freq2_hz; /* 0: window not offered */
    uint8_t dr1, dr2;
    uint8_t rx1_delay_s;
    bool has_gateway; /* the home chose one */
    uint64_t gateway;
    uint8_t phy[FR_JOIN_ACCEPT_MAX];
    size_t phy_n;
};

#define FR_UL_TOKEN 8

struct fr_run {
    struct fr_run *prev, *next;
    struct fr_ns *ns;
    char id[FR_JOIN_ID_TEXT];
    bool is_ours;
    int64_t received_real_s;
    struct fr_join_request join;
    struct fr_frame frame;
    struct fr_flow flow;
    struct fr_timer timer;

    struct fedroam_lookup *lookup;
    struct fedroam_answer *answer;
    int64_t lookup_ms; /* when it began */
    struct fr_bi_call *call;
    uint8_t tokens[FR_DEDUP_GWS][FR_UL_TOKEN]; /* given with the uplink, one per reception */

    struct fr_activation activation;
    struct fr_downlink down;
    struct fr_ticket ticket;
    enum fr_window window; /* last one sent in */
};

/* ms since the uplink was received, for the log. */
int64_t fr_run_ms(const struct fr_run *run);

/* Ends and frees it; why NULL: the device has its answer. */
void fr_run_end(struct fr_run *run, const char *why);

/* What the flow says to do next. */
void fr_run_do(struct fr_run *run, struct fr_flow_todo todo);

/* forwarding.c */
void fr_run_find(struct fr_run *run);
void fr_run_ask_home(struct fr_run *run, uint32_t left_ms);

/* uplink.c */
void fr_run_ask_own(struct fr_run *run, uint32_t left_ms);

/* downlink.c: run->down is filled in. */
void fr_run_answered(struct fr_run *run);
void fr_run_send(struct fr_run *run, enum fr_window window, uint32_t left_ms);
