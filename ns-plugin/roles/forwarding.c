/* The forwarding role (fNS): finds the home of a device of others and asks it for a Join-accept. */
#include "roles/run.h"

#include "base/random.h"
#include "gateway/region.h"

#include <string.h>

static const char *freshness_text(const struct fedroam_answer *answer)
{
    switch (fedroam_answer_freshness(answer)) {
    case FEDROAM_FRESH: return "fresh";
    case FEDROAM_CACHED: return "cached";
    case FEDROAM_STALE: return "stale";
    }
    return "";
}

static void log_found(struct fr_run *run, const struct fedroam_answer *answer)
{
    bool is_found = fedroam_answer_result(answer) == FEDROAM_FOUND;
    const char *reason = fedroam_answer_reason(answer);
    const char *federation = fedroam_answer_federation(answer);

    FR_LOG(run->ns->log, is_found ? FR_LOG_INFO : FR_LOG_WARN, "join.resolve",
           FR_STR("join", run->id), FR_INT("ms", fr_run_ms(run)),
           FR_STR("result", fedroam_result_text(fedroam_answer_result(answer))),
           FR_STR("freshness", is_found ? freshness_text(answer) : NULL),
           FR_INT("took_ms", fr_loop_now_ms(run->ns->loop) - run->lookup_ms),
           FR_STR("federation", federation[0] != '\0' ? federation : NULL),
           FR_STR("home", is_found ? fedroam_answer_tls_name(answer) : NULL),
           FR_STR("endpoint", is_found && fedroam_answer_endpoint_count(answer) > 0
                                  ? fedroam_answer_endpoint_text(answer, 0)
                                  : NULL),
           FR_STR("why", reason[0] != '\0' ? reason : NULL));
}

/* Why an answer leads nowhere; NULL: it names a home that may be asked. */
static const char *why_not(struct fr_run *run, const struct fedroam_answer *answer)
{
    uint32_t netid = fedroam_answer_netid(answer);

    switch (fedroam_answer_result(answer)) {
    case FEDROAM_FOUND: break;
    case FEDROAM_UNKNOWN: return "no federation knows the device";
    case FEDROAM_REFUSED: return "the broker refuses us";
    case FEDROAM_OVER_BUDGET: return "the broker says we ask too much";
    case FEDROAM_NO_BROKER: return "no broker answered";
    case FEDROAM_BAD_ANSWER: return "the broker's answer cannot be used";
    case FEDROAM_FAILED: return "the look-up failed here";
    }
    if (netid == run->ns->options->netid) {
        return "the federation says it is our device, but its keys are not here";
    }
    if (!fr_ns_may_roam(run->ns->options, fedroam_answer_federation(answer), netid)) {
        return "the home network is not allowed by our rules";
    }
    if (fedroam_answer_endpoint_count(answer) == 0) return "the home network has no endpoint";
    return NULL;
}

/* False: not a federation of ours any more. */
static bool name_device(struct fr_run *run, const struct fedroam_answer *answer,
                        struct fr_deferred_device *out)
{
    const struct fr_ns_fed *fed = fr_ns_find_fed(run->ns, fedroam_answer_federation(answer));

    if (fed == NULL) return false;
    *out = (struct fr_deferred_device){.federation = fed->name,
                                       .netid = fedroam_answer_netid(answer),
                                       .dev_eui = run->join.dev_eui};
    return true;
}

static bool is_deferred(struct fr_run *run, const struct fedroam_answer *answer)
{
    struct fr_deferred_device device;

    return name_device(run, answer, &device) &&
           fr_deferred_left_ms(&run->ns->deferred, &device, fr_loop_now_ms(run->ns->loop)) > 0;
}

static void note_deferred(struct fr_run *run, const struct fr_bi_message *answer)
{
    struct fr_deferred_device device;

    if (answer->result != FR_BI_DEFERRED || !name_device(run, run->answer, &device)) return;
    fr_deferred_note(&run->ns->deferred, &device, answer->lifetime_s,
                     fr_loop_now_ms(run->ns->loop));
}

static void on_found(void *data, const struct fedroam_answer *answer)
{
    struct fr_run *run = data;

    run->lookup = NULL; /* ends when this returns */
    log_found(run, answer);
    const char *why = why_not(run, answer);
    if (why == NULL && is_deferred(run, answer)) {
        fr_run_end(run, "the home network asked to be left alone with this device for a while");
        return;
    }
    if (why == NULL) {
        run->answer = fedroam_answer_dup(answer);
        if (run->answer == NULL) why = "out of memory";
    }
    if (why != NULL) {
        run->ns->counters.lookups_failed++;
        fr_run_end(run, why);
        return;
    }
    fr_run_do(run, fr_flow_found(&run->flow, fr_loop_now_ms(run->ns->loop)));
}

