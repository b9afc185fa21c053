#include "roles/run.h"

#include "base/hex.h"
#include "base/random.h"
#include "gateway/region.h"

#include <string.h>

int64_t fr_run_ms(const struct fr_run *run)
{
    return fr_loop_now_ms(run->ns->loop) - run->frame.received_ms;
}

void fr_ns_join_id(struct fr_span phy, char out[FR_JOIN_ID_TEXT])
{
    uint8_t bytes[FR_MIC_SIZE] = {0};

    if (phy.n == FR_JOIN_REQUEST_SIZE)
        memcpy(bytes, phy.p + phy.n - FR_MIC_SIZE, FR_MIC_SIZE);
    else
        (void)fr_random(bytes, sizeof bytes); /* only a name in the log: zeros will do */
    fr_hex_print(bytes, sizeof bytes, out);
}

static void run_free(struct fr_run *run)
{
    struct fr_ns *ns = run->ns;

    if (run->prev != NULL)
        run->prev->next = run->next;
    else
        ns->runs = run->next;
    if (run->next != NULL) run->next->prev = run->prev;
    ns->n_runs--;
    fr_timer_stop(&run->timer);
    if (run->lookup != NULL) fedroam_lookup_cancel(run->lookup);
    fedroam_answer_free(run->answer);
    if (run->call != NULL) fr_bi_client_cancel(run->call);
    fr_activation_cancel(&run->activation);
    fr_ticket_give_up(&run->ticket);
    fr_secret_free(run, sizeof *run);
}

void fr_run_end(struct fr_run *run, const char *why)
{
    struct fr_ns *ns = run->ns;

    if (why == NULL) {
        if (run->is_ours)
            ns->counters.joined_local++;
        else
            ns->counters.joined_roaming++;
        FR_LOG(ns->log, FR_LOG_INFO, "join.done", FR_STR("join", run->id),
               FR_INT("ms", fr_run_ms(run)), FR_EUI("deveui", run->join.dev_eui),
               FR_STR("window", fr_window_print(run->window)), FR_BOOL("roaming", !run->is_ours));
    } else {
        ns->counters.joins_failed++;
        FR_LOG(ns->log, FR_LOG_WARN, "join.failed", FR_STR("join", run->id),
               FR_INT("ms", fr_run_ms(run)), FR_EUI("deveui", run->join.dev_eui),
               FR_STR("why", why));
    }
    run_free(run);
    fr_ns_ended(ns);
}

void fr_ns_drop_runs(struct fr_ns *ns)
{
    while (ns->runs != NULL) run_free(ns->runs);
}

void fr_run_do(struct fr_run *run, struct fr_flow_todo todo)
{
    switch (todo.what) {
    case FR_FLOW_WAIT: return;
    case FR_FLOW_ASK:
        if (run->is_ours)
            fr_run_ask_own(run, todo.left_ms);
        else
            fr_run_ask_home(run, todo.left_ms);
        return;
    case FR_FLOW_SEND: fr_run_send(run, todo.window, todo.left_ms); return;
    case FR_FLOW_STOP: fr_run_end(run, todo.why); return;
    }
}

static void on_activated(void *data, const struct fr_activation_outcome *outcome)
{
    struct fr_run *run = data;

    if (outcome->result != FR_BI_SUCCESS) {
        fr_run_end(run,
                   outcome->why[0] != '\0' ? outcome->why : fr_bi_result_print(outcome->result));
        return;
    }
    run->down = (struct fr_downlink){.freq1_hz = run->frame.freq_hz,
                                     .dr1 = run->frame.dr,
                                     .freq2_hz = FR_EU868_RX2_HZ,
                                     .dr2 = FR_EU868_RX2_DR,
                                     .rx1_delay_s = FR_JOIN_RX1_DELAY_S,
                                     .phy_n = outcome->accept_n};
    memcpy(run->down.phy, outcome->accept, outcome->accept_n);
    fr_run_answered(run);
}

void fr_run_ask_own(struct fr_run *run, uint32_t left_ms)
{
    const struct fr_device *device = fr_keys_find(run->ns->keys, run->join.dev_eui);

    if (device == NULL) {
        fr_run_end(run, "the device was removed meanwhile");
        return;
    }
    run->activation = (struct fr_activation){
        .ns = run->ns,
        .done = on_activated,
        .data = run,
        .join_id = run->id,
        .device = *device,
        .join = run->join,
        .phy = fr_span(run->frame.phy, run->frame.phy_n),
        .federation = "",
        .received_ms = run->frame.received_ms,
    };
    fr_activation_start(&run->activation, left_ms);
}

