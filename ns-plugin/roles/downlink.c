#include "roles/run.h"

#include "gateway/region.h"

/* After the last moment at which a refusal could still be answered by the second window. */
static void on_silence(struct fr_timer *timer)
{
    struct fr_run *run = timer->data;

    fr_run_end(run, "the gateway did not say what became of the downlink");
}

static void on_tx_ack(void *data, enum fr_tx_error error)
{
    struct fr_run *run = data;

    fr_timer_stop(&run->timer);
    FR_LOG(run->ns->log, error == FR_TX_NONE ? FR_LOG_INFO : FR_LOG_WARN, "join.tx_ack",
           FR_STR("join", run->id), FR_INT("ms", fr_run_ms(run)),
           FR_STR("window", fr_window_print(run->window)),
           FR_STR("answer", fr_tx_error_print(error)));
    fr_run_do(run, fr_flow_tx_ack(&run->flow, fr_loop_now_ms(run->ns->loop), error));
}

void fr_run_answered(struct fr_run *run)
{
    const struct fr_downlink *d = &run->down;

    fr_run_do(run, fr_flow_answered(&run->flow, fr_loop_now_ms(run->ns->loop), d->rx1_delay_s,
                                    d->freq1_hz > 0, d->freq2_hz > 0));
}

/* The home's choice when it made one, else the best that listens. */
static const struct fr_reception *choose_gateway(const struct fr_run *run)
{
    const struct fr_reception *best = NULL;

    for (size_t i = 0; i < run->frame.n; i++) {
        const struct fr_reception *r = &run->frame.receptions[i];
        if (!fr_gateways_is_reachable(run->ns->gateways, r->gateway)) continue;
        if (run->down.has_gateway && r->gateway == run->down.gateway) return r;
        if (best == NULL) best = r;
    }
    return best;
}

void fr_run_send(struct fr_run *run, enum fr_window window, uint32_t left_ms)
{
    const struct fr_downlink *d = &run->down;
    const struct fr_reception *r = choose_gateway(run);
    bool is_rx1 = window == FR_WINDOW_RX1;

    if (r == NULL) {
        fr_run_end(run, "no gateway that heard the device takes downlinks");
        return;
    }
    struct fr_tx tx = {
        .tmst_us = fr_gwmp_after(r->tmst_us, fr_window_delay_us(&run->flow.windows, window)),
        .freq_hz = is_rx1 ? d->freq1_hz : d->freq2_hz,
        .dr = is_rx1 ? d->dr1 : d->dr2,
        .phy = fr_span(d->phy, d->phy_n),
    };
    tx.power_dbm = fr_eu868_power_dbm(tx.freq_hz);
    run->window = window;
    run->ticket.fn = on_tx_ack;
    run->ticket.data = run;
    enum fr_err err = fr_gateways_send(run->ns->gateways, r->gateway, &tx, &run->ticket);
    FR_LOG(run->ns->log, err ? FR_LOG_WARN : FR_LOG_INFO, "join.downlink", FR_STR("join", run->id),
           FR_INT("ms", fr_run_ms(run)), FR_STR("window", fr_window_print(window)),
           FR_EUI("gateway", r->gateway), FR_UINT("freq", tx.freq_hz), FR_UINT("dr", tx.dr),
           FR_UINT("tmst", tx.tmst_us), FR_STR("error", err ? fr_err_text(err) : NULL));
    if (err) {
        fr_run_end(run, "the downlink could not be sent to the gateway");
        return;
    }
    run->timer.fn = on_silence;
    fr_timer_start(run->ns->loop, &run->timer, (int64_t)left_ms + 1);
}