/* At the first copy of the frame: the look-up and the collection of copies take their time together. */
void fr_run_find(struct fr_run *run)
{
    struct fr_ns *ns = run->ns;

    ns->counters.lookups++;
    run->lookup_ms = fr_loop_now_ms(ns->loop);
    enum fedroam_err err = fedroam_lookup_device(
        ns->resolver, NULL, run->join.dev_eui, ns->options->answer_ms, on_found, run, &run->lookup);
    if (err != FEDROAM_OK) {
        ns->counters.lookups_failed++;
        fr_run_end(run, fedroam_err_text(err));
    }
}

/* Random names for the gateways: they tell the peer nothing, and mean something to us while the run lasts. */
static void fill_gateways(struct fr_run *run, struct fr_bi_ul *ul)
{
    (void)fr_random(run->tokens, sizeof run->tokens); /* all zeros: the first gateway is taken */
    ul->gw_count = (uint32_t)run->frame.n;
    ul->gws.n = run->frame.n;
    for (size_t i = 0; i < run->frame.n; i++) {
        const struct fr_reception *r = &run->frame.receptions[i];
        struct fr_bi_gw *gw = &ul->gws.items[i];
        *gw =
            (struct fr_bi_gw){.id_n = 8,
                              .has_rssi = true,
                              .has_snr = true,
                              .rssi_dbm = r->rssi_dbm,
                              .snr_db = r->snr_db,
                              .dl_allowed = fr_gateways_is_reachable(run->ns->gateways, r->gateway),
                              .token = fr_span(run->tokens[i], FR_UL_TOKEN)};
        for (unsigned b = 0; b < 8; b++) gw->id[b] = (uint8_t)(r->gateway >> (56 - 8 * b));
    }
    ul->fns_token = fr_span(run->tokens[0], FR_UL_TOKEN);
}

_Static_assert(FR_DEDUP_GWS <= FR_BI_GW_MAX, "every reception has its place in GWInfo");

/* The gateway whose token the home gave back first. */
static void take_gateway(struct fr_run *run, const struct fr_bi_dl *dl)
{
    for (size_t i = 0; i < dl->gws.n && !run->down.has_gateway; i++) {
        for (size_t k = 0; k < run->frame.n; k++) {
            struct fr_span ours = fr_span(run->tokens[k], FR_UL_TOKEN);
            if (!fr_span_equal(dl->gws.items[i].token, ours)) continue;
            run->down.has_gateway = true;
            run->down.gateway = run->frame.receptions[k].gateway;
            break;
        }
    }
}

/* DLMetaData as a downlink. False: it asks for what this network does not send. */
static bool take_downlink(struct fr_run *run, const struct fr_bi_message *answer)
{
    const struct fr_bi_dl *dl = &answer->dl;
    struct fr_downlink *d = &run->down;

    if (answer->phy_payload.n != FR_JOIN_ACCEPT_SIZE &&
        answer->phy_payload.n != FR_JOIN_ACCEPT_MAX) {
        return false;
    }
    memset(d, 0, sizeof *d);
    d->phy_n = answer->phy_payload.n;
    memcpy(d->phy, answer->phy_payload.p, d->phy_n);
    d->rx1_delay_s = FR_JOIN_RX1_DELAY_S;
    if (!(answer->has & FR_BI_HAS_DL)) {
        /* Not in the 1.0 tables: a peer that leaves it out means the region's own windows. */
        d->freq1_hz = run->frame.freq_hz;
        d->dr1 = run->frame.dr;
        d->freq2_hz = FR_EU868_RX2_HZ;
        d->dr2 = FR_EU868_RX2_DR;
        return true;
    }
    if (dl->class_mode == 'C') return false;
    if (dl->has_rx_delay && dl->rx_delay1_s > 0) d->rx1_delay_s = dl->rx_delay1_s;
    d->freq1_hz = dl->freq1_hz;
    d->dr1 = dl->data_rate1;
    d->freq2_hz = dl->freq2_hz;
    d->dr2 = dl->data_rate2;
    bool is_good1 = d->freq1_hz == 0 || (fr_eu868_has_hz(d->freq1_hz) && d->dr1 <= FR_EU868_FSK_DR);
    bool is_good2 = d->freq2_hz == 0 || (fr_eu868_has_hz(d->freq2_hz) && d->dr2 <= FR_EU868_FSK_DR);
    if (!is_good1 || !is_good2 || (d->freq1_hz == 0 && d->freq2_hz == 0)) return false;
    take_gateway(run, dl);
    return true;
}