static void on_collected(struct fr_run *run, const struct fr_frame *frame)
{
    struct fr_ns *ns = run->ns;

    run->frame = *frame;
    FR_LOG(ns->log, FR_LOG_INFO, "join.collected", FR_STR("join", run->id),
           FR_INT("ms", fr_run_ms(run)), FR_UINT("gateways", frame->n),
           FR_EUI("best", frame->receptions[0].gateway),
           FR_INT("rssi", frame->receptions[0].rssi_dbm));
    fr_run_do(run, fr_flow_collected(&run->flow, fr_loop_now_ms(ns->loop)));
}

static struct fr_run *find_run(struct fr_ns *ns, const struct fr_frame *frame)
{
    for (struct fr_run *run = ns->runs; run != NULL; run = run->next) {
        if (!run->flow.is_collected && run->frame.phy_n == frame->phy_n &&
            memcmp(run->frame.phy, frame->phy, frame->phy_n) == 0) {
            return run;
        }
    }
    return NULL;
}

static void arm_dedup(struct fr_ns *ns)
{
    int64_t due = fr_dedup_due_ms(ns->dedup), now = fr_loop_now_ms(ns->loop);

    if (due >= 0) fr_timer_start(ns->loop, &ns->dedup_timer, due > now ? due - now : 0);
}

void fr_ns_on_dedup(struct fr_timer *timer)
{
    struct fr_ns *ns = timer->data;
    struct fr_frame frame;

    while (fr_dedup_next(ns->dedup, fr_loop_now_ms(ns->loop), &frame)) {
        struct fr_run *run = find_run(ns, &frame);
        if (run != NULL) on_collected(run, &frame); /* none: it failed already */
    }
    arm_dedup(ns);
}

static struct fr_run *run_new(struct fr_ns *ns, const struct fr_join_request *join,
                              const struct fr_rx *rx, int64_t now_ms)
{
    struct fr_run *run = fr_calloc(1, sizeof *run);

    if (run == NULL) return NULL;
    run->ns = ns;
    run->join = *join;
    run->received_real_s = fr_loop_real_s(ns->loop);
    run->frame.received_ms = now_ms;
    run->frame.phy_n = rx->phy_n;
    memcpy(run->frame.phy, rx->phy, rx->phy_n);
    fr_ns_join_id(fr_span(rx->phy, rx->phy_n), run->id);
    fr_timer_init(&run->timer, NULL, run);
    run->next = ns->runs;
    if (run->next != NULL) run->next->prev = run;
    ns->runs = run;
    ns->n_runs++;
    return run;
}

static void begin(struct fr_ns *ns, uint64_t gateway, const struct fr_join_request *join,
                  const struct fr_rx *rx, int64_t now_ms)
{
    const struct fr_device *device = fr_keys_find(ns->keys, join->dev_eui);
    bool is_ours = ns->options->roles.home && device != NULL && device->home_netid == 0;

    if (!is_ours && !ns->options->roles.forwarding) {
        ns->counters.joins_unknown++;
        FR_LOG(ns->log, FR_LOG_INFO, "join.ignored", FR_EUI("deveui", join->dev_eui),
               FR_EUI("gateway", gateway), FR_STR("why", "not our device, and forwarding is off"));
        return;
    }
    struct fr_run *run = run_new(ns, join, rx, now_ms);
    if (run == NULL) return;
    run->is_ours = is_ours;
    if (is_ours)
        ns->counters.joins_local++;
    else
        ns->counters.joins_roaming++;
    FR_LOG(ns->log, FR_LOG_INFO, "join.uplink", FR_STR("join", run->id), FR_INT("ms", 0),
           FR_EUI("deveui", join->dev_eui), FR_EUI("joineui", join->join_eui),
           FR_UINT("devnonce", join->dev_nonce), FR_EUI("gateway", gateway),
           FR_UINT("freq", rx->freq_hz), FR_UINT("dr", rx->dr), FR_BOOL("ours", is_ours));
    fr_flow_init(&run->flow, now_ms, !is_ours, ns->options->answer_ms, ns->options->lead_ms);
    if (!is_ours) fr_run_find(run);
}

void fr_ns_on_frame(void *data, uint64_t gateway, const struct fr_rx *rx, int64_t now_ms)
{
    struct fr_ns *ns = data;
    struct fr_join_request join;

    if (ns->is_stopping || fr_join_request_read(fr_span(rx->phy, rx->phy_n), &join) != FR_OK) {
        ns->counters.frames_ignored++;
        return;
    }
    if (ns->n_runs >= ns->options->joins) {
        ns->counters.frames_dropped++;
        return;
    }
    switch (fr_dedup_add(ns->dedup, now_ms, gateway, rx)) {
    case FR_DEDUP_NEW:
        begin(ns, gateway, &join, rx, now_ms);
        arm_dedup(ns);
        return;
    case FR_DEDUP_COPY: return;
    case FR_DEDUP_LATE: ns->counters.frames_late++; return;
    case FR_DEDUP_FULL: ns->counters.frames_dropped++; return;
    }
}