/* A home that gives a lifetime and an address wants the device carried on: remembered for its uplinks. */
static enum fr_err save_visitor(struct fr_run *run, const struct fr_bi_message *answer)
{
    struct fr_visitor v = {.home_netid = fedroam_answer_netid(run->answer),
                           .dev_addr = answer->dev_addr,
                           .dev_eui = run->join.dev_eui,
                           .fcnt_up = answer->fcnt_up};
    const struct fr_bi_key *f = &answer->keys[FR_BI_F_NWK_S_INT_KEY];
    const struct fr_bi_key *n = &answer->keys[FR_BI_NWK_S_KEY];
    enum fr_err err = FR_OK;

    if (answer->lifetime_s == 0 || !(answer->has & FR_BI_HAS_DEV_ADDR)) return FR_OK;
    (void)fr_span_copy(fr_span_str(fedroam_answer_federation(run->answer)), v.federation,
                       sizeof v.federation);
    v.is_1_1 = f->n > 0;
    v.has_key = f->n > 0 || n->n > 0;
    if (v.has_key) {
        err = fr_key_open(run->ns->crypto, run->ns->keys, f->n > 0 ? f : n, v.key);
    }
    uint64_t lifetime = answer->lifetime_s < UINT32_MAX ? answer->lifetime_s : UINT32_MAX;
    v.until_s = fr_loop_real_s(run->ns->loop) + (int64_t)lifetime;
    if (err == FR_OK) err = fr_state_save_visitor(run->ns->state, &v);
    fr_secret_zero(&v, sizeof v);
    return err;
}

static void on_answer(void *data, const struct fr_bi_outcome *outcome)
{
    struct fr_run *run = data;
    const struct fr_bi_message *answer = outcome->answer;
    bool is_good = outcome->err == FR_OK && answer->result == FR_BI_SUCCESS;

    run->call = NULL;
    FR_LOG(run->ns->log, is_good ? FR_LOG_INFO : FR_LOG_WARN, "join.answer",
           FR_STR("join", run->id), FR_INT("ms", fr_run_ms(run)),
           FR_STR("result",
                  answer != NULL ? fr_bi_result_print(answer->result) : fr_err_text(outcome->err)),
           FR_UINT("status", outcome->status), FR_BOOL("connected", outcome->is_new_connection),
           FR_SPAN("why", answer != NULL ? answer->description : fr_span_str(outcome->text)));
    if (!is_good) {
        if (answer != NULL) note_deferred(run, answer);
        fr_run_end(run, answer != NULL ? "the home network refused the join"
                                       : "the home network did not answer");
        return;
    }
    if (!take_downlink(run, answer)) {
        fr_run_end(run, "the home's answer has no Join-accept that can be sent here");
        return;
    }
    enum fr_err err = save_visitor(run, answer);
    if (err) {
        /* The device can join all the same; only later uplinks are not recognised. */
        FR_LOG(run->ns->log, FR_LOG_WARN, "join.visitor_lost", FR_STR("join", run->id),
               FR_ERR("error", err));
    }
    fr_run_answered(run);
}

void fr_run_ask_home(struct fr_run *run, uint32_t left_ms)
{
    struct fr_ns *ns = run->ns;
    struct fr_ns_place place;
    struct fr_bi_message request;

    enum fr_err err = fr_ns_place(ns, run->answer, &place);
    if (err) {
        fr_run_end(run, "the home network cannot be reached from here");
        return;
    }
    fr_bi_request_init(&request, FR_BI_PR_START_REQ, fr_ns_id(ns), place.target.id);
    request.phy_payload = fr_span(run->frame.phy, run->frame.phy_n);
    request.has = FR_BI_HAS_UL;
    request.ul = (struct fr_bi_ul){.has_dev_eui = true,
                                   .dev_eui = run->join.dev_eui,
                                   .data_rate = run->frame.dr,
                                   .freq_hz = run->frame.freq_hz,
                                   .recv_time_ms = run->received_real_s * 1000,
                                   .region = FR_REGION_EU868};
    fill_gateways(run, &request.ul);
    err =
        fr_bi_client_send(ns->client, &place.target, &request, left_ms, on_answer, run, &run->call);
    FR_LOG(ns->log, err ? FR_LOG_WARN : FR_LOG_INFO, "join.request", FR_STR("join", run->id),
           FR_INT("ms", fr_run_ms(run)), FR_STR("federation", place.target.federation),
           FR_NETID("home", (uint32_t)place.target.id.value),
           FR_UINT("tid", request.transaction_id), FR_STR("error", err ? fr_err_text(err) : NULL));
    if (err) fr_run_end(run, "the home network cannot be asked");
}
